"""Alerts that nobody looks after: told elsewhere, once, whatever process notices first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from operations.actor import SYSTEM
from operations.clock import Clock
from operations.monitoring.alert import Alert
from operations.monitoring.journal import read_group, record, save, tell
from operations.monitoring.policy import is_neglected
from operations.monitoring.ports import Store
from operations.outbox import Urgency


@dataclass(frozen=True, slots=True)
class EscalationRule:
    """`receivers` are ids of Slack channels and users, each of whom gets a message."""

    after: timedelta
    receivers: tuple[str, ...]


class Escalation:
    """Looks for neglected alerts. A silence puts it off until it is over."""

    def __init__(self, *, rule: EscalationRule, store: Store, clock: Clock) -> None:
        self._rule = rule
        self._store = store
        self._clock = clock

    async def escalate_due(self) -> Sequence[Alert]:
        """Escalate what is due; returns what was. Raises StorageError."""
        async with self._store.snapshot() as tx:
            alerts = await tx.alerts.open()
        due = [alert for alert in alerts if self._is_due(alert)]
        escalated = [await self._escalate(alert) for alert in due]
        return [alert for alert in escalated if alert is not None]

    def _is_due(self, alert: Alert) -> bool:
        return is_neglected(alert, self._rule.after, self._clock.now())

    async def _escalate(self, seen: Alert) -> Alert | None:
        """None when somebody was quicker: a person, or another process."""
        async with self._store.transaction() as tx:
            await tx.alerts.hold(seen.project, seen.environment)
            alert = await tx.alerts.get(seen.id)
            if alert is None or not self._is_due(alert):
                return None
            now, receivers = self._clock.now(), self._rule.receivers
            group = await read_group(tx, alert)
            group = await save(
                tx, group, [replace(alert, escalated_at=now, escalated_to=receivers)]
            )
            await record(tx, alert, "alert.escalated", SYSTEM, now, to=", ".join(receivers))
            await tell(tx, group, Urgency.DECISION, now)
            return group.leader
