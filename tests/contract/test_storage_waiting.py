"""Who waits for work is woken by it, within the process and from another, and by time alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from operations.deployment.rollout import RolloutState
from operations.outbox import Notice, NoticeKind, Urgency
from storage.address import SqliteAddress, parse_address
from storage.database import Database, open_database
from storage.migration import migrate
from storage.postgres import PostgresEngine
from storage.sqlite import SqliteEngine
from tests.contract.databases import PostgresServer, add_rollout, run_sql, save_rollout

pytest_plugins = ("tests.contract.database_fixtures",)

LONG = 20.0
SOON = 5.0
HOURLY = 3600.0
NOTICE = Notice(subject="D-1001", kind=NoticeKind.CARD, channel="C01GEN", urgency=Urgency.DECISION)
HOUR = timedelta(hours=1)


def open_patient(url: str) -> Database:
    """One that hardly ever looks by itself: whoever waits must be woken."""
    address = parse_address(url)
    if isinstance(address, SqliteAddress):
        return Database(SqliteEngine(address.path, poll_seconds=HOURLY), lambda: datetime.now(UTC))
    return Database(PostgresEngine(address.dsn, poll_seconds=HOURLY), lambda: datetime.now(UTC))


@pytest.fixture
async def patient(database_url: str) -> AsyncIterator[Database]:
    """Of each kind, migrated."""
    await migrate(database_url)
    async with open_patient(database_url) as database:
        yield database


async def put_notice(database: Database) -> None:
    async with database.store.transaction() as tx:
        await tx.notices.put(NOTICE, datetime.now(UTC))


async def claim_rollout(database: Database, span: timedelta = HOUR) -> None:
    now = datetime.now(UTC)
    assert await database.rollout_queue.claim("other", now, now + span)


@asynccontextmanager
async def woken_within(
    seconds: float, wait: Callable[[float], Awaitable[None]]
) -> AsyncIterator[None]:
    """Someone waits, and what the block does wakes them."""
    async with asyncio.timeout(seconds + 5), asyncio.TaskGroup() as group:
        task = group.create_task(_elapsed(wait))
        await asyncio.sleep(0.2)  # the waiter has looked and sleeps
        assert not task.done()
        began = time.monotonic()
        yield
        await task
        assert time.monotonic() - began < seconds


async def _elapsed(wait: Callable[[float], Awaitable[None]]) -> None:
    await wait(LONG)


async def test_waiting_for_nothing_ends_on_time(database: Database) -> None:
    began = time.monotonic()
    await database.rollout_queue.wait(0.1)
    await database.notice_queue.wait(0.1)

    assert 0.2 <= time.monotonic() - began < 2


async def test_a_queued_rollout_wakes_a_worker(patient: Database) -> None:
    async with woken_within(SOON, patient.rollout_queue.wait):
        await add_rollout(patient)


async def test_an_approved_rollout_wakes_a_worker(patient: Database) -> None:
    pending = await add_rollout(patient, state=RolloutState.PENDING_APPROVAL)
    async with woken_within(SOON, patient.rollout_queue.wait):
        await save_rollout(patient, replace(pending, state=RolloutState.QUEUED))


async def test_a_target_that_became_free_wakes_a_worker(patient: Database) -> None:
    await add_rollout(patient)
    await add_rollout(patient)
    now = datetime.now(UTC)
    running = await patient.rollout_queue.claim("other", now, now + HOUR)
    assert running is not None
    async with woken_within(SOON, patient.rollout_queue.wait):
        await save_rollout(patient, replace(running, state=RolloutState.SUCCEEDED))


async def test_a_released_rollout_wakes_a_worker(patient: Database) -> None:
    await add_rollout(patient)
    now = datetime.now(UTC)
    held = await patient.rollout_queue.claim("other", now, now + HOUR)
    assert held is not None
    async with woken_within(SOON, patient.rollout_queue.wait):
        await patient.rollout_queue.release(held)


async def test_a_lease_that_ends_wakes_a_worker(patient: Database) -> None:
    await add_rollout(patient)
    await claim_rollout(patient, timedelta(seconds=0.5))
    async with woken_within(SOON, patient.rollout_queue.wait):
        pass


async def test_a_notice_wakes_the_deliverer(patient: Database) -> None:
    async with woken_within(SOON, patient.notice_queue.wait):
        await put_notice(patient)


async def test_a_postponed_notice_wakes_the_deliverer_when_it_is_due(patient: Database) -> None:
    await put_notice(patient)
    now = datetime.now(UTC)
    (claimed,) = await patient.notice_queue.claim("one", now, now + HOUR, limit=1)
    due = now + timedelta(seconds=0.5)
    await patient.notice_queue.postpone(claimed, due, "slow down", uncertain=False)
    async with woken_within(SOON, patient.notice_queue.wait):
        pass


async def test_work_that_came_before_the_wait_is_not_missed(database: Database) -> None:
    await add_rollout(database)
    await put_notice(database)

    async with asyncio.timeout(2):
        await database.rollout_queue.wait(LONG)
        await database.notice_queue.wait(LONG)


async def test_an_undone_transaction_wakes_nobody(database: Database) -> None:
    async def wait_after_undone() -> None:
        await database.rollout_queue.wait(0.5)

    async def fail() -> None:
        async with database.store.transaction() as tx:
            await tx.notices.put(NOTICE, datetime.now(UTC))
            raise ZeroDivisionError

    began = time.monotonic()
    async with asyncio.TaskGroup() as group:
        group.create_task(wait_after_undone())
        with pytest.raises(ZeroDivisionError):
            await fail()
    assert time.monotonic() - began >= 0.5


async def test_another_process_s_work_wakes_a_worker(database_url: str) -> None:
    """A second engine shares nothing with the first but the database."""
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):
        async with woken_within(SOON, here.rollout_queue.wait):
            await add_rollout(there)
        async with woken_within(SOON, here.notice_queue.wait):
            await put_notice(there)


async def test_a_lost_listening_connection_is_made_again(
    postgres_server: PostgresServer,
) -> None:
    url = postgres_server.create()
    async with await open_database(url) as there, open_patient(url) as here:
        await here.rollout_queue.wait(0.1)
        cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        await asyncio.to_thread(run_sql, url, f"{cut} AND datname = current_database()")
        await here.rollout_queue.wait(0.3)  # hears of the loss, if it had not yet

        async with woken_within(SOON, here.rollout_queue.wait):
            await add_rollout(there)


async def test_a_server_that_is_down_does_not_end_the_wait_early() -> None:
    server = PostgresServer()
    try:
        server.start()
        async with await open_database(server.create()) as database:
            server.stop()
            began = time.monotonic()
            await database.notice_queue.wait(0.7)
            assert time.monotonic() - began >= 0.7
    finally:
        server.remove()
