"""Finds rollouts that need carrying out, and carries out as many at once as it may.

Crash-only: every phase is stored before it is begun, so a worker that stops anywhere, by a kill, a
deploy of the bot or a lost database, leaves a rollout that the next one takes over when the lease ends.
How a single rollout is carried out is in `carrier`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from operations.actor import SYSTEM
from operations.clock import Clock
from operations.deployment.carrier import Carrier
from operations.deployment.failures import Failures, Unheard
from operations.deployment.journal import announce, record
from operations.deployment.policy import closed_targets
from operations.deployment.ports import HealthProbe, Provider, RolloutQueue, Store
from operations.deployment.rollout import Phase, Rollout, RolloutState
from operations.deployment.target import Catalog
from operations.deployment.tenure import Desk, Pace, Tenure
from operations.errors import LeaseLost, StorageError, UnknownTarget
from operations.guard import Guard

_LOG = logging.getLogger("hms.worker")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """`at_once` rollouts are carried out together; `idle_seconds` pass between looks for new work."""

    at_once: int = 50
    idle_seconds: float = 1.0
    pace: Pace = field(default_factory=Pace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What a worker works with."""

    catalog: Catalog
    providers: Mapping[str, Provider]
    store: Store
    queue: RolloutQueue
    probe: HealthProbe
    clock: Clock
    failures: Failures = field(default_factory=Unheard)


class Worker:
    """Claims rollouts by lease and carries them out. `owner` names this process in leases."""

    def __init__(
        self, owner: str, workshop: Workshop, guard: Guard, settings: WorkerSettings | None = None
    ) -> None:
        self._owner = owner
        self._shop = workshop
        self._guard = guard
        self._settings = settings or WorkerSettings()
        self._slots = asyncio.Semaphore(self._settings.at_once)

    async def run(self) -> None:
        """Work until cancelled; then hand over what is under way."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._slots.acquire()
                rollout = await self._next()
                group.create_task(self._carry(rollout, self._slots.release), name=rollout.name)

    async def carry_out(self, rollout_id: int) -> None:
        """Carry out this one rollout, unless another worker does; returns when it has ended.

        For the command line, which works with or without a bot running.
        """
        while True:
            rollout = await self._claim(only=rollout_id)
            if rollout is not None:
                await self._carry(rollout, lambda: None)
            async with self._shop.store.snapshot() as tx:
                current = await tx.rollouts.get(rollout_id)
            if current is None or current.has_ended:
                return
            await self._wait()

    async def _next(self) -> Rollout:
        while True:
            rollout = await self._claim(only=None)
            if rollout is not None:
                return rollout
            await self._wait()

    async def _claim(self, only: int | None) -> Rollout | None:
        now = self._shop.clock.now()
        until = now + timedelta(seconds=self._settings.pace.lease_seconds)
        try:
            return await self._shop.queue.claim(
                self._owner, now, until, only=only, closed=self._closed()
            )
        except StorageError as exc:
            _LOG.warning("cannot look for work: %s", exc.message)
            await self._shop.clock.sleep(self._settings.idle_seconds)
            return None

    async def _wait(self) -> None:
        await self._shop.queue.wait(self._settings.idle_seconds, closed=self._closed())

    def _closed(self) -> frozenset[str]:
        return closed_targets(self._shop.catalog.targets, self._shop.clock.now())

    async def _carry(self, rollout: Rollout, done: Callable[[], None]) -> None:
        try:
            reference = await self._guard(rollout.name, lambda: self._carry_guarded(rollout))
            if reference:
                await self._guard(f"{rollout.name} end", lambda: self._give_up(rollout, reference))
        finally:
            done()

    async def _carry_guarded(self, rollout: Rollout) -> None:
        try:
            target = self._shop.catalog.find(rollout.project, rollout.environment)
        except UnknownTarget:
            await self._end_unconfigured(rollout, "no longer configured")
            return
        if target.provider != rollout.provider:
            await self._end_unconfigured(rollout, f"deployed by {target.provider} by now")
            return
        provider = self._shop.providers[target.provider]
        pace = self._settings.pace
        desk = Desk(self._shop.store, self._shop.queue, self._shop.failures)
        tenure = Tenure(rollout, desk, self._shop.clock, pace)
        try:
            await Carrier(tenure, target, provider, self._shop.probe).run()
        except LeaseLost:
            _LOG.info("%s is another worker's now", rollout.name)
        except StorageError as exc:
            _LOG.warning("%s waits for the database: %s", rollout.name, exc.message)

    async def _end_unconfigured(self, rollout: Rollout, why: str) -> None:
        """One that has steps was begun by another process, which may have told the platform anything."""
        begun = bool(rollout.steps)
        await self._end(
            rollout,
            RolloutState.UNKNOWN if begun else RolloutState.FAILED,
            f"{rollout.target_name} is {why}." + (" Look at the platform." if begun else ""),
            self._shop.failures,
        )

    async def _give_up(self, rollout: Rollout, reference: str) -> None:
        """A bug of ours must not be tried again and again, nor be called a failure of the release.

        It is an error of HMS-SYS itself, and in the log already.
        """
        await self._end(
            rollout,
            RolloutState.UNKNOWN,
            f"An error inside HMS-SYS ({reference}). Look at the platform.",
            Unheard(),
        )

    async def _end(
        self, rollout: Rollout, state: RolloutState, outcome: str, failures: Failures
    ) -> None:
        async with self._shop.store.transaction() as tx:
            now = self._shop.clock.now()
            current = await tx.rollouts.get(rollout.id, lock=True)
            if (
                current is None
                or current.has_ended
                or current.lease is None
                or rollout.lease is None
            ):
                return
            if current.lease.number != rollout.lease.number:
                return
            ended = await tx.rollouts.save(
                replace(current, state=state, phase=Phase.DONE, ended_at=now, outcome=outcome)
            )
            await record(tx, ended, f"rollout.{state.value}", SYSTEM, now, outcome=outcome)
            await announce(tx, ended, now)
            await failures.add(tx, ended, now)
