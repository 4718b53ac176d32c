"""How long the central log is kept. What is too old goes in small steps, so that nobody waits for long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from operations.clock import Clock

STEP = 2000
"""Rows that go in one transaction."""
_BREATH = 0.02
"""Seconds between two steps, for those who want to write."""
_MINUTES_KEPT = timedelta(days=2)
_MEGABYTE = 1_000_000


class Purges(Protocol):
    """Deleting, the oldest first and at most so many rows. Each call is a transaction of its own.

    Each returns how many rows went; several replicas may call at once.
    """

    async def events(self, before: datetime, limit: int) -> int:
        """Single events from before a time."""
        ...

    async def events_size(self) -> int:
        """Bytes of all single events, about."""
        ...

    async def oldest_events(self, limit: int) -> int:
        """Whatever their age; returns the bytes that went."""
        ...

    async def samples(self, before: datetime, limit: int) -> int:
        """Samples of errors."""
        ...

    async def hours(self, before: datetime, limit: int) -> int:
        """Hour counts of groups and of targets."""
        ...

    async def minutes(self, before: datetime, limit: int) -> int:
        """Minute counts of targets."""
        ...

    async def groups(self, before: datetime, limit: int) -> int:
        """Groups that were not seen since and have no counts left."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long things are kept. When single events are more than `megabytes`, the oldest go."""

    events: timedelta
    samples: timedelta
    counts: timedelta
    megabytes: int


class Retention:
    """Lets go of what is too old. Safe to run in every process."""

    def __init__(self, purges: Purges, keep: Keep, clock: Clock) -> None:
        self._purges = purges
        self._keep = keep
        self._clock = clock

    async def sweep(self) -> None:
        """All that is due now."""
        purges, keep, now = self._purges, self._keep, self._clock.now()
        await self._repeat(purges.events, now - keep.events)
        await self._shrink()
        await self._repeat(purges.samples, now - keep.samples)
        await self._repeat(purges.minutes, now - _MINUTES_KEPT)
        await self._repeat(purges.hours, now - keep.counts)
        await self._repeat(purges.groups, now - keep.counts)

    async def _repeat(
        self, purge: Callable[[datetime, int], Awaitable[int]], before: datetime
    ) -> None:
        while await purge(before, STEP) >= STEP:
            await self._clock.sleep(_BREATH)

    async def _shrink(self) -> None:
        excess = await self._purges.events_size() - self._keep.megabytes * _MEGABYTE
        while excess > 0:
            freed = await self._purges.oldest_events(STEP)
            if not freed:
                return
            excess -= freed
            await self._clock.sleep(_BREATH)
