"""How long calls to components are kept. They go in small steps, so that nobody waits for long."""

from __future__ import annotations

from datetime import timedelta

from operations.clock import Clock
from operations.integration.webhooks.ports import DeliveryQueue

TAKEN_KEPT = timedelta(days=14)
DEAD_KEPT = timedelta(days=90)
"""Whoever has not asked for a call again by then never will; and each holds a whole document."""

STEP = 1000
"""Rows that go in one transaction."""
_BREATH = 0.02
"""Seconds between two steps, for those who want to write."""


class Retention:
    """Lets go of what is too old. Safe to run in every process."""

    def __init__(self, queue: DeliveryQueue, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock

    async def sweep(self) -> None:
        """All that is due now; raises StorageError."""
        now = self._clock.now()
        taken, dead = now - TAKEN_KEPT, now - DEAD_KEPT
        while await self._queue.forget(taken, dead_before=dead, limit=STEP) >= STEP:
            await self._clock.sleep(_BREATH)
