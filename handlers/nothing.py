"""What is said where there is nothing to show, and what to say next: the same in Slack and in a terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from handlers.error_queries import Found
from handlers.language import History, Logs, render
from operations.durations import say_duration

_SHIP = "Ship something: `deploy PROJECT ENVIRONMENT VERSION`."
_USER = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)
_LOOK_BACK = timedelta(days=7)
_LONGEST = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Nothing:
    """One sentence, and the next step."""

    text: str
    hint: str


def no_rollouts(asked: History) -> Nothing:
    """Names what was asked for, and the history that is longer."""
    if asked == History(limit=asked.limit):
        return Nothing("Nothing was shipped yet.", _SHIP)
    if asked.unreviewed:
        return Nothing("No emergency waits for its review.", "All that was shipped: `history`.")
    place = "/".join(part for part in (asked.project, asked.environment) if part)
    by = f"<@{asked.by}>" if _USER.fullmatch(asked.by) else asked.by
    told = [
        "No rollouts",
        f"of {place}" if place else "",
        f"that {by} asked for" if by else "",
        f"in the last {say_duration(asked.since)}" if asked.since else "",
    ]
    wider = History() if asked.since is None else replace(asked, since=None)
    return Nothing(f"{' '.join(filter(None, told))}.", f"See more: `{render(wider)}`.")


def no_statistics(text: str, project: str, span: timedelta) -> Nothing:
    """`text` says of what and how long."""
    if span >= _LONGEST:
        return Nothing(f"{text}.", _SHIP)
    words = " ".join(filter(None, ["stats", project, "--since 90d"]))
    return Nothing(f"{text}.", f"Look further back: `{words}`.")


def no_errors(found: Found) -> Nothing:
    """What was searched; who has looked far back is told where errors come from."""
    if (found.command.since or timedelta()) >= _LOOK_BACK:
        hint = "They come from `errors: sources` in hms.yaml, and from components."
        return Nothing(found.nothing, hint)
    return Nothing(found.nothing, f"Look further back: `{found.wider}`.")


def no_log(asked: Logs) -> Nothing:
    """The platform answered, with no lines."""
    target = f"{asked.project}/{asked.environment}"
    if asked.since is not None:
        text = f"The log of {target} has no lines of the last {say_duration(asked.since)}."
        return Nothing(text, f"Look further back: `logs {asked.project} {asked.environment}`.")
    hint = f"Whether it runs: `status {asked.project} {asked.environment}`."
    return Nothing(f"The log of {target} has no lines.", hint)


def no_targets() -> Nothing:
    """Of a bot that knows no project yet."""
    return Nothing(
        "No target is configured.",
        "Describe one under `projects:` in hms.yaml, and start the bot again.",
    )
