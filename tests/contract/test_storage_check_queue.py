"""Which checks are due: spread, once each, never twice for what was missed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from operations.monitoring.check import Check
from storage.database import Database, open_database
from tests.contract.databases import PostgresServer
from tests.factories import NOON
from tests.unit.operations.monitoring.lookouts import EVERY, SECOND, SteppedClock, make_check

pytest_plugins = ("tests.contract.database_fixtures",)

CHECK = make_check()


def make_checks(count: int) -> list[Check]:
    return [make_check(id=f"myapp/prod:c{number:04}") for number in range(count)]


async def due_at(database: Database, check: Check = CHECK) -> datetime:
    async with database.store.snapshot() as tx:
        found = (await tx.checks.get(check.id)).due_at
    assert found is not None
    return found


async def claim(
    database: Database, checks: Sequence[Check], now: datetime, limit: int = 100
) -> list[str]:
    return [check.id for check, _ in await database.check_queue.claim(checks, now, limit=limit)]


async def test_the_first_time_is_within_one_interval(database: Database) -> None:
    await database.check_queue.schedule([CHECK], NOON)

    assert NOON <= await due_at(database) < NOON + EVERY


async def test_first_times_are_spread_over_the_interval(database: Database) -> None:
    checks = make_checks(600)
    await database.check_queue.schedule(checks, NOON)

    async with database.store.snapshot() as tx:
        times = [record.due_at for record in await tx.checks.all()]
    by_second = Counter((time - NOON) // SECOND for time in times if time)

    assert len(by_second) == 30
    assert max(by_second.values()) < 45  # 20 would be even


async def test_first_times_do_not_depend_on_when_the_bot_started(database: Database) -> None:
    later = make_check(id="myapp/prod:other")
    await database.check_queue.schedule([CHECK], NOON)
    first = await due_at(database)

    await database.check_queue.schedule([CHECK, later], NOON + 7 * SECOND)
    await database.check_queue.schedule([later], NOON + 65 * SECOND)

    assert await due_at(database) == first
    assert NOON + 7 * SECOND <= await due_at(database, later) < NOON + 37 * SECOND


async def test_a_check_that_is_asked_more_often_now_does_not_wait_for_its_old_time(
    database: Database,
) -> None:
    await database.check_queue.schedule([replace(CHECK, every=timedelta(days=300))], NOON)

    await database.check_queue.schedule([CHECK], NOON)

    assert await due_at(database) < NOON + EVERY


async def test_what_is_not_due_is_not_taken(database: Database) -> None:
    await database.check_queue.schedule([CHECK], NOON)
    due = await due_at(database)

    assert await claim(database, [CHECK], due - timedelta(microseconds=1)) == []
    assert await claim(database, [CHECK], due) == [CHECK.id]


async def test_a_claim_tells_the_time_it_was_due_and_sets_the_next(database: Database) -> None:
    await database.check_queue.schedule([CHECK], NOON)
    due = await due_at(database)

    taken = await database.check_queue.claim([CHECK], due + SECOND, limit=1)

    assert taken == [(CHECK, due)]
    assert await due_at(database) == due + EVERY


async def test_a_late_check_skips_what_it_missed_and_keeps_its_beat(database: Database) -> None:
    await database.check_queue.schedule([CHECK], NOON)
    due = await due_at(database)

    assert await claim(database, [CHECK], due + 10 * EVERY + SECOND) == [CHECK.id]

    assert await due_at(database) == due + 11 * EVERY


async def test_what_was_due_first_is_taken_first(database: Database) -> None:
    checks = make_checks(30)
    await database.check_queue.schedule(checks, NOON)
    far = NOON + 2 * EVERY
    times = {check.id: await due_at(database, check) for check in checks}

    taken = await claim(database, checks, far, limit=12)
    rest = await claim(database, checks, far, limit=100)

    assert taken + rest == sorted(times, key=lambda check_id: times[check_id])


async def test_checks_that_are_not_configured_here_are_left_alone(database: Database) -> None:
    other = make_check(id="it's/“gone”:\\")
    await database.check_queue.schedule([CHECK, other], NOON)

    assert await claim(database, [CHECK], NOON + EVERY) == [CHECK.id]
    assert await claim(database, [], NOON + EVERY) == []
    assert await claim(database, [other], NOON + EVERY) == [other.id]


async def test_a_stopped_check_is_not_due_until_it_is_started(database: Database) -> None:
    await database.check_queue.schedule([CHECK], NOON)
    async with database.store.transaction() as tx:
        record = await tx.checks.get(CHECK.id, lock=True)
        await tx.checks.save(replace(record, stopped_by="U01ALICE"))
    assert await claim(database, [CHECK], NOON + EVERY) == []
    assert await database.check_queue.next_due([CHECK]) is None

    async with database.store.transaction() as tx:
        await tx.checks.save(record)

    assert await claim(database, [CHECK], NOON + EVERY) == [CHECK.id]


async def test_a_check_that_was_stopped_before_any_bot_knew_it_is_scheduled(
    database: Database,
) -> None:
    async with database.store.transaction() as tx:
        await tx.checks.get(CHECK.id, lock=True)
    assert await claim(database, [CHECK], NOON + EVERY) == []

    await database.check_queue.schedule([CHECK], NOON)

    assert await claim(database, [CHECK], NOON + EVERY) == [CHECK.id]


async def test_how_long_until_the_next_is_told_by_the_clock(database_url: str) -> None:
    clock = SteppedClock()
    other = make_check(id="elsewhere/prod:web")
    async with await open_database(database_url, clock=clock) as database:
        assert await database.check_queue.next_due([CHECK]) is None
        await database.check_queue.schedule([CHECK, other], NOON)
        due = await due_at(database)

        assert await database.check_queue.next_due([CHECK]) == due - NOON
        clock.time = due + SECOND
        assert await database.check_queue.next_due([CHECK]) == -SECOND
        assert await database.check_queue.next_due([]) is None


async def test_many_who_look_at_once_take_each_check_once(database_url: str) -> None:
    checks = make_checks(60)
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):
        await here.check_queue.schedule(checks, NOON)
        taken: list[str] = []

        async def look(database: Database) -> None:
            for _ in range(6):
                taken.extend(await claim(database, checks, NOON + EVERY, limit=7))

        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(look(here if number % 2 else there))

    assert sorted(taken) == [check.id for check in checks]


async def test_many_who_start_at_once_agree_on_the_times(database_url: str) -> None:
    checks = make_checks(50)
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):
        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            for number in range(4):
                database = here if number % 2 else there
                configured = checks if number % 3 else checks[::-1]
                group.create_task(database.check_queue.schedule(configured, NOON))

        assert len(await claim(here, checks, NOON + EVERY)) == 50


async def test_a_claim_passes_over_a_check_whose_answer_is_being_stored(
    postgres_server: PostgresServer,
) -> None:
    """On PostgreSQL; on SQLite writers run one after another anyway."""
    other = make_check(id="elsewhere/prod:web")
    async with await open_database(postgres_server.create()) as database:
        await database.check_queue.schedule([CHECK, other], NOON)
        async with database.store.transaction() as tx:
            await tx.checks.get(CHECK.id, lock=True)
            async with asyncio.timeout(5):
                assert await claim(database, [CHECK, other], NOON + EVERY) == [other.id]
