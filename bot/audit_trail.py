"""The audit trail read page by page, for `audit export`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import timedelta

from bot.absence import open_to_read
from bot.clock import SystemClock
from bot.settings import load_settings
from operations.audit import Recorded
from storage.database import Database


async def read_trail(since: timedelta | None) -> AsyncGenerator[Recorded, None]:
    """What the database of the settings holds."""
    async with open_to_read(load_settings()) as database:
        async for recorded in read_pages(database, since):
            yield recorded


async def read_pages(database: Database, since: timedelta | None) -> AsyncGenerator[Recorded, None]:
    """Every event, oldest first; with `since`, from the first of that time on.

    Each page is a snapshot of its own: nothing in the trail ever changes, so together they are one.
    """
    after = await _place(database, since)
    while after is not None:
        async with database.store.snapshot() as tx:
            page = await tx.audit.recorded(after)
        for recorded in page:
            yield recorded
        after = page[-1].number if page else None


async def _place(database: Database, since: timedelta | None) -> int | None:
    """After which number to begin; None: there is nothing to read."""
    if since is None:
        return 0
    async with database.store.snapshot() as tx:
        first = await tx.audit.first_since(SystemClock().now() - since)
    return None if first is None else first - 1
