"""Brings a database to the schema of this version, once, however many processes start together.

The lock is the database's own: an exclusive transaction on SQLite, an advisory lock on PostgreSQL. All
steps are one transaction with it, so a process that dies in the middle leaves what was there.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from operations.errors import StorageError, StorageUnavailable
from storage import postgres, sqlite
from storage.address import Address, PostgresAddress, SqliteAddress, parse_address

MIGRATION_SECONDS = 60.0
"""How long one who starts waits for another's migration, and at most for its own."""

_ONE_AT_A_TIME = threading.Lock()


async def migrate(url: str) -> None:
    """Create the tables or bring them up to date.

    Raises InvalidRequest for a URL that is none of ours, StorageError when a newer version of HMS-SYS
    was here, StorageUnavailable when the database cannot be reached.
    """
    address = parse_address(url)
    try:
        async with asyncio.timeout(MIGRATION_SECONDS):
            await asyncio.to_thread(_migrate, address)
    except TimeoutError as exc:
        raise StorageUnavailable("The database's migration did not end in time.") from exc
    except StorageError as exc:
        exc.hint = exc.hint or f"HMS_DATABASE_URL names {address.place}."
        raise


def script_directory() -> Path:
    """Where the packaged scripts are."""
    return Path(__file__).parent / "migrations"


def alembic_config() -> Config:
    """What alembic.ini would say."""
    config = Config()
    config.set_main_option("script_location", str(script_directory()).replace("%", "%%"))
    return config


def _migrate(address: Address) -> None:
    """Alembic keeps what it is about in globals, hence one at a time, in a thread to the end."""
    with _ONE_AT_A_TIME:
        if isinstance(address, SqliteAddress):
            _migrate_sqlite(address)
        else:
            asyncio.run(_migrate_postgres(address))


def _migrate_sqlite(address: SqliteAddress) -> None:
    with sqlite.translated():
        with closing(_open(address.path)) as raw:
            _use_wal(raw)
        engine = sa.create_engine(
            "sqlite://", creator=lambda: _open(address.path), poolclass=NullPool
        )
        sa.event.listen(engine, "begin", _begin_exclusive)
        with _driver_errors(), engine.begin() as connection:
            _upgrade(connection)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=MIGRATION_SECONDS / 2, isolation_level=None)


def _begin_exclusive(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN EXCLUSIVE")


def _use_wal(raw: sqlite3.Connection) -> None:
    """Kept in the file. SQLite does not wait for others who do the same at once, so this does."""
    end = time.monotonic() + MIGRATION_SECONDS / 2
    while True:
        try:
            raw.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.02)
        else:
            return


async def _migrate_postgres(address: PostgresAddress) -> None:
    engine = create_async_engine(
        "postgresql+asyncpg://",
        async_creator=lambda: postgres.connect(address.dsn, seconds=MIGRATION_SECONDS),
        poolclass=NullPool,
    )
    try:
        with postgres.translated(), _driver_errors():
            async with engine.begin() as connection:
                await connection.exec_driver_sql(
                    f"SELECT pg_advisory_xact_lock({postgres.MIGRATION_TURN})"
                )
                await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


@contextmanager
def _driver_errors() -> Iterator[None]:
    """Raises the driver's own error, which the database's module translates."""
    try:
        yield
    except sa.exc.DBAPIError as exc:
        if exc.orig is None:
            raise
        raise _root_of(exc.orig) from exc


def _root_of(error: BaseException) -> BaseException:
    """asyncpg's error is the cause of SQLAlchemy's imitation of it."""
    return error.__cause__ if isinstance(error.__cause__, Exception) else error


def _upgrade(connection: sa.Connection) -> None:
    config = alembic_config()
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    if current == scripts.get_current_head():
        return
    if current is not None and current not in {s.revision for s in scripts.walk_revisions()}:
        raise StorageError(
            f"The database has schema {current}, which this version of HMS-SYS does not know.",
            hint="Run the version that made it, or a newer one.",
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
