"""New errors after a rollout, as a reply in its thread: posted once, then edited as they grow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from handlers.slack.ids import block_prefix
from handlers.slack.views.blocks import (
    Message,
    actions,
    bold,
    context,
    cut,
    dots,
    message,
    one_line,
    paragraphs,
    person,
    said,
    section,
)
from handlers.slack.views.choices import roll_back
from handlers.slack.views.error_lines import group_title, mark_line, times
from operations.deployment.rollout import Rollout
from operations.monitoring.errors.group import ErrorGroup, GroupState
from operations.outbox import NoticeKind

_SHOWN = 10
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """`groups` began or came back after the rollout, the worst first.

    `can_roll_back` says whether that button would work now.
    """

    rollout: Rollout
    groups: Sequence[ErrorGroup]
    now: datetime
    can_roll_back: bool = False
    is_cut: bool = False
    """There are more groups than these."""


def new_errors_reply(after: Aftermath) -> Message:
    """As it is now."""
    rollout, groups = after.rollout, after.groups
    ids = f"{block_prefix(rollout.name, NoticeKind.ERRORS.value)}{rollout.revision}"
    head = _headline(after)
    lines = [_line(group, after) for group in groups[:_SHOWN]]
    hidden = _number(len(groups) - _SHOWN, after)
    more = f"`errors {rollout.project} {rollout.environment}`"
    return message(
        f"{one_line(head, 200)}: {one_line(groups[0].title, 80)}" if groups else one_line(head),
        [
            section(f"{_circle(after)} {bold(head)}", block_id=f"{ids}.head"),
            *paragraphs(lines),
            context(
                f"{hidden} more" if len(groups) > _SHOWN else "",
                said(more),
                rollout.name,
                f"asked for by {person(rollout.requested_by)}",
            ),
            actions(
                roll_back(rollout, style="danger") if after.can_roll_back else None,
                block_id=f"{ids}.buttons",
            ),
        ],
    )


def _circle(after: Aftermath) -> str:
    return "🔴" if _is_open(after) else "⚪"


def _is_open(after: Aftermath) -> bool:
    return any(group.state is GroupState.OPEN for group in after.groups)


def _headline(after: Aftermath) -> str:
    """`3 new errors 4 minutes after 1.4.2 → myapp/prod`."""
    rollout = after.rollout
    new = [group for group in after.groups if not _has_come_back(group, rollout)]
    back = len(after.groups) - len(new)
    what = f"{cut(rollout.release.version, 90)} → {cut(rollout.target_name, 121)}"
    if not new:
        return f"{_many(back, 'error')} came back after {what}"
    count = f"{_number(len(new), after)} new {'error' if len(new) == 1 else 'errors'}"
    return dots(
        f"{count} {_since(rollout, new)} {what}",
        f"{back} came back" if back else "",
        "" if _is_open(after) else "all resolved",
    )


def _since(rollout: Rollout, new: Sequence[ErrorGroup]) -> str:
    """How soon the first of them came."""
    first = min(group.first_seen for group in new)
    if rollout.ended_at is None or first < rollout.ended_at:
        return "during"
    return f"{_in_words(first - rollout.ended_at)} after"


def _in_words(span: timedelta) -> str:
    """`4 minutes`: one unit in full, for it is read as a sentence."""
    seconds = max(1, round(span.total_seconds()))
    unit, size = next((u, s) for u, s in _UNITS if seconds >= s)
    return _many(seconds // size, unit)


def _line(group: ErrorGroup, after: Aftermath) -> str:
    """In its thread the rollout goes without saying."""
    return dots(
        group_title(group, 120),
        group.label,
        group.level.word,
        times(group.count),
        _return(group, after.rollout),
        mark_line(group, after.now),
    )


def _return(group: ErrorGroup, rollout: Rollout) -> str:
    """Where the group's own marks do not say it."""
    return "↩️ came back" if _has_come_back(group, rollout) and not group.has_come_back else ""


def _has_come_back(group: ErrorGroup, rollout: Rollout) -> bool:
    """What was seen before had been resolved."""
    return rollout.started_at is not None and group.first_seen < rollout.started_at


def _number(count: int, after: Aftermath) -> str:
    """`190+` where nobody counted further."""
    return f"{count}+" if after.is_cut else f"{count}"


def _many(count: int, one: str) -> str:
    return f"{count} {one}{'' if count == 1 else 's'}"
