"""A database is brought to this version's schema once, whoever starts at the same time."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.ext.asyncio import create_async_engine

from operations.deployment.rollout import HistoryQuery
from operations.errors import InvalidRequest, StorageError, StorageUnavailable
from storage.database import open_database
from storage.migration import alembic_config, migrate
from storage.postgres import connect
from storage.schema import METADATA
from tests.contract.databases import add_rollout, run_sql, sqlite_url

pytest_plugins = ("tests.contract.database_fixtures",)

_MIGRATE = """
import asyncio, sys
from storage.migration import migrate
print("ready", flush=True)
sys.stdin.readline()
asyncio.run(migrate(sys.argv[1]))
"""


async def start(url: str, directory: Path) -> asyncio.subprocess.Process:
    """A process that will migrate when it is told to; it runs where no file of ours is."""
    root = str(Path(__file__).parents[2])
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", _MIGRATE, url),
        cwd=directory,
        env={**os.environ, "PYTHONPATH": root},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def tables(url: str) -> list[str]:
    """Names of what is in the database."""
    return await _inspect(url, lambda connection: sorted(sa.inspect(connection).get_table_names()))


async def _inspect(url: str, look: object) -> list[str]:
    if url.startswith("sqlite:"):
        engine = create_async_engine(url.replace("sqlite:", "sqlite+aiosqlite:"))
    else:
        engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: connect(url))
    try:
        async with engine.connect() as connection:
            found: list[str] = await connection.run_sync(look)  # type: ignore[arg-type]
            return found
    finally:
        await engine.dispose()


def differences(connection: sa.Connection) -> list[str]:
    found = compare_metadata(MigrationContext.configure(connection), METADATA)
    return [str(difference) for difference in found]


async def test_processes_that_start_at_once_all_succeed(database_url: str, tmp_path: Path) -> None:
    processes = [await start(database_url, tmp_path) for _ in range(4)]
    async with asyncio.timeout(40):
        for process in processes:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
        results: list[tuple[int | None, bytes]] = []

        async def finish(process: asyncio.subprocess.Process) -> None:
            _, complaint = await process.communicate(b"go\n")
            results.append((process.returncode, complaint))

        async with asyncio.TaskGroup() as group:
            for process in processes:
                group.create_task(finish(process))

    assert results == [(0, b"")] * 4
    async with await open_database(database_url) as database:
        assert (await add_rollout(database)).id == 1001


async def test_many_who_open_in_one_process_all_succeed(database_url: str) -> None:
    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(migrate(database_url))

    assert "rollouts" in await tables(database_url)


async def test_two_databases_are_migrated_at_once(tmp_path: Path) -> None:
    directories = [tmp_path / str(number) for number in range(4)]
    async with asyncio.TaskGroup() as group:
        for directory in directories:
            directory.mkdir()
            group.create_task(migrate(sqlite_url(directory)))

    assert all(["rollouts" in await tables(sqlite_url(d)) for d in directories])


async def test_the_scripts_arrive_at_the_schema_of_the_code(database_url: str) -> None:
    await migrate(database_url)

    assert await _inspect(database_url, differences) == []


async def test_migrating_again_changes_nothing(database_url: str) -> None:
    async with await open_database(database_url) as database:
        added = await add_rollout(database)
    await migrate(database_url)

    async with await open_database(database_url) as database, database.store.snapshot() as tx:
        assert await tx.rollouts.get(added.id) == added


async def test_rollouts_that_an_older_version_imported_move_behind_all_others(
    tmp_path: Path,
) -> None:
    url = sqlite_url(tmp_path)
    _upgrade_to(url, "0003")
    with closing(sqlite3.connect(tmp_path / "hms.db")) as raw, raw:
        raw.execute(_OLD_IMPORT)

    async with await open_database(url) as database, database.store.snapshot() as tx:
        page = await tx.rollouts.search(HistoryQuery(imported=True))

    assert [rollout.name for rollout in page.rollouts] == ["H-17"]


_OLD_IMPORT = """
INSERT INTO rollouts (id, project, environment, provider, kind, state, phase, revision, version, artifact,
  pin, requested_by_id, requested_by_kind, requested_by_name, requested_at, reason, channel, external_id,
  emergency, warnings, votes_required, steps, outcome)
VALUES (17, 'a', 'b', 'k8s', 'import', 'succeeded', 'done', 1, '1.0', '', '', 'hms-ops:x', 'cli', '', 0, '',
  '', 'hms-ops:1', 0, '[]', 0, '[]', '')
"""


def _upgrade_to(url: str, revision: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


async def test_a_schema_of_a_newer_version_is_refused(database_url: str) -> None:
    await migrate(database_url)
    run_sql(database_url, "UPDATE alembic_version SET version_num = '9001'")

    with pytest.raises(StorageError, match="schema 9001, which this version of HMS-SYS") as caught:
        await open_database(database_url)

    assert "newer" in caught.value.hint


async def test_a_migration_that_fails_leaves_what_was_there(database_url: str) -> None:
    run_sql(database_url, "CREATE TABLE notices (id integer)")

    with pytest.raises(StorageError, match="already exists"):
        await migrate(database_url)

    assert await tables(database_url) == ["notices"]


async def test_sqlite_is_left_in_wal(tmp_path: Path) -> None:
    await migrate(sqlite_url(tmp_path))

    with closing(sqlite3.connect(tmp_path / "hms.db")) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


async def test_a_directory_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="unable to open"):
        await migrate(sqlite_url(tmp_path / "missing"))


async def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "hms.db").write_text("Dear diary, " * 100)

    with pytest.raises(StorageError, match="not a database"):
        await migrate(sqlite_url(tmp_path))


async def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        await migrate(f"postgresql://hms:hunter2@/hms?host={tmp_path}")


async def test_a_server_s_url_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        await migrate("postgresql://hms:hunter2@host:port/name")

    assert "hunter2" not in str(caught.value)
