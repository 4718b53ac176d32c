"""Writes what every change of a rollout owes: the row, the audit event and the notices, together."""

from __future__ import annotations

from datetime import datetime

from operations.actor import Actor
from operations.audit import AuditEvent
from operations.deployment.failures import WENT_WRONG
from operations.deployment.ports import Transaction
from operations.deployment.rollout import Rollout, RolloutState
from operations.outbox import Notice, NoticeKind, Urgency


async def record(
    tx: Transaction, rollout: Rollout, action: str, actor: Actor, now: datetime, **detail: str
) -> None:
    """Append an audit event about the rollout."""
    await tx.audit.add(
        AuditEvent(at=now, actor=actor, action=action, subject=rollout.name, detail=detail)
    )


async def announce(tx: Transaction, rollout: Rollout, now: datetime) -> None:
    """Make the rollout's message due, and at its end the reply and the evidence."""
    urgency = _urgency(rollout)
    await tx.notices.put(_notice(rollout, NoticeKind.CARD, urgency), now)
    if not rollout.has_ended:
        return
    await tx.notices.put(_notice(rollout, NoticeKind.ENDED, urgency), now)
    if rollout.failure is not None and rollout.failure.evidence:
        await tx.notices.put(_notice(rollout, NoticeKind.EVIDENCE, urgency), now)


async def redraw(tx: Transaction, rollout: Rollout, now: datetime) -> None:
    """Make the rollout's message due alone: its end was told when it ended."""
    await tx.notices.put(_notice(rollout, NoticeKind.CARD, _urgency(rollout)), now)


def _urgency(rollout: Rollout) -> Urgency:
    if rollout.has_ended:
        return Urgency.FINAL
    if rollout.state in {RolloutState.RUNNING, RolloutState.VERIFYING}:
        return Urgency.PROGRESS
    return Urgency.DECISION


def _notice(rollout: Rollout, kind: NoticeKind, urgency: Urgency) -> Notice:
    return Notice(
        subject=rollout.name,
        kind=kind,
        channel=rollout.channel,
        urgency=urgency,
        is_failure=rollout.state in WENT_WRONG,
    )
