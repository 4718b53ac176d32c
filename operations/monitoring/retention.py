"""How long it is kept that another system's alert was there: its record, and when it came and went.

The alert itself and the audit trail are kept for good. A sender names each alert as it likes, so that the
records grow with what it ever said; those of our own checks are as many as are configured.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from operations.clock import Clock

ENDED_KEPT = timedelta(days=90)

STEP = 500
"""Records that go in one transaction."""
_BREATH = 0.02
"""Seconds between two steps, for those who want to write."""


class RecordPurges(Protocol):
    """Deleting what is not needed any more. Each call is a transaction of its own."""

    async def vendor_records(self, before: datetime, limit: int) -> int:
        """Records of other systems' alerts that ended before, with their flips; how many records went."""
        ...


class Retention:
    """Lets go of what is too old. Safe to run in every process."""

    def __init__(self, purges: RecordPurges, clock: Clock) -> None:
        self._purges = purges
        self._clock = clock

    async def sweep(self) -> None:
        """All that is due now; raises StorageError."""
        before = self._clock.now() - ENDED_KEPT
        while await self._purges.vendor_records(before, STEP) >= STEP:
            await self._clock.sleep(_BREATH)
