"""Having a database to oneself: refused while another process uses it, and whoever starts meanwhile waits."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3

import asyncpg  # type: ignore[import-untyped]  # it ships no type information

from operations.errors import Refused
from operations.redaction import clean

LEAVING_SECONDS = 1.0
"""How long one who wants the database alone waits for those who are just leaving it."""

_LOOK_SECONDS = 0.05
_PROGRAM = "hms-sys"
_LONGEST_NAME = 63
"""PostgreSQL cuts a connection's name after so many bytes."""
_HINT = "Stop every bot of it, then say it again."


def connection_name() -> str:
    """What `pg_stat_activity` calls this process's connections."""
    return f"{_PROGRAM} {socket.gethostname()}:{os.getpid()}"[:_LONGEST_NAME]


async def be_alone(connection: asyncpg.Connection, lock: int) -> None:
    """Until the transaction ends: whoever starts takes this lock first, and whoever runs has connections.

    Raises Refused, and what the driver raises.
    """
    await connection.execute("SELECT pg_advisory_xact_lock($1)", lock)
    end = asyncio.get_running_loop().time() + LEAVING_SECONDS
    while names := await _others(connection):
        if asyncio.get_running_loop().time() > end:
            raise Refused(f"Another process uses the database: {', '.join(names)}.", hint=_HINT)
        await asyncio.sleep(_LOOK_SECONDS)


async def _others(connection: asyncpg.Connection) -> list[str]:
    """By name. A connection that was closed is seen until its server process has ended."""
    await connection.execute("SELECT pg_stat_clear_snapshot()")
    found = await connection.fetch(
        "SELECT DISTINCT application_name AS name FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND starts_with(application_name, $1) ORDER BY 1",
        _PROGRAM,
    )
    return [clean(row["name"], limit=_LONGEST_NAME) for row in found]


def keep_others_out(opened: sqlite3.Connection) -> None:
    """Until it is closed. To be said before anything is read, of one whose `timeout` is `LEAVING_SECONDS`.

    Every connection of a file in WAL mode holds a shared lock on it for as long as it is open; the
    exclusive one that is asked for here is refused by any of them. Raises Refused, and sqlite3's errors.
    """
    opened.execute("PRAGMA locking_mode = EXCLUSIVE")
    try:
        opened.execute("BEGIN IMMEDIATE")
        opened.execute("COMMIT")
    except sqlite3.OperationalError as exc:
        opened.close()
        if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
            raise
        raise Refused("Another process has the database open.", hint=_HINT) from exc
