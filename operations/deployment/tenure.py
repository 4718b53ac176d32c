"""A worker's hold on one rollout: its lease, and writes that are refused once the lease is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from operations.actor import SYSTEM
from operations.clock import Clock
from operations.deployment.failures import WENT_WRONG, Failures, Unheard
from operations.deployment.journal import announce, record
from operations.deployment.ports import RolloutQueue, Store
from operations.deployment.rollout import Phase, Rollout
from operations.deployment.way_back import find_live_since
from operations.errors import LeaseLost, OperationError

Change = Callable[[Rollout, datetime], Rollout]

CANCELLABLE = frozenset({Phase.FOLLOWING, Phase.VERIFYING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Spans in seconds. A lease is renewed thrice in its life; `look` is how soon a cancel is seen.

    `call` bounds one start or restore; `pause` is the first wait before a retry, doubled up to ten
    times itself; `grace` is given to a follower even when the deadline passed while nobody worked.
    `misses` health probes in a row that fail are a failure.
    """

    lease_seconds: float = 15.0
    look_seconds: float = 1.0
    call_seconds: float = 60.0
    pause_seconds: float = 1.0
    grace_seconds: float = 15.0
    misses: int = 3


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a rollout's changes are written."""

    store: Store
    queue: RolloutQueue
    failures: Failures = field(default_factory=Unheard)


_GIVE_BACK_SECONDS = 4.0
"""Within the ten seconds of a stop. On a machine whose disk is busy a commit may take more than two."""


class CancelAsked(Exception):
    """Somebody asked to stop what is being followed or verified."""


class Tenure:
    """Holds `rollout` as it was last stored. All writes of a worker go through here."""

    def __init__(self, rollout: Rollout, desk: Desk, clock: Clock, pace: Pace) -> None:
        if rollout.lease is None:
            raise LeaseLost(f"{rollout.name} was not claimed.")
        self.rollout = rollout
        self.clock = clock
        self.pace = pace
        self.was_begun = bool(rollout.steps)
        """Whether another worker began it before, who may have told the provider anything."""
        self._number = rollout.lease.number
        self._store = desk.store
        self._queue = desk.queue
        self._failures = desk.failures

    async def write(self, change: Change, action: str = "", **detail: str) -> None:
        """One transaction: row, notices and, for an `action`, an audit event; a failure where they are told.

        Raises LeaseLost when the lease is another's by now.
        """
        async with self._store.transaction() as tx:
            now = self.clock.now()
            current = await tx.rollouts.get(self.rollout.id, lock=True)
            if current is None or not self._is_ours(current):
                raise LeaseLost(f"{self.rollout.name} is another worker's now.")
            stored = await tx.rollouts.save(change(current, now))
            if stored.has_ended:
                detail |= {"outcome": stored.outcome, "state": stored.state.value}
            if action:
                await record(tx, stored, action, SYSTEM, now, **detail)
            await announce(tx, stored, now)
            if stored.state in WENT_WRONG:
                await self._failures.add(tx, stored, now)
        self.rollout = stored

    def _is_ours(self, current: Rollout) -> bool:
        """The lease is ours and the phase is the one we know.

        The phase differs when a write was committed while its own task was being cancelled: then what
        we are about to store rests on a past state, and whoever claims it next goes on from the row.
        """
        holds = current.lease is not None and current.lease.number == self._number
        return holds and current.phase is self.rollout.phase and not current.has_ended

    async def watch(self) -> None:
        """Renew the lease until cancelled; raises CancelAsked or LeaseLost."""
        renewed = self.clock.now()
        while True:
            await self.clock.sleep(self.pace.look_seconds)
            now = self.clock.now()
            if (now - renewed).total_seconds() >= self.pace.lease_seconds / 3:
                until = now + timedelta(seconds=self.pace.lease_seconds)
                await self._queue.renew(self.rollout, until)
                renewed = now
            if self.rollout.phase in CANCELLABLE and await self.is_cancelled():
                raise CancelAsked

    async def live_since(self, moment: datetime) -> Rollout | None:
        """What went live on the same target after that moment."""
        async with self._store.snapshot() as tx:
            return await find_live_since(tx, self.rollout.project, self.rollout.environment, moment)

    async def is_cancelled(self) -> bool:
        """Whether somebody has asked to stop it."""
        async with self._store.snapshot() as tx:
            current = await tx.rollouts.get(self.rollout.id)
        return current is not None and current.cancelled_by is not None

    async def give_back(self) -> None:
        """Let another worker take over at once. Best effort: a lease that is kept simply ends."""
        try:
            async with asyncio.timeout(_GIVE_BACK_SECONDS):
                await self._queue.release(self.rollout)
        except (OperationError, TimeoutError):
            return
