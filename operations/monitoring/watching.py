"""The loop over due checks: asks them, so many at once, and has the answers stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.clock import Clock
from operations.errors import StorageError
from operations.guard import Guard
from operations.monitoring import policy
from operations.monitoring.check import Check, Observation, Outcome
from operations.monitoring.consequences import Answer, Consequences
from operations.monitoring.ports import CheckQueue, Prober, Store, Surroundings
from operations.monitoring.unwatched import end_unwatched
from operations.redaction import clean

_LOG = logging.getLogger("hms.checks")
_RECENT_ROLLOUT = timedelta(minutes=30)
_STEP_BACK = timedelta(seconds=1)
"""Of the clock. What is less is no more late than checks may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchSettings:
    """`at_once` checks are asked together; nothing waits longer than `idle_seconds` for the next look.

    Looks are at least `pause_seconds` apart, so that each takes all that fell due meanwhile. `at_once`
    must not exceed what the prober can have open at once.
    """

    at_once: int = 100
    idle_seconds: float = 1.0
    pause_seconds: float = 0.25


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
    """Asks what is due; every replica runs one."""

    def __init__(self, lookout: Lookout, settings: WatchSettings | None = None) -> None:
        self._lookout = lookout
        self._settings = settings or WatchSettings()
        self._consequences = Consequences(lookout.checks, lookout.channel)
        self._free = self._settings.at_once
        self._freed = asyncio.Event()
        self._seen = lookout.clock.now()

    async def run(self) -> None:
        """Ask until cancelled. Raises StorageError only when the checks cannot be made known at all."""
        lookout = self._lookout
        configured = [check.id for check in lookout.checks]
        await end_unwatched(configured, lookout.store, lookout.clock)
        while not lookout.checks:
            await lookout.clock.sleep(60)
        await lookout.queue.schedule(lookout.checks, lookout.clock.now())
        async with asyncio.TaskGroup() as group:
            while True:
                await self._until_free()
                limit = self._free
                due = await self._claim(limit)
                for check in due:
                    self._free -= 1
                    group.create_task(self._ask(check), name=f"check {check.id}")
                if len(due) < limit:
                    await lookout.clock.sleep(await self._seconds_until_due())

    async def ask(self, check: Check) -> Observation:
        """Ask one check now and store what follows; returns what was seen."""
        seen = await self._lookout.prober.ask(check)
        seen = replace(seen, detail=clean(seen.detail, limit=300))
        answer = await self._put_in_context(check, seen)
        async with self._lookout.store.transaction() as tx:
            await self._consequences.store(tx, answer)
        return seen

    async def _until_free(self) -> None:
        while not self._free:
            self._freed.clear()
            await self._freed.wait()

    async def _claim(self, limit: int) -> Sequence[Check]:
        """No more than can be begun at once: another replica may have room for the rest."""
        lookout = self._lookout
        try:
            now = await self._look_at_clock()
            due = await lookout.queue.claim(lookout.checks, now, limit=limit)
        except StorageError as exc:
            _LOG.warning("cannot look for due checks: %s", exc.message)
            return ()
        return [check for check, _ in due]

    async def _look_at_clock(self) -> datetime:
        """What was put off while the clock was ahead would be asked by nobody until it is there again."""
        now = self._lookout.clock.now()
        if now < self._seen - _STEP_BACK:
            await self._lookout.queue.schedule(self._lookout.checks, now)
        self._seen = now
        return now

    async def _seconds_until_due(self) -> float:
        idle = self._settings.idle_seconds
        try:
            left = await self._lookout.queue.next_due(self._lookout.checks)
        except StorageError:
            return idle
        if left is None:
            return idle
        return min(idle, max(self._settings.pause_seconds, left.total_seconds()))

    async def _ask(self, check: Check) -> None:
        async def asked() -> None:
            try:
                await self.ask(check)
            except StorageError as exc:
                _LOG.warning("the answer of %s is lost: %s", check.id, exc.message)

        try:
            await self._lookout.guard(f"check {check.id}", asked)
        finally:
            self._free += 1
            self._freed.set()

    async def _put_in_context(self, check: Check, seen: Observation) -> Answer:
        """With the rollout to name, when an alert seems to follow.

        Looked up before the writing transaction, which must not wait for another connection.
        """
        answer = Answer(check=check, seen=seen)
        if seen.outcome is Outcome.OK:
            return answer
        async with self._lookout.store.snapshot() as tx:
            record = await tx.checks.get(check.id)
        step = policy.observe(check, record, seen)
        if policy.begins_to_fail(step):
            since = step.record.first_bad_at or seen.at
            return replace(answer, rollout=await self._rollout_at(check, since - _RECENT_ROLLOUT))
        if policy.is_long_unasked(check, step.record, seen.at):
            return replace(answer, is_changing=bool(await self._rollout_at(check, seen.at)))
        return answer

    async def _rollout_at(self, check: Check, since: datetime) -> str:
        return await self._lookout.surroundings.rollout_at(check.project, check.environment, since)
