"""The words for an alert's state, what it is about and who deals with it: the same in all its messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from handlers.slack.ids import ActionId, ButtonValue
from handlers.slack.views.blocks import Block, bold, button, clock, dots, escape, one_line, person
from operations.durations import say_duration
from operations.monitoring.alert import Alert
from operations.monitoring.grouping import AlertGroup
from operations.monitoring.policy import is_silenced

_NAMED = 3
_USER = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}", re.ASCII)


def state_words(group: AlertGroup) -> str:
    """`Failing: web, errors`; what a person called resolved need not be well."""
    return f"{_state(group)}: {names(concerned(group), 120)}"


def circle(group: AlertGroup) -> str:
    """The colour that goes with the words."""
    if group.leader.is_open:
        return "🟣" if _is_unasked(group) else "🔴"
    return "⚪" if group.leader.resolved_by else "🟢"


def headline(group: AlertGroup) -> str:
    """State: what → where, on one line."""
    words = bold(state_words(group), 200)
    return dots(f"{circle(group)} {words}{lasted(group.leader)}", place(group))


def concerned(group: AlertGroup) -> Sequence[Alert]:
    """Those that are not well; all of them when it is over."""
    return group.failing or group.alerts


def names(alerts: Sequence[Alert], limit: int) -> str:
    """Not escaped: `web, errors and 3 more`."""
    shown = [" ".join(alert.name.split())[: limit // _NAMED] for alert in alerts[:_NAMED]]
    hidden = len(alerts) - len(shown)
    return ", ".join(shown) + (f" and {hidden} more" if hidden else "")


def place(group: AlertGroup) -> str:
    """The target, escaped."""
    return one_line(group.leader.target_name, 130)


def lasted(alert: Alert) -> str:
    """` after 12 m`, of what is over."""
    return f" after {say_duration(alert.resolved_at - alert.since)}" if alert.resolved_at else ""


def handling(group: AlertGroup, now: datetime) -> list[str]:
    """Who does what about it."""
    alert = group.leader
    lines = []
    if alert.acknowledged_by is not None and alert.acknowledged_at is not None:
        at = clock(alert.acknowledged_at, now)
        lines.append(f"👀 Acknowledged by {person(alert.acknowledged_by)} · {at}")
    if alert.escalated_at is not None:
        told = ", ".join(_receiver(name) for name in alert.escalated_to)
        lines.append(f"📣 Escalated to {told} · {clock(alert.escalated_at, now)}")
    if alert.is_open and alert.silenced_until is not None and is_silenced(alert, now):
        by = f" by {person(alert.silenced_by)}" if alert.silenced_by else ""
        lines.append(f"🔕 Silenced until {clock(alert.silenced_until, now)}{by}")
    if alert.resolved_by is not None:
        lines.append(f"Resolved by {person(alert.resolved_by)}")
    return lines


def choices(group: AlertGroup, now: datetime) -> list[Block | None]:
    """None on what is over; of the rest those that would change something."""
    alert = group.leader
    if not alert.is_open:
        return []
    value = ButtonValue(alert.id, group.revision).encode()
    return [
        None
        if alert.acknowledged_by
        else button("Acknowledge", ActionId.ACKNOWLEDGE, value, style="primary"),
        None if is_silenced(alert, now) else button("Silence 1h", ActionId.SILENCE, value),
        button("Resolve", ActionId.RESOLVE, value),
    ]


def _state(group: AlertGroup) -> str:
    if not group.leader.is_open:
        if group.leader.resolved_by:
            return "Resolved"
        return "Answers again" if _is_unasked(group) else "Well again"
    if _is_unasked(group):
        return "Cannot be asked"
    is_flapping = all(alert.is_flapping for alert in concerned(group))
    return "Flapping" if is_flapping else "Failing"


def _is_unasked(group: AlertGroup) -> bool:
    return all(alert.is_unasked for alert in concerned(group))


def _receiver(name: str) -> str:
    if _USER.fullmatch(name):
        return f"<@{name}>"
    return f"<#{name}>" if _CHANNEL.fullmatch(name) else escape(name)
