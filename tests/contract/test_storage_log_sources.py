"""Logs that are read: each by one reader at a time, from where the last one stored that it was."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from operations.errors import LeaseLost, StorageError
from operations.monitoring.errors.log_ports import LogClaim
from storage.database import Database
from tests.factories import NOON

pytest_plugins = ("tests.contract.database_fixtures",)

SECOND = timedelta(seconds=1)
SPAN = 60 * SECOND
IDS = ("pods:myapp/prod", "site:shop/prod")


async def claim(database: Database, now: datetime = NOON, *, limit: int = 10) -> list[LogClaim]:
    return list(await database.log_queue.claim(IDS, now, span=SPAN, limit=limit))


async def move(database: Database, held: LogClaim, cursor: str, due_at: datetime) -> None:
    async with database.store.transaction() as tx:
        await tx.log_sources.move(held, cursor, due_at)


async def test_a_new_source_is_due_at_once_and_begins_without_a_cursor(database: Database) -> None:
    await database.log_queue.schedule(IDS, NOON)

    assert [(c.source_id, c.cursor, c.failures) for c in await claim(database)] == [
        (IDS[0], "", 0),
        (IDS[1], "", 0),
    ]


async def test_a_source_that_is_known_keeps_its_cursor(database: Database) -> None:
    await database.log_queue.schedule(IDS, NOON)
    held, _ = await claim(database)
    await move(database, held, "here", NOON + SECOND)

    await database.log_queue.schedule(IDS, NOON + SECOND)

    (again,) = await claim(database, NOON + SECOND)
    assert again.cursor == "here"


async def test_a_claimed_source_is_nobody_elses(database: Database) -> None:
    await database.log_queue.schedule(IDS, NOON)
    await claim(database)

    assert await claim(database, NOON + SPAN - SECOND) == []


async def test_a_clock_that_was_ahead_for_a_while_stops_no_reading(database: Database) -> None:
    ahead = NOON + timedelta(days=1)
    await database.log_queue.schedule(IDS, NOON)
    moved, _ = await claim(database, ahead)
    await move(database, moved, "here", ahead + SECOND)

    assert {each.source_id for each in await claim(database, NOON + SECOND)} == set(IDS)
    assert await claim(database, NOON + SECOND) == []


async def test_two_who_claim_at_once_share_the_sources(database: Database) -> None:
    await database.log_queue.schedule(IDS, NOON)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(claim(database)) for _ in range(4)]

    assert sorted(c.source_id for task in tasks for c in task.result()) == sorted(IDS)


async def test_no_more_than_asked_for_is_claimed(database: Database) -> None:
    await database.log_queue.schedule(IDS, NOON)

    assert len(await claim(database, limit=1)) == 1


async def test_a_source_that_is_configured_no_more_is_not_read(database: Database) -> None:
    await database.log_queue.schedule([*IDS, "pods:old/prod"], NOON)

    assert {c.source_id for c in await claim(database)} == set(IDS)


async def test_the_claim_of_a_killed_reader_runs_out(database: Database) -> None:
    await database.log_queue.schedule(IDS, NOON)
    await claim(database)

    assert len(await claim(database, NOON + SPAN)) == 2


async def test_a_reader_who_is_too_late_is_refused(database: Database) -> None:
    await database.log_queue.schedule(IDS, NOON)
    late, _ = await claim(database)
    newer, _ = await claim(database, NOON + SPAN)

    with pytest.raises(LeaseLost):
        await move(database, late, "late", NOON + SPAN)

    await move(database, newer, "newer", NOON + SPAN)
    (again,) = await claim(database, NOON + SPAN)
    assert again.cursor == "newer"


async def test_a_read_is_due_again_when_it_was_said(database: Database) -> None:
    await database.log_queue.schedule(IDS, NOON)
    for held in await claim(database):
        await move(database, held, "x", NOON + 5 * SECOND)

    assert await claim(database, NOON + 4 * SECOND) == []
    assert len(await claim(database, NOON + 5 * SECOND)) == 2


async def test_failures_are_counted_from_the_first_one_on(database: Database) -> None:
    await database.log_queue.schedule(IDS[:1], NOON)
    for minute in range(2):
        now = NOON + minute * SPAN
        (held,) = await claim(database, now)
        await database.log_queue.put_off(held, now + SPAN, error="down", now=now)

    (held,) = await claim(database, NOON + 2 * SPAN)
    assert (held.failures, held.failing_since, held.cursor) == (2, NOON, "")


async def test_a_read_that_succeeds_ends_the_failures(database: Database) -> None:
    await database.log_queue.schedule(IDS[:1], NOON)
    (held,) = await claim(database)
    await database.log_queue.put_off(held, NOON, error="down", now=NOON)
    (held,) = await claim(database)
    await move(database, held, "x", NOON)

    (held,) = await claim(database)
    assert (held.failures, held.failing_since) == (0, None)


async def test_what_is_put_off_without_an_error_has_not_failed(database: Database) -> None:
    await database.log_queue.schedule(IDS[:1], NOON)
    (held,) = await claim(database)
    await database.log_queue.put_off(held, NOON, now=NOON)

    (held,) = await claim(database)
    assert (held.failures, held.failing_since) == (0, None)


async def test_one_who_is_too_late_puts_nothing_off(database: Database) -> None:
    await database.log_queue.schedule(IDS[:1], NOON)
    (late,) = await claim(database)
    (newer,) = await claim(database, NOON + SPAN)

    await database.log_queue.put_off(late, NOON, error="down", now=NOON)

    await move(database, newer, "newer", NOON)


async def test_a_reading_transaction_moves_nothing(database: Database) -> None:
    await database.log_queue.schedule(IDS[:1], NOON)
    (held,) = await claim(database)

    async with database.store.snapshot() as tx:
        with pytest.raises(StorageError):
            await tx.log_sources.move(held, "x", NOON)
