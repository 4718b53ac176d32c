"""Calls to components: made ready once, in order for each subject, whichever replica makes them."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from operations.actor import SYSTEM
from operations.audit import AuditEvent
from operations.integration.webhooks.delivery import Delivery, DeliveryState, Draft
from operations.integration.webhooks.retention import STEP, Retention
from storage.database import Database, open_database
from tests.unit.operations.monitoring.lookouts import SteppedClock

pytest_plugins = ("tests.contract.database_fixtures",)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def make_draft(subject: str = "D-1042", component: str = "hms-dev") -> Draft:
    return Draft(
        component=component,
        subject=subject,
        type="hms.rollout.requested",
        at=NOON,
        body='{"a": "ü"}',
    )


async def add(database: Database, *drafts: Draft) -> None:
    async with database.store.transaction() as tx:
        for draft in drafts:
            await tx.feeds.place(draft.component)
            await tx.feeds.advance(draft.component, 0, [draft], NOON)


async def claim(
    database: Database, now: datetime = NOON, components: tuple[str, ...] = ("hms-dev",)
) -> list[Delivery]:
    return list(await database.delivery_queue.claim(components, now, now + MINUTE, limit=10))


async def happen(database: Database, *subjects: str) -> None:
    async with database.store.transaction() as tx:
        for subject in subjects:
            event = AuditEvent(at=NOON, actor=SYSTEM, action="rollout.started", subject=subject)
            await tx.audit.add(event)


async def test_a_new_component_begins_at_the_end_of_the_trail(database: Database) -> None:
    await happen(database, "D-1", "D-2")

    async with database.store.transaction() as tx:
        assert await tx.feeds.place("hms-dev") == 2
        assert await tx.feeds.events_after(2, limit=10) == []


async def test_what_happens_afterwards_is_read_in_order(database: Database) -> None:
    async with database.store.transaction() as tx:
        await tx.feeds.place("hms-dev")
    await happen(database, "D-1", "A-7")

    async with database.store.transaction() as tx:
        place = await tx.feeds.place("hms-dev")
        events = await tx.feeds.events_after(place, limit=10)

    assert [(number, event.subject) for number, event in events] == [(1, "D-1"), (2, "A-7")]


async def test_a_call_comes_back_as_it_was_stored(database: Database) -> None:
    await add(database, make_draft())

    (found,) = await claim(database)

    assert found == Delivery(
        id=1,
        component="hms-dev",
        subject="D-1042",
        type="hms.rollout.requested",
        at=NOON,
        body='{"a": "ü"}',
        made_at=NOON,
        due_at=NOON,
    )


async def test_calls_about_one_subject_wait_for_each_other(database: Database) -> None:
    await add(database, make_draft("D-1"), make_draft("D-1"), make_draft("D-2"))

    first = await claim(database)

    assert [(d.id, d.subject) for d in first] == [(1, "D-1"), (3, "D-2")]
    assert await claim(database) == []
    await database.delivery_queue.delivered(first[0], NOON)
    assert [d.id for d in await claim(database)] == [2]


async def test_one_that_was_put_off_holds_those_behind_it_back(database: Database) -> None:
    await add(database, make_draft("D-1"), make_draft("D-1"))
    (first,) = await claim(database)

    await database.delivery_queue.put_off(first, NOON + 5 * MINUTE, "answered 503")

    assert await claim(database, NOON + MINUTE) == []
    (again,) = await claim(database, NOON + 5 * MINUTE)
    assert (again.id, again.attempts, again.last_error) == (1, 1, "answered 503")


async def test_a_dead_one_lets_the_next_go(database: Database) -> None:
    await add(database, make_draft("D-1"), make_draft("D-1"))
    (first,) = await claim(database)

    await database.delivery_queue.give_up(first, "answered 410")

    assert [d.id for d in await claim(database)] == [2]
    (dead,) = await database.delivery_queue.list("hms-dev", DeliveryState.DEAD, limit=10)
    assert (dead.id, dead.last_error) == (1, "answered 410")


async def test_dead_ones_are_sent_again_when_somebody_says_so(database: Database) -> None:
    await add(database, make_draft("D-1"))
    (first,) = await claim(database)
    await database.delivery_queue.give_up(first, "down")

    assert await database.delivery_queue.replay("hms-dev", NOON + MINUTE) == 1

    (again,) = await claim(database, NOON + MINUTE)
    assert (again.id, again.attempts, again.made_at) == (1, 0, NOON + MINUTE)


async def test_a_claim_runs_out(database: Database) -> None:
    await add(database, make_draft())
    await claim(database)

    assert await claim(database, NOON + timedelta(seconds=59)) == []
    assert len(await claim(database, NOON + MINUTE)) == 1


async def test_one_that_was_given_back_is_due_at_once(database: Database) -> None:
    await add(database, make_draft())
    (first,) = await claim(database)

    await database.delivery_queue.give_back(first)

    assert [d.attempts for d in await claim(database)] == [0]


async def test_components_that_are_not_served_here_are_left_alone(database: Database) -> None:
    await add(database, make_draft(component="gone"))

    assert await claim(database) == []


async def test_who_comes_late_does_not_revive_what_was_settled(database: Database) -> None:
    await add(database, make_draft())
    (first,) = await claim(database)
    await database.delivery_queue.delivered(first, NOON)

    await database.delivery_queue.put_off(first, NOON, "late")

    assert await claim(database) == []
    assert await database.delivery_queue.counts() == {"hms-dev": {DeliveryState.DELIVERED: 1}}


async def test_delivered_calls_are_forgotten_after_a_while(database: Database) -> None:
    await add(database, make_draft("D-1"), make_draft("D-2"))
    for found in await claim(database):
        await database.delivery_queue.delivered(found, NOON)

    assert await database.delivery_queue.forget(NOON, dead_before=NOON, limit=10) == 0
    assert await database.delivery_queue.forget(NOON + MINUTE, dead_before=NOON, limit=1) == 1
    assert await database.delivery_queue.forget(NOON + MINUTE, dead_before=NOON, limit=10) == 1


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_two_replicas_take_different_calls(database: Database, database_url: str) -> None:
    await add(database, *(make_draft(f"D-{n}") for n in range(1, 5)))

    async with await open_database(database_url) as other:
        ours = await database.delivery_queue.claim(["hms-dev"], NOON, NOON + MINUTE, limit=2)
        theirs = await other.delivery_queue.claim(["hms-dev"], NOON, NOON + MINUTE, limit=10)

    assert sorted(d.id for d in (*ours, *theirs)) == [1, 2, 3, 4]


async def test_what_nobody_serves_any_more_is_forgotten_too(database: Database) -> None:
    await add(database, make_draft(component="gone"))

    assert await database.delivery_queue.forget(NOON, dead_before=NOON, limit=10) == 0
    assert await database.delivery_queue.forget(NOON + MINUTE, dead_before=NOON, limit=10) == 1
    assert await database.delivery_queue.counts() == {}


async def test_dead_calls_go_after_a_time_of_their_own(database: Database) -> None:
    day = timedelta(days=1)
    await add(database, make_draft("D-1"), make_draft("D-2"))
    dead, waiting = await claim(database)
    await database.delivery_queue.give_up(dead, "answered 410")
    await database.delivery_queue.delivered(waiting, NOON + 80 * day)
    clock = SteppedClock()

    clock.time = NOON + 90 * day
    await Retention(database.delivery_queue, clock).sweep()
    assert await database.delivery_queue.counts() == {
        "hms-dev": {DeliveryState.DEAD: 1, DeliveryState.DELIVERED: 1}
    }

    clock.time += MINUTE
    await Retention(database.delivery_queue, clock).sweep()
    assert await database.delivery_queue.counts() == {"hms-dev": {DeliveryState.DELIVERED: 1}}


async def test_what_is_too_old_goes_in_as_many_steps_as_it_takes(database: Database) -> None:
    await add(database, *(make_draft(f"D-{n}", component="gone") for n in range(STEP + 5)))
    clock = SteppedClock()
    clock.time = NOON + timedelta(days=15)

    await Retention(database.delivery_queue, clock).sweep()

    assert await database.delivery_queue.counts() == {}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_calls_that_must_wait_do_not_disturb_writers(
    database_url: str, tmp_path: Path
) -> None:
    """Another process writes meanwhile: a claim that asked for its turn would have to wait for it."""
    async with await open_database(database_url) as database:
        await add(database, make_draft("D-1"), make_draft("D-1"), make_draft(component="gone"))
        (first,) = await claim(database)
        await database.delivery_queue.put_off(first, NOON + 5 * MINUTE, "answered 503")
        with closing(sqlite3.connect(tmp_path / "hms.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            async with asyncio.timeout(1):
                assert await claim(database, NOON + MINUTE) == []


async def test_what_waits_behind_one_that_was_put_off_is_put_off_with_it(
    database: Database,
) -> None:
    """Else each look for something due would go through all of them, twice a second."""
    await add(database, make_draft("D-1"), make_draft("D-1"), make_draft("D-2"))
    first, _ = await claim(database)

    await database.delivery_queue.put_off(first, NOON + 5 * MINUTE, "answered 503")

    found = await database.delivery_queue.list("hms-dev", DeliveryState.PENDING, limit=5)
    assert [(each.subject, each.due_at - NOON) for each in found] == [
        ("D-2", timedelta(0)),
        ("D-1", 5 * MINUTE),
        ("D-1", 5 * MINUTE),
    ]


@pytest.mark.parametrize("is_dead", [False, True])
async def test_and_is_due_at_once_when_that_one_is_settled(
    database: Database, is_dead: bool
) -> None:
    await add(database, make_draft("D-1"), make_draft("D-1"))
    (first,) = await claim(database)
    await database.delivery_queue.put_off(first, NOON + 5 * MINUTE, "answered 503")
    await add(database, make_draft("D-1"))
    (first,) = await claim(database, NOON + 5 * MINUTE)
    await database.delivery_queue.put_off(first, NOON + 60 * MINUTE, "answered 503")
    assert await database.delivery_queue.replay("hms-dev", NOON) == 0
    (first,) = await claim(database, NOON + 60 * MINUTE)

    if is_dead:
        await database.delivery_queue.give_up(first, "answered 410")
    else:
        await database.delivery_queue.delivered(first, NOON + 60 * MINUTE)

    assert [each.id for each in await claim(database, NOON + 60 * MINUTE)] == [2]
