"""All of a transaction happens or nothing, readers see one state, and errors are ours."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from operations.audit import AuditEvent
from operations.deployment.ports import Transaction
from operations.deployment.rollout import HistoryQuery, RolloutState, TargetLock
from operations.errors import StorageError, StorageUnavailable
from operations.outbox import Notice, NoticeKind, Urgency
from storage.database import Database, open_database
from storage.migration import migrate
from storage.sqlite import SqliteEngine
from tests.contract.databases import (
    PostgresServer,
    add_rollout,
    make_draft,
    open_sqlite,
    save_rollout,
    sqlite_url,
)
from tests.factories import ALICE, BOB, NOON

pytest_plugins = ("tests.contract.database_fixtures",)

EVENT = AuditEvent(at=NOON, actor=ALICE, action="rollout.requested", subject="D-1001")
NOTICE = Notice(subject="D-1001", kind=NoticeKind.CARD, channel="C01GEN", urgency=Urgency.DECISION)
LOCK = TargetLock(
    project="myapp", environment="prod", actor=ALICE, reason="inventory", at=NOON, until=None
)


async def write_everything(tx: Transaction) -> None:
    await tx.rollouts.add(make_draft())
    await tx.locks.put(LOCK)
    await tx.audit.add(EVENT)
    await tx.audit.of("D-1001")
    await tx.notices.put(NOTICE, NOON)


async def is_empty(database: Database) -> bool:
    async with database.store.snapshot() as tx:
        page = await tx.rollouts.search(HistoryQuery())
        lock = await tx.locks.get("myapp", "prod", NOON)
        events = await tx.audit.of("D-1001")
    return not page.rollouts and lock is None and not events and not await depth(database)


async def depth(database: Database) -> int:
    return await database.notice_queue.depth()


async def test_an_error_undoes_the_whole_transaction(database: Database) -> None:
    async def fail() -> None:
        async with database.store.transaction() as tx:
            await write_everything(tx)
            raise StorageError("on purpose")

    with pytest.raises(StorageError, match="on purpose"):
        await fail()

    assert await is_empty(database)


async def test_being_cancelled_undoes_the_whole_transaction(database: Database) -> None:
    written = asyncio.Event()

    async def write_and_wait() -> None:
        async with database.store.transaction() as tx:
            await write_everything(tx)
            written.set()
            await asyncio.Event().wait()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(write_and_wait())
        await written.wait()
        task.cancel()

    assert await is_empty(database)
    await add_rollout(database)


async def test_being_cancelled_at_any_await_leaves_the_database_usable(
    database: Database,
) -> None:
    """Cancelled after 0, 1, 2 … turns of the loop: in BEGIN, between statements, in COMMIT."""

    async def write() -> None:
        async with database.store.transaction() as tx:
            await write_everything(tx)

    for turns in range(40):
        async with asyncio.TaskGroup() as group:
            task = group.create_task(write())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()

    async with asyncio.timeout(5):
        before = (await add_rollout(database)).id
        assert (await add_rollout(database)).id == before + 1
    async with database.store.snapshot() as tx:
        assert await tx.audit.broken_at() is None


async def test_being_cancelled_while_it_connects_leaves_no_thread_behind(tmp_path: Path) -> None:
    """Such a thread would keep the whole process from ending."""
    before = threads_of_connections()
    for turns in range(30):
        async with await open_sqlite(tmp_path) as database, asyncio.TaskGroup() as group:
            task = group.create_task(database.ping())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()

    for _ in range(200):  # the last thread may still be on its way out
        if threads_of_connections() == before:
            break
        await asyncio.sleep(0.01)
    assert threads_of_connections() == before


def threads_of_connections() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if "_connection_worker_thread" in t.name}


async def test_a_snapshot_refuses_to_write(database: Database) -> None:
    async with database.store.snapshot() as tx:
        for attempt in (
            tx.rollouts.add(make_draft()),
            tx.locks.put(LOCK),
            tx.locks.remove("myapp", "prod"),
            tx.audit.add(EVENT),
            tx.notices.put(NOTICE, NOON),
        ):
            with pytest.raises(StorageError, match="reading transaction"):
                await attempt

    assert await is_empty(database)


async def test_a_snapshot_sees_one_state(database: Database) -> None:
    first = await add_rollout(database)
    async with database.store.snapshot() as tx:
        assert await tx.rollouts.waiting("myapp", "prod") == [first]
        await add_rollout(database)
        assert await tx.rollouts.waiting("myapp", "prod") == [first]

    async with database.store.snapshot() as tx:
        assert len(await tx.rollouts.waiting("myapp", "prod")) == 2


async def test_a_transaction_reads_what_it_wrote(database: Database) -> None:
    async with database.store.transaction() as tx:
        added = await tx.rollouts.add(make_draft())
        running = await tx.rollouts.save(replace(added, state=RolloutState.RUNNING))
        assert await tx.rollouts.active("myapp", "prod") == running


async def test_many_writers_of_two_connections_all_succeed(database_url: str) -> None:
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):
        async with asyncio.TaskGroup() as group:
            for number in range(30):
                group.create_task(add_rollout(here if number % 2 else there))
        async with here.store.snapshot() as tx:
            assert len(await tx.rollouts.waiting("myapp", "prod")) == 30


async def test_a_database_opened_again_holds_what_was_stored(database_url: str) -> None:
    async with await open_database(database_url) as before:
        added = await add_rollout(before)
    async with await open_database(database_url) as after, after.store.snapshot() as tx:
        assert await tx.rollouts.get(added.id) == added


async def test_a_lock_holds_until_its_time(database: Database) -> None:
    lock = replace(LOCK, until=NOON + timedelta(hours=1))
    async with database.store.transaction() as tx:
        await tx.locks.put(lock)

        assert await tx.locks.get("myapp", "prod", NOON) == lock
        assert await tx.locks.get("myapp", "prod", NOON + timedelta(hours=1)) is None
        assert await tx.locks.get("myapp", "staging", NOON) is None


async def test_a_lock_is_replaced_and_lifted(database: Database) -> None:
    async with database.store.transaction() as tx:
        await tx.locks.put(LOCK)
        await tx.locks.put(replace(LOCK, actor=BOB))
        held = await tx.locks.get("myapp", "prod", NOON)
        await tx.locks.remove("myapp", "prod")
        await tx.locks.remove("myapp", "prod")

        assert held == replace(LOCK, actor=BOB)
        assert await tx.locks.get("myapp", "prod", NOON + timedelta(days=999)) is None


async def test_a_database_that_answers_is_told_by_ping(database: Database) -> None:
    await database.ping()


async def test_a_closed_database_is_unavailable(database_url: str) -> None:
    database = await open_database(database_url)
    await database.close()
    await database.close()

    with pytest.raises(StorageUnavailable):
        await database.ping()
    with pytest.raises(StorageUnavailable):
        await add_rollout(database)


async def test_a_file_that_went_away_is_unavailable(tmp_path: Path) -> None:
    async with await open_sqlite(tmp_path) as database:
        (tmp_path / "hms.db").unlink()

        with pytest.raises(StorageUnavailable):
            await database.ping()
    assert not (tmp_path / "hms.db").exists()


async def test_a_file_that_another_process_holds_too_long_is_unavailable(tmp_path: Path) -> None:
    await migrate(sqlite_url(tmp_path))
    engine = SqliteEngine(tmp_path / "hms.db", busy_seconds=0.1)
    async with Database(engine, lambda: NOON) as database:
        with closing(sqlite3.connect(tmp_path / "hms.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageUnavailable, match="locked"):
                await add_rollout(database)
            await database.ping()
            other.execute("ROLLBACK")
        await add_rollout(database)


async def test_a_server_that_stops_is_unavailable_and_used_again_when_it_is_back() -> None:
    server = PostgresServer()
    try:
        server.start()
        async with await open_database(server.create()) as database:
            added = await add_rollout(database)
            server.stop()
            with pytest.raises(StorageUnavailable):
                await save_rollout(database, added)
            server.start()
            assert (await save_rollout(database, added)).revision == 2
    finally:
        server.remove()


_WRITE_FOR_EVER = """
import asyncio, sys
from pathlib import Path
from tests.contract.databases import make_draft, open_sqlite

from tests.contract.test_storage_transactions import write_everything

async def main():
    database = await open_sqlite(Path(sys.argv[1]))
    async with database.store.transaction() as tx:
        await tx.rollouts.add(make_draft(reason="committed"))
    async with database.store.transaction() as tx:
        await write_everything(tx)
        print("written", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_being_killed_in_mid_transaction_leaves_nothing_of_it(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _WRITE_FOR_EVER, str(tmp_path)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    async with asyncio.timeout(20):
        said = await process.stdout.readline()
        process.kill()
        await process.wait()
    assert said == b"written\n"

    async with await open_sqlite(tmp_path) as database:
        async with database.store.snapshot() as tx:
            rollouts = (await tx.rollouts.search(HistoryQuery())).rollouts
            assert [r.reason for r in rollouts] == ["committed"]
            assert await tx.audit.of("D-1001") == []
        assert await depth(database) == 0
        await add_rollout(database)
