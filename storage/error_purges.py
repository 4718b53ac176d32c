"""Deleting what the central log keeps no longer, a few rows at a time.

Rows that another replica is just deleting are passed over. The rule stands in the DELETE once more: on
PostgreSQL a row that changed while it was waited for is then looked at again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from storage.rows import from_time, to_time
from storage.schema import (
    ERROR_GROUPS,
    ERROR_HOURS,
    ERROR_NEWCOMERS,
    ERROR_SAMPLES,
    EVENT_BATCHES,
    EVENTS,
    IMPORTED_ERRORS,
    TARGET_HOURS,
    TARGET_MINUTES,
)
from storage.session import Engine
from storage.statements import Statement

_BEFORE = sa.bindparam("before", type_=sa.BigInteger)
_ROWS = sa.bindparam("rows", type_=sa.Integer)


def _purge(
    table: sa.Table, time: sa.Column[Any], *rules: sa.ColumnElement[bool], size: bool = False
) -> Statement:
    keys = list(table.primary_key.columns)
    old = (
        sa.select(*keys)
        .where(time < _BEFORE, *rules)
        .order_by(time)
        .limit(_ROWS)
        .with_for_update(skip_locked=True, of=table)
    )
    key = keys[0] if len(keys) == 1 else sa.tuple_(*keys)
    told = table.c.size if size else sa.literal_column("1").label("one")
    return Statement(sa.delete(table).where(key.in_(old), time < _BEFORE).returning(told))


EVENTS_BEFORE = _purge(EVENTS, EVENTS.c.at, size=True)
_IMPORTED_BEFORE = _purge(IMPORTED_ERRORS, IMPORTED_ERRORS.c.at)
SAMPLES_BEFORE = _purge(ERROR_SAMPLES, ERROR_SAMPLES.c.at)
MINUTES_BEFORE = _purge(TARGET_MINUTES, TARGET_MINUTES.c.minute)
HOURS_BEFORE = _purge(ERROR_HOURS, ERROR_HOURS.c.hour)
NEWCOMERS_BEFORE = _purge(ERROR_NEWCOMERS, ERROR_NEWCOMERS.c.hour)
TARGET_HOURS_BEFORE = _purge(TARGET_HOURS, TARGET_HOURS.c.hour)
BATCHES_BEFORE = _purge(EVENT_BATCHES, EVENT_BATCHES.c.at)
_GROUPS_BEFORE = _purge(
    ERROR_GROUPS,
    ERROR_GROUPS.c.last_seen,
    ~sa.exists().where(ERROR_HOURS.c.group_id == ERROR_GROUPS.c.id),
)
_SIZE = Statement(
    sa.select(
        sa.cast(sa.func.coalesce(sa.func.sum(EVENTS.c.size), 0), sa.BigInteger).label("total")
    )
)
_SO_FAR = sa.select(
    EVENTS.c.at,
    sa.func.sum(EVENTS.c.size)
    .over(order_by=(EVENTS.c.at, EVENTS.c.size), rows=(None, 0))
    .label("total"),
).subquery()
_PASSED = (
    sa.select(_SO_FAR.c.at)
    .where(_SO_FAR.c.total >= sa.bindparam("size", type_=sa.BigInteger))
    .limit(sa.literal_column("1"))
)
REACHED = Statement(
    {
        # In the window's own order, and no further than needed; asked to sort, it would read all of it.
        "sqlite": _PASSED,
        "postgresql": _PASSED.order_by(_SO_FAR.c.at),
    }
)


class SqlErrorPurges:
    """The port `Purges`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def events(self, before: datetime, limit: int) -> int:
        """Single events."""
        return await self._run(EVENTS_BEFORE, before, limit)

    async def events_size(self) -> int:
        """Read from the index by time, which holds the sizes."""
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(_SIZE)
        return int(rows[0]["total"])

    async def time_after(self, size: int) -> datetime | None:
        """Events of one moment stay together: those that came in one batch have one time."""
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(REACHED, size=size)
        return to_time(rows[0]["at"] + 1) if rows else None

    async def samples(self, before: datetime, limit: int) -> int:
        """Samples."""
        return await self._run(SAMPLES_BEFORE, before, limit)

    async def hours(self, before: datetime, limit: int) -> int:
        """Of groups and of targets."""
        of_groups = await self._run(HOURS_BEFORE, before, limit)
        return max(of_groups, await self._run(TARGET_HOURS_BEFORE, before, limit))

    async def minutes(self, before: datetime, limit: int) -> int:
        """Of targets, and how many groups began."""
        of_targets = await self._run(MINUTES_BEFORE, before, limit)
        return max(of_targets, await self._run(NEWCOMERS_BEFORE, before, limit))

    async def batches(self, before: datetime, limit: int) -> int:
        """Keys of batches."""
        return await self._run(BATCHES_BEFORE, before, limit)

    async def imported(self, before: datetime, limit: int) -> int:
        """Keys of lines."""
        return await self._run(_IMPORTED_BEFORE, before, limit)

    async def groups(self, before: datetime, limit: int) -> int:
        """Without any hour."""
        return await self._run(_GROUPS_BEFORE, before, limit)

    async def _run(self, statement: Statement, before: datetime, limit: int) -> int:
        async with self._engine.session(writing=True) as session:
            return len(await session.fetch(statement, before=from_time(before), rows=limit))
