"""Which checks are due. The database decides between two who look, whatever process they are in.

A check's times lie a whole number of intervals from a point that its id alone decides: so thousands are
spread over the interval, and neither a restart nor a second process moves them together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from operations.monitoring.check import Check, CheckRecord
from storage.checks import record_columns
from storage.rows import from_time, to_json, to_time
from storage.schema import CHECKS, RUNNING_CHECK
from storage.session import Engine, Row
from storage.statements import Excluded, Statement, upsert
from storage.waiting import Now

_C = CHECKS.c
_MICROSECOND = timedelta(microseconds=1)
_IDS = sa.bindparam("ids", type_=sa.Text)
"""The ids that are configured, as a JSON array: the same parameter for both databases."""

# The plus keeps SQLite from looking every configured id up in place of the few that are due.
_AMONG_SQLITE = sa.literal_column("+checks.id", sa.Text).in_(
    sa.select(sa.func.json_each(_IDS).table_valued("value").c.value)
)
_AMONG_POSTGRES = _C.id.in_(
    sa.select(sa.func.jsonb_array_elements_text(sa.cast(_IDS, postgresql.JSONB)))
)
# In the very words of the partial index that serves it; SQLite compares them.
_IS_RUNNING = sa.literal_column(RUNNING_CHECK, sa.Boolean)


def among_configured(picked: sa.Select[*tuple[Any, ...]]) -> Statement:
    """Of the checks that are not stopped those whose id is in the parameter `ids`, a JSON array."""
    return Statement(
        {
            "sqlite": picked.where(_IS_RUNNING, _AMONG_SQLITE),
            "postgresql": picked.where(_IS_RUNNING, _AMONG_POSTGRES),
        }
    )


_PICK = among_configured(
    sa.select(_C.id, _C.due_at)
    .where(_C.due_at <= sa.bindparam("now"))
    .order_by(_C.due_at, _C.id)
    .limit(sa.bindparam("rows", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_MOVE = Statement(
    sa.update(CHECKS).where(_C.id == sa.bindparam("at_id")).values(due_at=sa.bindparam("next"))
)
_EARLIEST = among_configured(
    sa.select(_C.due_at)
    .where(_C.due_at.is_not(None))
    .order_by(_C.due_at)
    .limit(sa.literal_column("1"))
)


def _schedule_again(new: Excluded) -> Mapping[str, sa.ColumnElement[Any]]:
    """One that is due sooner stays so; one that was asked less often before does not wait for that."""
    is_later = sa.or_(_C.due_at.is_(None), _C.due_at > new.due_at)
    return {"due_at": sa.case((is_later, new.due_at), else_=_C.due_at)}


_SCHEDULE = upsert(CHECKS, _schedule_again)


class SqlCheckQueue:
    """The port `CheckQueue`."""

    def __init__(self, engine: Engine, now: Now) -> None:
        self._engine = engine
        self._now = now

    async def schedule(self, checks: Collection[Check], now: datetime) -> None:
        """Make every check known."""
        rows = [
            {**record_columns(CheckRecord(check_id=check.id)), "due_at": _first_time(check, now)}
            for check in sorted(checks, key=lambda check: check.id)
        ]
        async with self._engine.session(writing=True) as session:
            await session.run_each(_SCHEDULE, rows)

    async def claim(
        self, checks: Collection[Check], now: datetime, *, limit: int
    ) -> Sequence[tuple[Check, datetime]]:
        """Take what is due."""
        known = {check.id: check for check in checks}
        async with self._engine.session(writing=True) as session:
            picked = await session.fetch(
                _PICK, now=from_time(now), rows=limit, ids=to_json(list(known))
            )
            moves = [_move(known[row["id"]], row, from_time(now)) for row in picked]
            await session.defer(_MOVE, moves)
        return [(known[row["id"]], to_time(row["due_at"])) for row in picked]

    async def next_due(self, checks: Collection[Check]) -> timedelta | None:
        """How long until something is due."""
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(_EARLIEST, ids=to_json([check.id for check in checks]))
        return to_time(rows[0]["due_at"]) - self._now() if rows else None


def _first_time(check: Check, now: datetime) -> int:
    """The first of the check's times from `now` on."""
    every = check.every // _MICROSECOND
    offset = int.from_bytes(hashlib.sha256(check.id.encode()).digest()[:8], "big") % every
    return from_time(now) + (offset - from_time(now)) % every


def _move(check: Check, row: Row, now: int) -> dict[str, object]:
    """The first of the check's times after `now`, counted on from the one that it was due at."""
    every = check.every // _MICROSECOND
    missed = (now - row["due_at"]) // every
    return {"at_id": check.id, "next": row["due_at"] + (missed + 1) * every}
