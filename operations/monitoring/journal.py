"""What every change of an alert brings along: notices for people and an event in the audit trail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from operations.actor import SYSTEM, Actor
from operations.audit import AuditEvent
from operations.monitoring.alert import Alert, AlertDraft, AlertState
from operations.monitoring.ports import Transaction
from operations.outbox import Notice, NoticeKind, Urgency


async def fire(tx: Transaction, draft: AlertDraft, now: datetime) -> Alert:
    """Store a new alert and tell people."""
    alert = await tx.alerts.add(draft)
    await tell(tx, alert, Urgency.FINAL, now)
    await record(tx, alert, "alert.fired", SYSTEM, now, reason=draft.reason)
    return alert


async def end(tx: Transaction, alert: Alert, now: datetime) -> Alert:
    """It is well again; told also when the alert is silenced."""
    ended = await tx.alerts.save(
        replace(alert, state=AlertState.RESOLVED, resolved_at=now, is_flapping=False)
    )
    await tell(tx, ended, Urgency.FINAL, now)
    await record(tx, ended, "alert.resolved", SYSTEM, now)
    return ended


async def tell(tx: Transaction, alert: Alert, urgency: Urgency, now: datetime) -> None:
    """Make the alert's message due, and at its end the reply in its thread."""
    if not alert.channel:
        return
    kinds = (NoticeKind.CARD,) if alert.is_open else (NoticeKind.CARD, NoticeKind.ENDED)
    for kind in kinds:
        notice = Notice(subject=alert.label, kind=kind, channel=alert.channel, urgency=urgency)
        await tx.notices.put(notice, now)


async def record(
    tx: Transaction, alert: Alert, action: str, actor: Actor, now: datetime, **detail: str
) -> None:
    """Append to the trail."""
    event = AuditEvent(at=now, actor=actor, action=action, subject=alert.label, detail=detail)
    await tx.audit.add(event)
