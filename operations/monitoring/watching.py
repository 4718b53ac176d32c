"""Asks the checks that are due, and stores what follows: flip, alert, audit event and notice at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.actor import SYSTEM
from operations.audit import AuditEvent
from operations.clock import Clock
from operations.errors import StorageError
from operations.guard import Guard
from operations.monitoring import policy
from operations.monitoring.alert import Alert, AlertDraft, AlertState
from operations.monitoring.check import Check, CheckRecord, CheckState, Observation, Outcome
from operations.monitoring.ports import CheckQueue, Prober, Store, Surroundings, Transaction
from operations.outbox import Notice, NoticeKind, Urgency
from operations.redaction import clean

_LOG = logging.getLogger("hms.checks")
_RECENT_ROLLOUT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """`at_once` checks are asked together; nothing waits longer than `idle_seconds` for the next look."""

    at_once: int = 50
    idle_seconds: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """What watching works with. `channel` is where alerts go."""

    checks: Sequence[Check]
    channel: str
    store: Store
    queue: CheckQueue
    prober: Prober
    surroundings: Surroundings
    clock: Clock
    guard: Guard


class Watch:
    """The loop over due checks; every replica runs one."""

    def __init__(self, lookout: Lookout, settings: WatchSettings | None = None) -> None:
        self._lookout = lookout
        self._settings = settings or WatchSettings()
        self._slots = asyncio.Semaphore(self._settings.at_once)

    async def run(self) -> None:
        """Ask until cancelled. Raises StorageError only when the checks cannot be made known at all."""
        lookout = self._lookout
        await lookout.queue.schedule(lookout.checks, lookout.clock.now())
        async with asyncio.TaskGroup() as group:
            while True:
                for check in await self._due():
                    await self._slots.acquire()
                    group.create_task(self._ask(check), name=f"check {check.id}")

    async def ask(self, check: Check) -> Observation:
        """Ask one check now and store what follows."""
        seen = await self._lookout.prober.ask(check)
        seen = replace(seen, detail=clean(seen.detail, limit=300))
        async with self._lookout.store.transaction() as tx:
            record = await tx.checks.get(check.id, lock=True)
            if not record.stopped_by:
                await self._store(tx, check, record, seen)
        return seen

    async def _due(self) -> Sequence[Check]:
        lookout = self._lookout
        try:
            due = await lookout.queue.claim(
                lookout.checks, lookout.clock.now(), limit=self._settings.at_once
            )
            if not due:
                left = await lookout.queue.next_due(lookout.checks)
                idle = self._settings.idle_seconds
                seconds = idle if left is None else min(idle, max(0.01, left.total_seconds()))
                await lookout.clock.sleep(seconds)
        except StorageError as exc:
            _LOG.warning("cannot look for due checks: %s", exc.message)
            await lookout.clock.sleep(self._settings.idle_seconds)
            return ()
        return [check for check, _ in due]

    async def _ask(self, check: Check) -> None:
        async def asked() -> None:
            try:
                await self.ask(check)
            except StorageError as exc:
                _LOG.warning("the answer of %s is lost: %s", check.id, exc.message)

        try:
            await self._lookout.guard(f"check {check.id}", asked)
        finally:
            self._slots.release()

    async def _store(
        self, tx: Transaction, check: Check, record: CheckRecord, seen: Observation
    ) -> None:
        step = policy.observe(check, record, seen)
        await tx.checks.save(step.record)
        if step.flip is not None:
            await tx.checks.flipped(step.flip)
        alert = await tx.alerts.open_for(check.id)
        if alert is not None:
            await self._continue(tx, alert, step.record, seen)
        elif step.flip is not None and step.flip.new is CheckState.FAILING:
            await self._fire(tx, check, step.record, seen)

    async def _fire(
        self, tx: Transaction, check: Check, record: CheckRecord, seen: Observation
    ) -> None:
        since = record.first_bad_at or seen.at
        rollout = await self._lookout.surroundings.rollout_at(
            check.project, check.environment, since - _RECENT_ROLLOUT
        )
        alert = await tx.alerts.add(
            AlertDraft(
                check_id=check.id,
                name=check.name,
                project=check.project,
                environment=check.environment,
                channel=self._lookout.channel,
                since=since,
                seen=record.bad,
                reason=seen.detail,
                is_flapping=record.is_flapping,
                rollout=rollout,
            )
        )
        await tell(tx, alert, Urgency.FINAL, seen.at)
        await _audit(tx, alert, "alert.fired", seen.at, reason=seen.detail)

    async def _continue(
        self, tx: Transaction, alert: Alert, record: CheckRecord, seen: Observation
    ) -> None:
        """A silence hides what goes on, never the end of what people were told."""
        if record.state is CheckState.OK and not record.is_flapping:
            ended = await tx.alerts.save(
                replace(alert, state=AlertState.RESOLVED, resolved_at=seen.at, is_flapping=False)
            )
            await tell(tx, ended, Urgency.FINAL, seen.at)
            await _audit(tx, ended, "alert.resolved", seen.at)
            return
        if (
            seen.outcome in {Outcome.OK, Outcome.INCONCLUSIVE}
            and record.is_flapping == alert.is_flapping
        ):
            return
        missed = seen.outcome in {Outcome.FAILING, Outcome.ERROR}
        stored = await tx.alerts.save(
            replace(
                alert,
                seen=alert.seen + (1 if missed else 0),
                reason=seen.detail if missed else alert.reason,
                is_flapping=record.is_flapping,
            )
        )
        if not policy.is_silenced(stored, seen.at):
            await tell(tx, stored, Urgency.PROGRESS, seen.at)


async def tell(tx: Transaction, alert: Alert, urgency: Urgency, now: datetime) -> None:
    """Make the alert's message due, and at its end the reply in its thread."""
    if not alert.channel:
        return
    kinds = (NoticeKind.CARD,) if alert.is_open else (NoticeKind.CARD, NoticeKind.ENDED)
    for kind in kinds:
        notice = Notice(subject=alert.label, kind=kind, channel=alert.channel, urgency=urgency)
        await tx.notices.put(notice, now)


async def _audit(tx: Transaction, alert: Alert, action: str, now: datetime, **detail: str) -> None:
    event = AuditEvent(at=now, actor=SYSTEM, action=action, subject=alert.label, detail=detail)
    await tx.audit.add(event)
