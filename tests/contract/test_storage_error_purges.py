"""What the central log keeps no longer goes, and nothing else, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.retention import STEP, Keep, Retention
from storage.database import Database
from tests.contract.test_storage_errors import PLAIN, SAMPLE
from tests.factories import NOON
from tests.unit.operations.monitoring.lookouts import SteppedClock

pytest_plugins = ("tests.contract.database_fixtures",)

DAY = timedelta(days=1)
KEEP = Keep(events=7 * DAY, samples=30 * DAY, counts=365 * DAY, megabytes=10)
EVENT = LogEvent(
    project="myapp", environment="prod", level=Level.ERROR, message="x", at=NOON, source="pods"
)


async def sweep(database: Database, keep: Keep = KEEP) -> None:
    await Retention(database.error_purges, keep, SteppedClock()).sweep()


async def add_events(database: Database, *events: LogEvent) -> None:
    async with database.store.transaction() as tx:
        await tx.events.add([(event, None) for event in events])


async def test_events_go_by_age_in_as_many_steps_as_it_takes(database: Database) -> None:
    old = replace(EVENT, at=NOON - 8 * DAY)
    await add_events(database, *[old] * (STEP + 5), EVENT)
    of_one = await database.error_purges.events_size() // (STEP + 6)

    await sweep(database)

    assert await database.error_purges.events_size() == of_one


async def test_the_oldest_events_go_when_all_are_too_large(database: Database) -> None:
    large = [
        replace(EVENT, message="x" * 4000, at=NOON - timedelta(seconds=n)) for n in range(6000)
    ]
    await add_events(database, *large)
    assert await database.error_purges.events_size() > 20_000_000

    await sweep(database)

    assert 1_000_000 < await database.error_purges.events_size() <= 10_000_000
    assert await database.error_purges.events(NOON - timedelta(seconds=4000), 10) == 0
    assert await database.error_purges.events(NOON, 1) == 1


async def test_several_who_shrink_at_once_take_no_more_than_one_would(
    database: Database,
) -> None:
    large = [
        replace(EVENT, message="x" * 4000, at=NOON - timedelta(seconds=n)) for n in range(6000)
    ]
    await add_events(database, *large)
    keep = replace(KEEP, megabytes=20)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(sweep(database, keep))

    assert await database.error_purges.events_size() > 10_000_000


async def test_samples_go_by_age(database: Database) -> None:
    async with database.store.transaction() as tx:
        await tx.events.add_samples([(1, replace(SAMPLE, at=NOON - 31 * DAY)), (1, SAMPLE)])

    await sweep(database)

    async with database.store.snapshot() as tx:
        assert await tx.events.samples(1, limit=9) == [SAMPLE]


async def test_counts_go_by_age(database: Database) -> None:
    times = {NOON - 366 * DAY: 1, NOON - 3 * DAY: 10, NOON: 100}
    async with database.store.transaction() as tx:
        await tx.counts.count({1: times, 2: times})
        await tx.counts.count_targets({("myapp", "prod"): times})

    await sweep(database)

    ever = NOON - 999 * DAY
    async with database.store.snapshot() as tx:
        hours = {NOON - 3 * DAY: 10, NOON: 100}
        assert await tx.counts.hours([1, 2], ever) == {1: hours, 2: hours}
        assert await tx.counts.of_target_by_hours("myapp", "prod", ever) == 110
        assert await tx.counts.of_target("myapp", "prod", ever) == 100


async def test_groups_go_that_nobody_saw_for_a_year_and_that_have_no_counts(
    database: Database,
) -> None:
    old = NOON - 400 * DAY
    async with database.store.transaction() as tx:
        gone = await tx.groups.add(replace(PLAIN, first_seen=old, last_seen=old))
        seen = await tx.groups.add(replace(PLAIN, fingerprint="f2", first_seen=old))
        odd = await tx.groups.add(replace(PLAIN, fingerprint="f3", first_seen=old, last_seen=old))
        await tx.counts.count({gone.id: {old: 3}, odd.id: {NOON: 1}})

    await sweep(database)

    async with database.store.snapshot() as tx:
        assert await tx.groups.get(gone.id) is None
        assert await tx.groups.get(seen.id) is not None
        assert await tx.groups.get(odd.id) is not None


async def test_a_group_stays_for_a_week_however_short_counts_are_kept(database: Database) -> None:
    """Messages with its buttons are that old at most."""
    keep = replace(KEEP, counts=DAY)
    async with database.store.transaction() as tx:
        recent = await tx.groups.add(replace(PLAIN, last_seen=NOON - 6 * DAY))
        gone = await tx.groups.add(replace(PLAIN, fingerprint="f2", last_seen=NOON - 8 * DAY))

    await sweep(database, keep)

    async with database.store.snapshot() as tx:
        assert await tx.groups.get(recent.id) is not None
        assert await tx.groups.get(gone.id) is None


async def test_how_many_groups_began_goes_after_two_days(database: Database) -> None:
    old = NOON - 3 * DAY
    async with database.store.transaction() as tx:
        await tx.counts.count_newcomers("myapp", "prod", old, 7)
        await tx.counts.count_newcomers("myapp", "prod", NOON, 5)

    await sweep(database)

    async with database.store.snapshot() as tx:
        assert await tx.counts.newcomers("myapp", "prod", old) == 0
        assert await tx.counts.newcomers("myapp", "prod", NOON) == 5
