"""Fixtures over both kinds of database, for modules that name this one in `pytest_plugins`.

They stand apart from `databases` because pytest will not load as a plugin what a test imported before.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from storage.database import Database, open_database
from tests.contract.databases import PostgresServer, sqlite_url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the session."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind, not migrated yet."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create()


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """One of each kind, migrated and open."""
    async with await open_database(database_url) as opened:
        yield opened
