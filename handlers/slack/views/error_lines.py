"""How a group of errors is called in every message: its line, its counts, its marks and its buttons.

`errors`, a rollout's thread and the digest show groups by these, so that one looks the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from handlers.error_words import imported_words
from handlers.slack.ids import ActionId, ButtonValue
from handlers.slack.views.blocks import Block, bold, button, clock, code, dots, one_line, person
from handlers.spark import spark_line
from operations.durations import say_duration
from operations.monitoring.errors.event import Level
from operations.monitoring.errors.group import ErrorGroup, GroupReport, GroupState

TITLE_LIMIT = 150

Live = Mapping[str, datetime]
"""The rollouts that serve now (`D-1042`), and when they were begun."""
NOTHING_LIVE: Live = {}


def group_circle(group: ErrorGroup) -> str:
    """Never shown without the level's word, or what became of it."""
    if group.state is GroupState.RESOLVED:
        return "⚪"
    return "🔴" if group.level >= Level.CRITICAL else "🟠"


def group_title(group: ErrorGroup, limit: int = TITLE_LIMIT) -> str:
    """Its colour and its title, bold, on one line."""
    return f"{group_circle(group)} {bold(group.title or group.level.word, limit)}"


def brief_line(group: ErrorGroup, now: datetime) -> str:
    """All of it on one line, for lists."""
    return dots(
        group_title(group, 90),
        group.label,
        one_line(group.target_name, 80),
        times(group.count),
        imported_words(group),
        f"last {_ago(group.last_seen, now)}",
    )


def fact_line(group: ErrorGroup, now: datetime) -> str:
    """`E-12 · error · myapp/prod · 812 times · first 3 h ago after 1.4.2 · last 2 m ago`."""
    return dots(
        group.label,
        group.level.word,
        one_line(group.target_name, 130),
        times(group.count),
        imported_words(group),
        f"first {_ago(group.first_seen, now)}{_release(' after', group.first_release)}",
        f"last {_ago(group.last_seen, now)}{_last_release(group)}",
    )


def mark_line(group: ErrorGroup, now: datetime, live: Live = NOTHING_LIVE) -> str:
    """What is special about it."""
    return dots(_novelty(group, now, live), _silence(group, now), resolution(group, now))


def hours_line(report: GroupReport) -> str:
    """The last 24 hours as a line of signs."""
    return f"{code(spark_line(report.hours))} 24 h"


def resolution(group: ErrorGroup, now: datetime) -> str:
    """`✅ resolved by @bob 12:03`; "" while it is open."""
    if group.state is not GroupState.RESOLVED:
        return ""
    by = f" by {person(group.resolved_by)}" if group.resolved_by else ""
    at = f" {clock(group.resolved_at, now)}" if group.resolved_at else ""
    return f"✅ resolved{by}{at}"


def times(count: int) -> str:
    """`once`, `812 times`, `1,204,331 times`."""
    return "once" if count == 1 else f"{count:,} times"


def is_silent(group: ErrorGroup, now: datetime) -> bool:
    """Whether somebody wanted to hear no more of it, and that still holds."""
    return group.silenced_until is not None and group.silenced_until > now


def group_buttons(group: ErrorGroup, now: datetime, *, with_changes: bool = True) -> list[Block]:
    """Those that would change or tell something now."""
    value = ButtonValue(group.id, group.revision).encode()
    made = []
    if group.state is GroupState.OPEN:
        made.append(button("Resolve", ActionId.ERROR_RESOLVE, value))
        if not is_silent(group, now):
            made.append(button("Silence 1h", ActionId.ERROR_SILENCE, value))
    if with_changes:
        made.append(button("What changed", ActionId.ERROR_CHANGES, value))
    return made


def _ago(at: datetime, now: datetime) -> str:
    """One unit is enough to see how old it is."""
    return f"{' '.join(say_duration(now - at).split()[:2])} ago"


def _release(word: str, release: str) -> str:
    return f"{word} {one_line(release, 60)}" if release else ""


def _last_release(group: ErrorGroup) -> str:
    """Only when it is another one."""
    return "" if group.last_release == group.first_release else _release(" on", group.last_release)


def _novelty(group: ErrorGroup, now: datetime, live: Live) -> str:
    """What was seen before the rollout that it is tied to had been resolved, and came back."""
    begun = live.get(group.rollout)
    former = _former(group, now)
    if begun is None:
        return f"↩️ came back after {former}" if former else ""
    word = "↩️ came back" if former or group.first_seen < begun else "🆕 new"
    after = f"{word} after {one_line(group.rollout, 20)}, which is live now"
    return f"{after}, and after {former}" if former else after


def _former(group: ErrorGroup, now: datetime) -> str:
    """`@bob resolved it 12:03`, of one that is open again."""
    if not group.has_come_back or group.resolved_at is None:
        return ""
    by = person(group.resolved_by) if group.resolved_by else "somebody"
    return f"{by} resolved it {clock(group.resolved_at, now)}"


def _silence(group: ErrorGroup, now: datetime) -> str:
    if group.silenced_until is None or not is_silent(group, now):
        return ""
    by = f" by {person(group.silenced_by)}" if group.silenced_by else ""
    return f"🔕 silenced until {clock(group.silenced_until, now)}{by}"
