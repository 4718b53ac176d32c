"""What a hook said before, so that a delivery that is repeated counts once."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from operations.clock import Clock
from operations.deployment.ports import Store
from operations.deployment.repeats import Repeat
from operations.errors import VersionConflict


class Replays:
    """Remembers deliveries beside keyed requests, and for as long."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def once(self, system: str, delivery: str, work: Callable[[], Awaitable[None]]) -> bool:
        """Do it unless it was done; it is remembered when it is done, so a kill may repeat it."""
        component = f"hook:{system}"
        key = hashlib.sha256(delivery.encode("utf-8", "replace")).hexdigest()
        async with self._store.snapshot() as tx:
            if await tx.repeats.get(component, key) is not None:
                return False
        await work()
        done = Repeat(
            component=component,
            key=key,
            body_hash=key,
            answer="",
            rollout_id=0,
            at=self._clock.now(),
        )
        try:
            async with self._store.transaction() as tx:
                await tx.repeats.add(done)
        except VersionConflict:
            return False
        return True
