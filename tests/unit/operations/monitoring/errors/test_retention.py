"""What the log keeps no longer goes, whatever else cannot be done."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from operations.errors import StorageUnavailable
from operations.monitoring.errors.retention import Keep, Retention
from tests.unit.operations.monitoring.lookouts import SteppedClock

DAY = timedelta(days=1)


class SlowPurges:
    """The port `Purges` over a log so large that one question is not answered in time."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def events(self, before: datetime, limit: int) -> int:
        """Done."""
        return self._do("events")

    async def events_size(self) -> int:
        """Not answered."""
        raise StorageUnavailable("The database did not answer in time.")

    async def time_after(self, size: int) -> datetime | None:
        """Nobody comes to ask."""
        raise AssertionError

    async def samples(self, before: datetime, limit: int) -> int:
        """Done."""
        return self._do("samples")

    async def hours(self, before: datetime, limit: int) -> int:
        """Done."""
        return self._do("hours")

    async def minutes(self, before: datetime, limit: int) -> int:
        """Done."""
        return self._do("minutes")

    async def batches(self, before: datetime, limit: int) -> int:
        """Done."""
        return self._do("batches")

    async def imported(self, before: datetime, limit: int) -> int:
        """Done."""
        return self._do("imported")

    async def groups(self, before: datetime, limit: int) -> int:
        """Done."""
        return self._do("groups")

    def _do(self, what: str) -> int:
        self.done.append(what)
        return 0


async def test_a_step_that_fails_keeps_no_other_from_being_taken() -> None:
    purges = SlowPurges()
    keep = Keep(events=DAY, samples=DAY, counts=DAY, megabytes=1)

    with pytest.raises(StorageUnavailable):
        await Retention(purges, keep, SteppedClock()).sweep()

    assert purges.done == ["events", "samples", "minutes", "hours", "batches", "imported", "groups"]
