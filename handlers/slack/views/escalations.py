"""What is told elsewhere of an alert that nobody looks after. It goes on with the alert, and acts on it."""

from __future__ import annotations

from datetime import datetime

from handlers.slack.ids import block_prefix
from handlers.slack.views.alert_words import choices, handling, headline, place, since_words
from handlers.slack.views.blocks import (
    Message,
    actions,
    bold,
    called,
    context,
    dots,
    message,
    one_line,
    section,
)
from handlers.states import alert_circle, alert_names, alert_words, concerned
from operations.monitoring.grouping import AlertGroup
from operations.outbox import NoticeKind


def escalation(group: AlertGroup, now: datetime) -> Message:
    """As it is now: a call while nobody looks after it, then who does, then how it ended."""
    alert = group.leader
    ids = f"{block_prefix(alert.label, NoticeKind.ESCALATED.value)}{group.revision}"
    reason = one_line(concerned(group)[0].reason, 300)
    since = since_words(alert, now)
    return message(
        _summary(group),
        [
            section(
                _headline(group),
                dots(reason, since if alert.is_open else ""),
                *handling(group, now),
                block_id=f"{ids}.head",
            ),
            context(alert.label, block_id=f"{ids}.foot"),
            actions(*choices(group, now), block_id=f"{ids}.buttons"),
        ],
    )


def _headline(group: AlertGroup) -> str:
    if not group.leader.is_open:
        return headline(group)
    return dots(f"{alert_circle(group)} {bold(_call(group), 200)}", place(group))


def _call(group: AlertGroup) -> str:
    """Not escaped."""
    alert = group.leader
    who = alert.acknowledged_by
    looks = f"{(who.name or who.id)[:60]} looks" if who else "Nobody looks"
    return f"{looks} after {alert.label}: {alert_names(concerned(group), 120)}"


def _summary(group: AlertGroup) -> str:
    alert = group.leader
    if not alert.is_open:
        return f"{one_line(alert_words(group), 120)} · {place(group)} ({alert.label})"
    who = called(alert.acknowledged_by) if alert.acknowledged_by else "Nobody"
    words = one_line(alert_words(group), 120)
    return f"{who} looks after {alert.label}: {words} · {one_line(alert.target_name, 60)}"
