"""What is kept of checks, on both databases."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from operations.errors import StorageError
from operations.monitoring.check import CheckRecord, CheckState, Flip, Observation, Outcome
from storage.database import Database, open_database
from tests.factories import NOON
from tests.unit.operations.monitoring.lookouts import SECOND, make_check

pytest_plugins = ("tests.contract.database_fixtures",)

CHECK = make_check()
SEEN = Observation(
    outcome=Outcome.FAILING,
    at=NOON + SECOND,
    detail="answered 503, wanted 200 – “größer”",
    took=timedelta(milliseconds=120, microseconds=7),
)
FULL = CheckRecord(
    check_id=CHECK.id,
    state=CheckState.FAILING,
    bad=4,
    good=1,
    first_bad_at=NOON,
    flips=(NOON, NOON + SECOND),
    is_flapping=True,
    stopped_by="U01ALICE",
    last=SEEN,
)


async def save(database: Database, record: CheckRecord) -> None:
    async with database.store.transaction() as tx:
        await tx.checks.save(record)


async def read(database: Database, check_id: str = CHECK.id) -> CheckRecord:
    async with database.store.snapshot() as tx:
        return await tx.checks.get(check_id)


async def test_a_check_that_was_never_asked_has_an_empty_record(database: Database) -> None:
    assert await read(database) == CheckRecord(check_id=CHECK.id)


async def test_everything_comes_back_as_it_was_saved(database: Database) -> None:
    await save(database, FULL)

    assert await read(database) == FULL


async def test_saving_again_replaces_every_field(database: Database) -> None:
    await save(database, FULL)
    plain = CheckRecord(check_id=CHECK.id, state=CheckState.OK, good=1)

    await save(database, plain)

    assert await read(database) == plain


async def test_when_it_is_due_is_left_to_the_queue(database: Database) -> None:
    await database.check_queue.schedule([CHECK], NOON)
    due_at = (await read(database)).due_at

    await save(database, FULL)

    assert due_at is not None
    assert await read(database) == replace(FULL, due_at=due_at)


async def test_what_is_saved_is_seen_within_its_transaction(database: Database) -> None:
    async with database.store.transaction() as tx:
        await tx.checks.save(FULL)

        assert await tx.checks.get(CHECK.id) == FULL


async def test_all_records_come_by_id(database: Database) -> None:
    for name in ("b", "a"):
        await save(database, CheckRecord(check_id=name))

    async with database.store.snapshot() as tx:
        assert [record.check_id for record in await tx.checks.all()] == ["a", "b"]


async def test_flips_come_oldest_first_and_of_one_check(database: Database) -> None:
    states = [CheckState.UNKNOWN, CheckState.OK, CheckState.FAILING]
    flips = [
        Flip(check_id=CHECK.id, old=old, new=new, reason=new.value, at=NOON)
        for old, new in itertools.pairwise(states)
    ]
    async with database.store.transaction() as tx:
        for flip in flips:
            await tx.checks.flipped(flip)
        await tx.checks.flipped(replace(flips[0], check_id="another"))

    async with database.store.snapshot() as tx:
        assert await tx.checks.flips(CHECK.id) == flips


async def test_a_reading_transaction_changes_nothing(database: Database) -> None:
    async with database.store.snapshot() as tx:
        with pytest.raises(StorageError):
            await tx.checks.save(FULL)
        with pytest.raises(StorageError):
            await tx.checks.get(CHECK.id, lock=True)


async def test_nothing_is_lost_between_two_who_change_it_at_once(database_url: str) -> None:
    """Also when there is no row yet that could be held."""
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):

        async def miss(database: Database) -> None:
            async with database.store.transaction() as tx:
                record = await tx.checks.get(CHECK.id, lock=True)
                await tx.checks.save(replace(record, bad=record.bad + 1))

        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for number in range(8):
                group.create_task(miss(here if number % 2 else there))

        assert (await read(here)).bad == 8


async def test_stop_and_streaks_are_kept_when_the_bot_starts_again(database_url: str) -> None:
    async with await open_database(database_url) as database:
        await database.check_queue.schedule([CHECK], NOON)
        await save(database, FULL)

    async with await open_database(database_url) as database:
        await database.check_queue.schedule([CHECK], NOON + SECOND)

        assert replace(await read(database), due_at=None) == FULL
        assert await database.check_queue.claim([CHECK], NOON + timedelta(days=1), limit=9) == []
