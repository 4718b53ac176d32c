"""Asking about alerts, those that are over too. What people do about them is `alerting`."""

from __future__ import annotations

from dataclasses import dataclass

from operations.audit import AuditEvent
from operations.errors import UnknownAlert
from operations.monitoring.alert import Alert, AlertPage, AlertQuery
from operations.monitoring.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertReport:
    """One alert with everything that happened to it, oldest first."""

    alert: Alert
    timeline: tuple[AuditEvent, ...]


class AlertInquiries:
    """Answers questions; knows no configuration, as an alert may be older than it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def list(self, query: AlertQuery) -> AlertPage:
        """A page, newest first."""
        async with self._store.snapshot() as tx:
            return await tx.alerts.search(query)

    async def show(self, alert_id: int) -> AlertReport:
        """One alert and its timeline; raises UnknownAlert."""
        async with self._store.snapshot() as tx:
            alert = await tx.alerts.get(alert_id)
            if alert is None:
                raise UnknownAlert(f"There is no alert A-{alert_id}.", hint="See `monitor list`.")
            timeline = await tx.audit.of(alert.label)
        return AlertReport(alert=alert, timeline=tuple(timeline))
