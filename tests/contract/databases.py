"""Opens each kind of database for tests.

`open_sqlite(tmp_path)` is for every test that needs a database. The storage's own contract tests ask for
the fixture `database_url` and run on SQLite and on a PostgreSQL of their own.
"""

from __future__ import annotations

from pathlib import Path

from operations.clock import Clock
from storage.database import Database, open_database


async def open_sqlite(tmp_path: Path, *, clock: Clock | None = None) -> Database:
    """An embedded database in the test's directory; opened again, it is the same one. Close it."""
    return await open_database(f"sqlite:///{tmp_path / 'hms.db'}", clock=clock)
