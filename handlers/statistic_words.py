"""How deploying goes, in words, for Slack and the terminal: each figure says of how many it is."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.states import state_words
from operations.deployment.statistics import REGRET, EnvironmentFigures, Middle, Statistics
from operations.durations import say_duration

MEANS = (
    "Failed: it ended failed or rolled back, or somebody began to roll it back within"
    f" {say_duration(REGRET)}. Good again: from its start until a good release served. Times are medians."
)


def headline(found: Statistics) -> str:
    """`myapp, the last 30 d`, or that nothing was shipped in it."""
    span = f"the last {say_duration(found.until - found.since)}"
    subject = found.project or "All projects"
    if not found.environments:
        return f"{subject}: nothing was shipped in {span}"
    return f"{subject}, {span}"


def figure_lines(figures: EnvironmentFigures, found: Statistics) -> Sequence[tuple[str, str]]:
    """Each figure's name and what it is, in the order to read them."""
    return [
        ("Went live", _frequency(figures, found)),
        ("Failed", _failures(figures)),
        ("Good again after", _restored(figures)),
        ("Commit to live", _of(figures.lead, "commit known", "commits known") or "not known"),
        ("Took", _of(figures.duration, "deploy", "deploys") or "–"),
        ("Waited for approval", _of(figures.wait, "rollout", "rollouts") or "–"),
        ("Ended", _outcomes(figures)),
    ]


def _frequency(figures: EnvironmentFigures, found: Statistics) -> str:
    if not figures.live:
        return "never"
    days = "1 day" if figures.days == 1 else f"{figures.days} days"
    times = "once" if figures.live == 1 else f"{figures.live} times"
    rate = f", {figures.live / found.weeks:.1f} a week" if found.weeks >= 1 else ""
    return f"{times}{rate}, on {days}"


def _failures(figures: EnvironmentFigures) -> str:
    if figures.failure_rate is None:
        return "no changes"
    changes = "1 change" if figures.changes == 1 else f"{figures.changes} changes"
    return f"{figures.failures} of {changes} ({round(100 * figures.failure_rate)} %)"


def _restored(figures: EnvironmentFigures) -> str:
    if not figures.failures:
        return "–"
    parts = [_of(figures.restore, "failure", "failures")]
    if figures.unrestored:
        parts.append(f"{figures.unrestored} not yet")
    return ", ".join(part for part in parts if part)


def _of(middle: Middle, one: str, many: str) -> str:
    """`5 m 10 s (12 deploys)`."""
    if middle.span is None:
        return ""
    return f"{say_duration(middle.span)} ({middle.count} {one if middle.count == 1 else many})"


def _outcomes(figures: EnvironmentFigures) -> str:
    counted = sorted(figures.outcomes.items(), key=lambda item: (-item[1], item[0]))
    words = [f"{count} {state_words(state).lower()}" for state, count in counted]
    if figures.rollbacks:
        told = "a rollback" if figures.rollbacks == 1 else "rollbacks"
        words.append(f"{figures.rollbacks} of them {told} asked for")
    return ", ".join(words)
