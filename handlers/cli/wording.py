"""Rollouts and refusals in a terminal's words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from handlers.documents import why_it_ended
from handlers.language import VERBS
from handlers.states import past_words, way_words, what
from operations.actor import Actor
from operations.deployment.phrases import say_actor
from operations.deployment.progress import Step, StepState
from operations.deployment.rollout import Rollout
from operations.durations import say_duration

Names = Mapping[str, str]

MARKS = {
    StepState.PENDING: "·",
    StepState.RUNNING: "…",
    StepState.DONE: "✓",
    StepState.FAILED: "✗",
}

_MENTION = re.compile(r"<@([A-Z0-9]+)>")
_GROUP = re.compile(r"<!subteam\^([A-Z0-9]+)>")
_COMMAND = re.compile(rf"`({'|'.join(v.name for v in VERBS)})(?=[ `])")


def plain(text: str, names: Names) -> str:
    """Slack's mentions as names or ids, and commands as they are said here."""
    text = _MENTION.sub(lambda m: names.get(m[1], m[1]), text)
    return _COMMAND.sub(r"`hms-sys \1", _GROUP.sub(r"\1", text))


def who(actor: Actor, names: Names) -> str:
    """A person's name where it is known, else the id."""
    return names.get(actor.id) or actor.name or plain(say_actor(actor), names)


def headline(rollout: Rollout, *, serves: bool = True) -> str:
    """State first: `Live: myapp 1.1 → prod`."""
    way = way_words(rollout)
    return f"{past_words(rollout, serves=serves)}: {what(rollout)}" + (f" ({way})" if way else "")


def ending(rollout: Rollout, names: Names) -> list[str]:
    """The last words about a rollout that was waited for."""
    took = f", {say_duration(rollout.took)}" if rollout.took else ""
    lines = [f"{headline(rollout)} ({rollout.name}{took})"]
    why = plain(why_it_ended(rollout), names)
    evidence = rollout.failure.evidence if rollout.failure else ()
    return [*lines, *([why] if why else []), *(f"  {line}" for line in evidence[-20:])]


def step_line(step: Step) -> str:
    """`… New pods  1 of 2`."""
    detail = step.detail
    if not detail and step.total > 0:
        detail = f"{max(step.ready, 0)} of {step.total}"
    return f"{MARKS[step.state]} {step.name}" + (f"  {detail}" if detail else "")


def clock_time(at: datetime | None) -> str:
    """In the reader's zone."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M:%S") if at else "–"


def with_zone(title: str, at: datetime | None) -> str:
    """A column's title with the zone that its times are in: that of the first one."""
    return f"{title} ({at.astimezone().tzname()})" if at else title
