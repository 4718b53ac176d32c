"""A batch of events that comes again under its key counts once, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from operations.errors import Refused
from operations.monitoring.errors.repeats import BatchKey
from operations.monitoring.errors.retention import Keep, Retention
from storage.database import Database, open_database
from tests.factories import NOON
from tests.unit.operations.monitoring.errors.logbook import logbook_over, make_event
from tests.unit.operations.monitoring.lookouts import SteppedClock

pytest_plugins = ("tests.contract.database_fixtures",)

KEY = BatchKey("api:ci", "batch-1", "hash")
DAY = timedelta(days=1)


async def test_a_key_is_new_once_and_then_tells_what_it_came_with(database: Database) -> None:
    async with database.store.transaction() as tx:
        assert await tx.batch_keys.add(KEY, NOON) is None
    async with database.store.transaction() as tx:
        assert await tx.batch_keys.add(KEY, NOON) == "hash"
        assert await tx.batch_keys.add(BatchKey("api:ci", "batch-2", "hash"), NOON) is None
        assert await tx.batch_keys.add(BatchKey("api:other", "batch-1", "x"), NOON) is None


async def test_a_batch_that_comes_at_once_to_two_processes_counts_once(
    database_url: str, database: Database
) -> None:
    clock = SteppedClock()
    async with (
        await open_database(database_url) as second,
        logbook_over(database, clock) as one,
        logbook_over(second, clock) as other,
    ):
        async with asyncio.TaskGroup() as group:
            asked = [
                group.create_task(book.intake.take([make_event()] * 5, key=KEY))
                for book in (one, other, one, other)
            ]
        counts = [found.count for found in await one.groups()]

    assert counts == [5]
    assert sorted(task.result() for task in asked) == [False, False, False, True]


async def test_a_key_with_another_batch_is_refused_and_takes_no_others_along(
    database: Database,
) -> None:
    async with logbook_over(database, SteppedClock()) as book:
        await book.intake.take([make_event()], key=KEY)
        async with asyncio.TaskGroup() as group:
            plain = group.create_task(book.intake.take([make_event()]))
            with pytest.raises(Refused):
                await book.intake.take([make_event()] * 3, key=BatchKey("api:ci", "batch-1", "y"))

        assert plain.result()
        assert (await book.only_group()).count == 2


async def test_keys_go_after_a_day(database: Database) -> None:
    old = BatchKey("api:ci", "old", "hash")
    async with database.store.transaction() as tx:
        await tx.batch_keys.add(old, NOON - 2 * DAY)
        await tx.batch_keys.add(KEY, NOON)
    keep = Keep(events=DAY, samples=DAY, counts=DAY, megabytes=10)

    await Retention(database.error_purges, keep, SteppedClock()).sweep()

    async with database.store.transaction() as tx:
        assert await tx.batch_keys.add(old, NOON) is None
        assert await tx.batch_keys.add(KEY, NOON) == "hash"
