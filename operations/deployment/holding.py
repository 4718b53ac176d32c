"""Tells people of rollouts that everybody agreed to and that a lock or a window now holds back.

The claim itself decides (`RolloutQueue.claim`); here only the cards are brought up to date when that changes.
"""

from __future__ import annotations

from datetime import datetime

from operations.deployment.journal import announce
from operations.deployment.policy import hold_obstacle
from operations.deployment.ports import Transaction
from operations.deployment.resources import Resources
from operations.deployment.rollout import Rollout, RolloutState
from operations.deployment.start_time import is_early
from operations.deployment.target import Catalog
from operations.errors import Refused, UnknownTarget


async def find_hold(
    tx: Transaction, catalog: Catalog, rollout: Rollout, now: datetime
) -> Refused | None:
    """What holds it back now; None: nothing, it does not wait in the queue, or its time has not come."""
    if rollout.state is not RolloutState.QUEUED or is_early(rollout, now):
        return None
    try:
        target = catalog.find(rollout.project, rollout.environment)
    except UnknownTarget:
        return None
    lock = await tx.locks.get(target.project, target.environment, now)
    return hold_obstacle(rollout, target, lock, now)


class Holding:
    """Remembers what was told; a new process tells each once more, which changes no card."""

    def __init__(self, resources: Resources) -> None:
        self._catalog = resources.catalog
        self._store = resources.store
        self._clock = resources.clock
        self._told: dict[int, str] = {}

    async def tell(self) -> None:
        """Make the cards due of those that are held back, or held back no more, since the last time."""
        async with self._store.snapshot() as tx:
            found = {r.id: await self._why(tx, r) for r in await tx.rollouts.queued()}
        changed = [each for each, why in found.items() if why != self._told.get(each, "")]
        if changed:
            await self._announce(changed)
        self._told = {each: why for each, why in found.items() if why}

    async def _why(self, tx: Transaction, rollout: Rollout) -> str:
        obstacle = await find_hold(tx, self._catalog, rollout, self._clock.now())
        return obstacle.message if obstacle else ""

    async def _announce(self, changed: list[int]) -> None:
        async with self._store.transaction() as tx:
            for rollout_id in changed:
                current = await tx.rollouts.get(rollout_id, lock=True)
                if current is not None and current.state is RolloutState.QUEUED:
                    await announce(tx, current, self._clock.now())
