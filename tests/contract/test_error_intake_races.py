"""Two processes take the same errors at once: one group each, all counted, nobody waits in a circle."""

from __future__ import annotations

import asyncio
import random

from operations.monitoring.errors.group import GroupQuery
from storage.database import Database, open_database
from tests.factories import ALICE
from tests.unit.operations.monitoring.errors.logbook import logbook_over, make_event, running
from tests.unit.operations.monitoring.lookouts import SteppedClock

pytest_plugins = ("tests.contract.database_fixtures",)

TARGETS = ("prod", "staging", "test")
KINDS = ("disk is full", "no answer", "bad order", "too late", "who knows")
CALLS, BATCH = 30, 20


async def test_errors_that_come_in_twice_at_once_are_one_group(
    database_url: str, database: Database
) -> None:
    chance = random.Random(3)  # noqa: S311 - an order of events, no secret
    clock = SteppedClock()
    async with (
        await open_database(database_url) as second,
        logbook_over(database, clock) as one,
        logbook_over(second, clock) as other,
        asyncio.TaskGroup() as group,
    ):
        for number in range(CALLS):
            events = [
                make_event(message=chance.choice(KINDS), environment=chance.choice(TARGETS))
                for _ in range(BATCH)
            ]
            group.create_task((one, other)[number % 2].take(*events))

        async with asyncio.timeout(20):
            while sum(g.count for g in await one.groups()) < CALLS * BATCH:  # noqa: ASYNC110 -- in the database
                await asyncio.sleep(0.01)
        groups = await one.groups()
        reports = await one.triage.list(GroupQuery(limit=100))

    assert len(groups) == len(TARGETS) * len(KINDS)
    assert sum(g.count for g in groups) == CALLS * BATCH
    assert sum(sum(report.hours) for report in reports) == CALLS * BATCH


async def test_people_and_errors_do_not_lose_each_other(
    database_url: str, database: Database
) -> None:
    clock = SteppedClock()
    async with (
        await open_database(database_url) as second,
        logbook_over(database, clock) as one,
        logbook_over(second, clock) as other,
    ):
        await one.take(make_event())
        async with asyncio.TaskGroup() as group:
            for _ in range(10):
                group.create_task(one.take(make_event()))
            group.create_task(other.triage.resolve(1, ALICE))
        found = await one.only_group()

    assert found.count == 11
    assert found.resolved_by == ALICE


async def test_two_processes_together_begin_no_more_new_groups_than_one_may(
    database_url: str, database: Database
) -> None:
    clock = SteppedClock()
    async with (
        await open_database(database_url) as second,
        logbook_over(database, clock) as one,
        logbook_over(second, clock) as other,
    ):
        intakes = (one.new_intake(new_groups=10), other.new_intake(new_groups=10))
        async with running(*intakes), asyncio.TaskGroup() as group:
            for number in range(CALLS):
                kinds = [f"{number} {n}" for n in range(4)]
                events = [make_event(fields={"fingerprint": kind}) for kind in kinds]
                group.create_task(intakes[number % 2].take(events))
        groups = await one.groups()

    assert sum(not g.is_other for g in groups) == 10
    assert [g.count for g in groups if g.is_other] == [CALLS * 4 - 10]
