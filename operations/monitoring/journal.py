"""What every change of an alert brings along: notices for people and an event in the audit trail.

Alerts change only while their target is held (`tx.alerts.hold`), as those of one target may be told
together. Who takes several locks takes checks first, in the order of their ids, then the target, and reads
the alerts after that.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from operations.actor import SYSTEM, Actor
from operations.audit import AuditEvent
from operations.monitoring import grouping
from operations.monitoring.alert import Alert, AlertDraft
from operations.monitoring.grouping import AlertGroup
from operations.monitoring.mentions import redraw_digests
from operations.monitoring.policy import is_silenced
from operations.monitoring.ports import Transaction
from operations.outbox import Notice, NoticeKind, Urgency


async def read_group(tx: Transaction, alert: Alert) -> AlertGroup:
    """The alert with all that are told in the same message."""
    leader = alert if alert.led_by is None else await tx.alerts.get(alert.led_by)
    if leader is None:
        return AlertGroup(alert)
    return AlertGroup(leader, tuple(await tx.alerts.led_by(leader.id)))


async def fire(tx: Transaction, draft: AlertDraft, now: datetime) -> Alert:
    """Store a new alert and tell people, in the message of another when both share a cause.

    The target is held. A silence was given for what was known then: that more fails is told all the same.
    """
    open_there = await tx.alerts.open_at(draft.project, draft.environment)
    leader = grouping.leader_for(open_there, now)
    alert = await tx.alerts.add(replace(draft, led_by=leader.id if leader else None))
    if leader is not None:
        alert = await tx.alerts.save(grouping.join(leader, alert))
    await record(tx, alert, "alert.fired", SYSTEM, now, reason=draft.reason)
    group = await read_group(tx, alert)
    urgency = Urgency.FINAL if leader is None else Urgency.DECISION
    await tell(tx, group, urgency, now, is_news=True)
    return alert


async def recover(tx: Transaction, alert: Alert, now: datetime, by: Actor | None = None) -> None:
    """It is well again; told also when it is silenced. The target is held."""
    if alert.is_well:
        return
    group = await read_group(tx, alert)
    changed = grouping.recover(group, alert, now, by)
    is_over = not changed[0].is_open
    group = await save(tx, group, changed)
    await record(tx, alert, "alert.resolved" if is_over else "alert.recovered", SYSTEM, now)
    await tell(tx, group, Urgency.FINAL if is_over else Urgency.DECISION, now)


async def progress(tx: Transaction, alert: Alert, now: datetime) -> None:
    """Store what goes on; it is told unless nobody wants to hear of it. The target is held."""
    group = await read_group(tx, await tx.alerts.save(alert))
    if not is_silenced(group.leader, now):
        await tell(tx, group, Urgency.PROGRESS, now)


async def save(tx: Transaction, group: AlertGroup, changed: Iterable[Alert]) -> AlertGroup:
    """Store several; the group as it is by then."""
    for alert in changed:
        group = group.changed(await tx.alerts.save(alert))
    return group


async def tell(
    tx: Transaction, group: AlertGroup, urgency: Urgency, now: datetime, *, is_news: bool = False
) -> None:
    """Make the group's message due, at its end the reply in its thread, and what was told elsewhere.

    `is_news`: more fails than before. Slack's message says so when it is edited; other ways, which edit
    nothing, are told.
    """
    leader = group.leader
    kinds = (NoticeKind.CARD,) if leader.is_open else (NoticeKind.CARD, NoticeKind.ENDED)
    for kind in kinds:
        notice = Notice(
            subject=leader.label,
            kind=kind,
            channel=leader.channel,
            urgency=urgency,
            is_failure=is_news,
        )
        await tx.notices.put(notice, now)
    if urgency is not Urgency.PROGRESS:
        await tell_elsewhere(tx, leader, now)
        labels = [alert.label for alert in group.alerts]
        await redraw_digests(tx.digests, tx.notices, labels, now)


async def tell_elsewhere(tx: Transaction, leader: Alert, now: datetime) -> None:
    """Make due what says that nobody looks after it: one message for each who is told."""
    for number, receiver in enumerate(leader.escalated_to, start=1):
        notice = Notice(
            subject=f"{leader.label}/{number}",
            kind=NoticeKind.ESCALATED,
            channel=receiver,
            urgency=Urgency.DECISION,
        )
        await tx.notices.put(notice, now)


async def record(
    tx: Transaction, alert: Alert, action: str, actor: Actor, now: datetime, **detail: str
) -> None:
    """Append to the trail."""
    event = AuditEvent(at=now, actor=actor, action=action, subject=alert.label, detail=detail)
    await tx.audit.add(event)
