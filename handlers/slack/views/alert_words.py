"""The words for an alert's state, what it is about and who deals with it: the same in all its messages."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from handlers.slack.ids import ActionId, ButtonValue
from handlers.slack.views.blocks import Block, bold, button, clock, dots, escape, one_line, person
from handlers.states import alert_circle, alert_words
from operations.durations import say_duration
from operations.monitoring.alert import Alert
from operations.monitoring.grouping import AlertGroup
from operations.monitoring.policy import is_silenced

_USER = re.compile(r"[UW][A-Z0-9]{2,20}", re.ASCII)
_WORTH_TELLING = timedelta(seconds=1)
_CHANNEL = re.compile(r"[CG][A-Z0-9]{2,20}", re.ASCII)


def headline(group: AlertGroup) -> str:
    """State: what → where, on one line."""
    words = bold(alert_words(group), 200)
    return dots(f"{alert_circle(group)} {words}{lasted(group.leader)}", place(group))


def place(group: AlertGroup) -> str:
    """The target, escaped."""
    return one_line(group.leader.target_name, 130)


def lasted(alert: Alert) -> str:
    """` after 12 m`, of what is over."""
    return f" after {say_duration(alert.resolved_at - alert.since)}" if alert.resolved_at else ""


def since_words(alert: Alert, now: datetime) -> str:
    """`since 14:02 (4 m)`; how long is left out while it is nothing yet."""
    span = now - alert.since
    told = f" ({say_duration(span)})" if span >= _WORTH_TELLING else ""
    return f"since {clock(alert.since, now)}{told}"


def label_words(alert: Alert) -> str:
    """`A-17`, and who looks after it."""
    by = f" acknowledged by {person(alert.acknowledged_by)}" if alert.acknowledged_by else ""
    return f"{alert.label}{by}"


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


def _receiver(name: str) -> str:
    if _USER.fullmatch(name):
        return f"<@{name}>"
    return f"<#{name}>" if _CHANNEL.fullmatch(name) else escape(name)
