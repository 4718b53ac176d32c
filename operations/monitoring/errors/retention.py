"""How long the central log is kept. What is too old goes in small steps, so that nobody waits for long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from operations.clock import Clock
from operations.errors import StorageError

STEP = 2000
"""Rows that go in one transaction."""
_BREATH = 0.02
"""Seconds between two steps, for those who want to write."""
_MINUTES_KEPT = timedelta(days=2)
BATCHES_KEPT = timedelta(days=1)
"""For so long the key of a batch is known."""
_GROUPS_KEPT = timedelta(days=7)
"""At least, after it was seen last: messages that name a group and have its buttons are read for so long."""
_MEGABYTE = 1_000_000
_LOOK_AHEAD = 200 * _MEGABYTE
"""Looking further back for what is too old takes a database of small events more than a second."""


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

    async def time_after(self, size: int) -> datetime | None:
        """Before which there are so many bytes of single events, or hardly more; None: there are not."""
        ...

    async def samples(self, before: datetime, limit: int) -> int:
        """Samples of errors."""
        ...

    async def hours(self, before: datetime, limit: int) -> int:
        """Hour counts of groups and of targets."""
        ...

    async def minutes(self, before: datetime, limit: int) -> int:
        """Minute counts of targets, and how many groups began on them in an hour."""
        ...

    async def batches(self, before: datetime, limit: int) -> int:
        """Keys of batches that could come again."""
        ...

    async def imported(self, before: datetime, limit: int) -> int:
        """Which lines of old logs were imported: an import leaves what is older out."""
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
        """All that is due now. What cannot be done keeps nothing else from it; raises StorageError then."""
        purges, keep, now = self._purges, self._keep, self._clock.now()
        steps = (
            partial(self._repeat, purges.events, now - keep.events),
            self._shrink,
            partial(self._repeat, purges.samples, now - keep.samples),
            partial(self._repeat, purges.minutes, now - _MINUTES_KEPT),
            partial(self._repeat, purges.hours, now - keep.counts),
            partial(self._repeat, purges.batches, now - BATCHES_KEPT),
            partial(self._repeat, purges.imported, now - keep.counts),
            partial(self._repeat, purges.groups, now - max(keep.counts, _GROUPS_KEPT)),
        )
        trouble: StorageError | None = None
        for step in steps:
            try:
                await step()
            except StorageError as exc:
                trouble = trouble or exc
        if trouble is not None:
            raise trouble

    async def _repeat(
        self, purge: Callable[[datetime, int], Awaitable[int]], before: datetime
    ) -> None:
        while await purge(before, STEP) >= STEP:
            await self._clock.sleep(_BREATH)

    async def _shrink(self) -> None:
        """By age too: several who do it at once agree on how old is too old, and none takes more."""
        purges, most = self._purges, self._keep.megabytes * _MEGABYTE
        while (excess := await purges.events_size() - most) > 0:
            before = await purges.time_after(min(excess, _LOOK_AHEAD))
            if before is None:
                return
            await self._repeat(purges.events, before)
            await self._clock.sleep(_BREATH)
