"""Alerts of checks that are not configured any more: nobody would ever say that they are over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from operations.actor import SYSTEM
from operations.clock import Clock
from operations.monitoring.alert import Alert
from operations.monitoring.journal import recover
from operations.monitoring.policy import forget
from operations.monitoring.ports import Store, Transaction
from operations.monitoring.suspicion import ITSELF

NO_LONGER_WATCHED = "no longer watched"


async def end_unwatched(check_ids: Collection[str], store: Store, clock: Clock) -> None:
    """End our own alerts of all but these checks; safe in several processes. Raises StorageError."""
    async with store.snapshot() as tx:
        alerts = await tx.alerts.open()
    for alert in alerts:
        if not alert.source and alert.check_id not in {*check_ids, ITSELF}:
            async with store.transaction() as tx:
                await _end(tx, alert, clock.now())


async def _end(tx: Transaction, seen: Alert, now: datetime) -> None:
    """Resolved by the system: whether it is well, nobody knows."""
    standing = await tx.checks.get(seen.check_id, lock=True)
    await tx.alerts.hold(seen.project, seen.environment)
    alert = await tx.alerts.open_for(seen.check_id)
    if alert is None or alert.is_well:
        return
    step = forget(standing, NO_LONGER_WATCHED, now)
    await tx.checks.save(step.record)
    if step.flip is not None:
        await tx.checks.flipped(step.flip)
    await recover(tx, replace(alert, reason=NO_LONGER_WATCHED), now, by=SYSTEM)
