"""A copy of SQLite in use: whole, for nobody else, and never in the place of something."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from operations.errors import InvalidRequest, Refused, StorageError, StorageUnavailable
from storage.backup import back_up
from storage.database import open_database
from tests.contract.databases import add_rollout, open_sqlite, read_rollout, sqlite_url


async def test_a_copy_of_a_database_in_use_holds_what_was_committed(tmp_path: Path) -> None:
    copy = tmp_path / "backup.db"
    async with await open_sqlite(tmp_path) as database:
        kept = await add_rollout(database)

        await back_up(sqlite_url(tmp_path), copy)

        await add_rollout(database, project="site")
    async with await open_database(f"sqlite:///{copy}") as restored:
        assert await read_rollout(restored, kept.id) == kept
        async with restored.store.snapshot() as tx:
            assert await tx.rollouts.get(kept.id + 1) is None


async def test_somebody_who_writes_at_that_moment_is_not_waited_for(tmp_path: Path) -> None:
    async with await open_sqlite(tmp_path) as database:
        await add_rollout(database)
        with closing(sqlite3.connect(tmp_path / "hms.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            await back_up(sqlite_url(tmp_path), tmp_path / "backup.db")


async def test_only_its_owner_may_read_it_and_nothing_else_is_left(tmp_path: Path) -> None:
    async with await open_sqlite(tmp_path):
        pass

    await back_up(sqlite_url(tmp_path), tmp_path / "backup.db")

    assert stat.S_IMODE((tmp_path / "backup.db").stat().st_mode) == 0o600
    assert not (tmp_path / "backup.db.part").exists()


async def test_what_is_there_is_never_overwritten(tmp_path: Path) -> None:
    async with await open_sqlite(tmp_path):
        pass
    (tmp_path / "backup.db").touch()

    with pytest.raises(Refused, match=r"backup\.db is there already"):
        await back_up(sqlite_url(tmp_path), tmp_path / "backup.db")

    assert (tmp_path / "backup.db").read_bytes() == b""


async def test_a_copy_that_fails_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "hms.db").write_bytes(b"not a database" * 1000)

    with pytest.raises(StorageError):
        await back_up(sqlite_url(tmp_path), tmp_path / "backup.db")

    assert os.listdir(tmp_path) == ["hms.db"]


async def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    async with await open_sqlite(tmp_path):
        pass
    with pytest.raises(StorageUnavailable, match="cannot be written: No such file"):
        await back_up(sqlite_url(tmp_path), tmp_path / "none" / "backup.db")


async def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="no database to copy"):
        await back_up(sqlite_url(tmp_path), tmp_path / "backup.db")
    assert os.listdir(tmp_path) == []


async def test_of_postgresql_it_names_the_program_that_copies_it(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        await back_up("postgresql://hms:secret@host/hms", tmp_path / "backup.db")
    assert "pg_dump" in refusal.value.hint
    assert "secret" not in refusal.value.hint
