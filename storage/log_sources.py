"""Logs that are read: which are due, who reads them, and how far they have been read.

A source is read by whoever holds its claim. A claim ends by itself, so that a source whose reader was
killed is read on by another; each claim has a token of its own, by which a reader who is late is refused.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from operations.errors import LeaseLost
from operations.monitoring.errors.log_ports import LogClaim
from storage.rows import from_time, to_json, to_optional_time
from storage.schema import LOG_SOURCES
from storage.session import Engine, Row, Session, require_writing
from storage.statements import Statement, insert_unless_there

_C = LOG_SOURCES.c
_IDS = sa.bindparam("ids", type_=sa.Text)
"""The ids that are configured, as a JSON array: the same parameter for both databases."""

_MAKE = insert_unless_there(LOG_SOURCES)
_TOO_FAR = timedelta(hours=1)
"""Nobody puts a source off for so long, nor holds it."""


def _among_configured(picked: sa.Select[Any]) -> Statement:
    listed = sa.func.jsonb_array_elements_text(sa.cast(_IDS, postgresql.JSONB))
    return Statement(
        {
            "sqlite": picked.where(
                _C.id.in_(sa.select(sa.func.json_each(_IDS).table_valued("value").c.value))
            ),
            "postgresql": picked.where(_C.id.in_(sa.select(listed))),
        }
    )


def _is_over(moment: sa.Column[Any]) -> sa.ColumnElement[bool]:
    """One that is too far ahead was written while the clock was, and is not waited for."""
    return sa.or_(moment <= sa.bindparam("now"), moment > sa.bindparam("too_far"))


_PICK = _among_configured(
    sa.select(*LOG_SOURCES.columns)
    .where(_is_over(_C.due_at), sa.or_(_C.claim_until.is_(None), _is_over(_C.claim_until)))
    .order_by(_C.due_at, _C.id)
    .limit(sa.bindparam("rows", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_CLAIM = Statement(
    sa.update(LOG_SOURCES)
    .where(_C.id == sa.bindparam("at_id"))
    .values(claim_owner=sa.bindparam("owner"), claim_until=sa.bindparam("until"))
)
_OWN = sa.and_(_C.id == sa.bindparam("at_id"), _C.claim_owner == sa.bindparam("owner"))
_MOVE = Statement(
    sa.update(LOG_SOURCES)
    .where(_OWN)
    .values(
        cursor=sa.bindparam("new_cursor"),
        due_at=sa.bindparam("next"),
        failures=sa.literal_column("0"),
        last_error=sa.literal_column("''"),
        failing_since=sa.null(),
        claim_owner=sa.null(),
        claim_until=sa.null(),
    )
    .returning(_C.id)
)
_PUT_OFF = Statement(
    sa.update(LOG_SOURCES)
    .where(_OWN)
    .values(
        due_at=sa.bindparam("next"),
        failures=sa.bindparam("new_failures"),
        last_error=sa.bindparam("error"),
        failing_since=sa.bindparam("since"),
        claim_owner=sa.null(),
        claim_until=sa.null(),
    )
)


class SqlLogCursors:
    """The port `LogCursors` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def move(self, claim: LogClaim, cursor: str, due_at: datetime) -> None:
        """Store how far the source has been read."""
        require_writing(self._session)
        moved = await self._session.fetch(
            _MOVE,
            at_id=claim.source_id,
            owner=claim.token,
            new_cursor=cursor,
            next=from_time(due_at),
        )
        if not moved:
            raise LeaseLost(f"Another reader took over {claim.source_id}.")


class SqlLogQueue:
    """The port `LogQueue`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def schedule(self, source_ids: Collection[str], now: datetime) -> None:
        """Make every source known."""
        rows = [_new_row(source_id, now) for source_id in sorted(source_ids)]
        async with self._engine.session(writing=True) as session:
            await session.run_each(_MAKE, rows)

    async def claim(
        self, source_ids: Collection[str], now: datetime, *, span: timedelta, limit: int
    ) -> Sequence[LogClaim]:
        """Take what is due."""
        ids = to_json(sorted(source_ids))
        async with self._engine.session(writing=True) as session:
            picked = await session.fetch(
                _PICK, now=from_time(now), too_far=from_time(now + _TOO_FAR), rows=limit, ids=ids
            )
            claims = [_claim_of(row) for row in picked]
            until = from_time(now + span)
            await session.run_each(
                _CLAIM,
                [{"at_id": c.source_id, "owner": c.token, "until": until} for c in claims],
            )
        return claims

    async def put_off(
        self, claim: LogClaim, due_at: datetime, *, error: str = "", now: datetime
    ) -> None:
        """Give a claim back."""
        since = (claim.failing_since or now) if error else claim.failing_since
        row: dict[str, object] = {
            "at_id": claim.source_id,
            "owner": claim.token,
            "next": from_time(due_at),
            "new_failures": claim.failures + bool(error),
            "error": error,
            "since": None if since is None else from_time(since),
        }
        async with self._engine.session(writing=True) as session:
            await session.run_each(_PUT_OFF, [row])


def _new_row(source_id: str, now: datetime) -> dict[str, object]:
    return {
        "id": source_id,
        "cursor": "",
        "due_at": from_time(now),
        "failures": 0,
        "last_error": "",
        "failing_since": None,
        "claim_owner": None,
        "claim_until": None,
    }


def _claim_of(row: Row) -> LogClaim:
    return LogClaim(
        source_id=row["id"],
        token=secrets.token_hex(8),
        cursor=row["cursor"],
        failures=row["failures"],
        failing_since=to_optional_time(row["failing_since"]),
    )
