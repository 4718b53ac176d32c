"""The trail: append-only by the database's own rule, and a change behind its back shows."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from datetime import timedelta, timezone

import pytest

from operations.actor import SYSTEM
from operations.audit import AuditEvent
from operations.errors import StorageError
from storage.database import Database, open_database
from tests.contract.databases import run_sql
from tests.factories import ALICE, NOON

pytest_plugins = ("tests.contract.database_fixtures",)

LIFT_RULES = {
    "sqlite": ("DROP TRIGGER audit_keeps_events", "DROP TRIGGER audit_loses_nothing"),
    "postgresql": ("ALTER TABLE audit DISABLE TRIGGER ALL",),
}


def event(number: int, subject: str = "D-1001") -> AuditEvent:
    return AuditEvent(
        at=NOON + timedelta(seconds=number, microseconds=1),
        actor=ALICE if number % 2 else SYSTEM,
        action="rollout.requested",
        subject=subject,
        detail={"number": str(number), "reason": "für „Größe“ & <mehr>"},
    )


async def add(database: Database, *events: AuditEvent) -> None:
    async with database.store.transaction() as tx:
        for added in events:
            await tx.audit.add(added)


async def broken_at(database: Database) -> int | None:
    async with database.store.snapshot() as tx:
        return await tx.audit.broken_at()


def tamper(url: str, *statements: str) -> None:
    """Change the trail as one can who owns the database."""
    run_sql(url, *LIFT_RULES[url.partition(":")[0]], *statements)


async def test_events_of_a_subject_read_back_oldest_first(database: Database) -> None:
    events = [event(1), event(2), event(3)]
    await add(database, events[0], event(9, "D-1002"))
    await add(database, *events[1:])

    async with database.store.snapshot() as tx:
        assert await tx.audit.of("D-1001") == events


async def test_an_event_shows_within_its_own_transaction(database: Database) -> None:
    async with database.store.transaction() as tx:
        await tx.audit.add(event(1))
        assert await tx.audit.of("D-1001") == [event(1)]
        await tx.audit.add(event(2))

    assert await broken_at(database) is None


async def test_an_empty_trail_is_whole(database: Database) -> None:
    assert await broken_at(database) is None


async def test_a_trail_longer_than_one_page_is_whole(database: Database) -> None:
    await add(database, *(event(number) for number in range(1001)))
    await add(database, event(1001))

    assert await broken_at(database) is None


async def test_a_time_of_another_zone_does_not_break_the_chain(database: Database) -> None:
    east = timezone(timedelta(hours=2))
    await add(database, AuditEvent(at=NOON.astimezone(east), actor=ALICE, action="a", subject="b"))

    assert await broken_at(database) is None


async def test_writers_at_once_make_one_chain(database_url: str) -> None:
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):

        async def write(database: Database, subject: str) -> None:
            for number in range(5):
                await add(database, event(number, subject), event(number + 10, subject))

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(write(here if number % 2 else there, f"D-{number}"))

        assert await broken_at(here) is None
        async with here.store.snapshot() as tx:
            counts = [len(await tx.audit.of(f"D-{number}")) for number in range(4)]
    assert counts == [10, 10, 10, 10]


async def test_an_undone_transaction_leaves_no_gap(database: Database) -> None:
    await add(database, event(1))

    async def fail() -> None:
        async with database.store.transaction() as tx:
            await tx.audit.add(event(2))
            await tx.audit.of("D-1001")
            raise StorageError("on purpose")

    with pytest.raises(StorageError, match="on purpose"):
        await fail()
    await add(database, event(3))

    assert await broken_at(database) is None


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET action = 'x' WHERE number = 1", "DELETE FROM audit WHERE number = 1"],
    ids=["update", "delete"],
)
async def test_the_database_refuses_to_change_the_trail(
    database: Database, database_url: str, statement: str
) -> None:
    await add(database, event(1))

    with pytest.raises((sqlite3.IntegrityError, subprocess.CalledProcessError)):
        run_sql(database_url, statement)

    async with database.store.snapshot() as tx:
        assert await tx.audit.of("D-1001") == [event(1)]


async def test_a_changed_event_is_found(database: Database, database_url: str) -> None:
    await add(database, *(event(number) for number in range(5)))

    tamper(database_url, "UPDATE audit SET actor_id = 'U99EVE' WHERE number = 3")

    assert await broken_at(database) == 3


async def test_a_missing_event_is_found_at_the_next(database: Database, database_url: str) -> None:
    await add(database, *(event(number) for number in range(5)))

    tamper(database_url, "DELETE FROM audit WHERE number = 2")

    assert await broken_at(database) == 3


async def test_a_missing_first_event_is_found(database: Database, database_url: str) -> None:
    await add(database, *(event(number) for number in range(5)))

    tamper(database_url, "DELETE FROM audit WHERE number = 1")

    assert await broken_at(database) == 2
