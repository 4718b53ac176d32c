"""The append-only trail. The database itself refuses to change or delete what it holds.

Events are kept until the transaction ends and written last: on PostgreSQL those who append wait for one
another, and so they do it for as short a time as can be, holding everything else they need already.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import sqlalchemy as sa

from operations.audit import AuditEvent, Recorded, chain_hash
from storage.rows import actor_columns, actor_of, from_time, to_json, to_time
from storage.schema import AUDIT
from storage.session import Row, Session, require_writing
from storage.statements import Statement

_A = AUDIT.c
_PAGE = 1000
_NEWEST = Statement(
    sa.select(_A.number, _A.hash).order_by(_A.number.desc()).limit(sa.literal_column("1"))
)
_ADD = Statement(sa.insert(AUDIT), columns=[c.name for c in AUDIT.columns])
_OF_SUBJECT = Statement(
    sa.select(*AUDIT.columns).where(_A.subject == sa.bindparam("subject")).order_by(_A.number)
)
_AFTER = Statement(
    sa.select(*AUDIT.columns)
    .where(_A.number > sa.bindparam("after"))
    .order_by(_A.number)
    .limit(sa.literal_column(str(_PAGE)))
)

_BEFORE = AUDIT.alias("before")
_RECORDED_AFTER = Statement(
    sa.select(
        *AUDIT.columns, sa.func.coalesce(_BEFORE.c.hash, sa.literal_column("''")).label("previous")
    )
    .select_from(sa.outerjoin(AUDIT, _BEFORE, _BEFORE.c.number == _A.number - 1))
    .where(_A.number > sa.bindparam("after"))
    .order_by(_A.number)
    .limit(sa.literal_column(str(_PAGE)))
)
_FIRST_SINCE = Statement(
    sa.select(sa.func.min(_A.number).label("number")).where(_A.at >= sa.bindparam("since"))
)


class SqlAuditLog:
    """The port `AuditLog` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._unwritten: list[AuditEvent] = []

    async def add(self, event: AuditEvent) -> None:
        """Append, at the end of the transaction; the time's zone is not kept, so it is hashed in UTC."""
        require_writing(self._session)
        self._unwritten.append(replace(event, at=event.at.astimezone(UTC)))

    async def of(self, subject: str) -> Sequence[AuditEvent]:
        """A subject's events."""
        await self.write()
        return [event_of(row) for row in await self._session.fetch(_OF_SUBJECT, subject=subject)]

    async def recorded(self, after: int) -> Sequence[Recorded]:
        """The next events after this number, with their hashes; none at the end of the trail."""
        rows = await self._session.fetch(_RECORDED_AFTER, after=after)
        return [
            Recorded(
                number=row["number"],
                event=event_of(row),
                previous=row["previous"],
                hash=row["hash"],
            )
            for row in rows
        ]

    async def first_since(self, moment: datetime) -> int | None:
        """The number of the first event of that moment or later."""
        rows = await self._session.fetch(_FIRST_SINCE, since=from_time(moment))
        return None if rows[0]["number"] is None else int(rows[0]["number"])

    async def broken_at(self) -> int | None:
        """Walk the chain from its beginning; numbers have no gaps, so a missing event shows too.

        That the newest events were cut off cannot be seen from the chain alone.
        """
        await self.write()
        number, hash_ = 0, ""
        while rows := await self._session.fetch(_AFTER, after=number):
            for row in rows:
                number += 1
                hash_ = chain_hash(hash_, event_of(row))
                if (row["number"], row["hash"]) != (number, hash_):
                    return int(row["number"])
        return None

    async def write(self) -> None:
        """Append what was added; `storage.store` calls it before the commit."""
        if not self._unwritten:
            return
        await self._session.take_turn()
        newest = await self._session.fetch(_NEWEST)
        number, hash_ = (newest[0]["number"], newest[0]["hash"]) if newest else (0, "")
        rows: list[dict[str, object]] = []
        for event in self._unwritten:
            number, hash_ = number + 1, chain_hash(hash_, event)
            rows.append(_columns(number, hash_, event))
        await self._session.defer(_ADD, rows)
        self._unwritten.clear()


def _columns(number: int, hash_: str, event: AuditEvent) -> dict[str, object]:
    return {
        "number": number,
        "at": from_time(event.at),
        **actor_columns("actor", event.actor),
        "action": event.action,
        "subject": event.subject,
        "detail": to_json(dict(event.detail)),
        "hash": hash_,
    }


def event_of(row: Row) -> AuditEvent:
    """The event of a row of the trail."""
    return AuditEvent(
        at=to_time(row["at"]),
        actor=actor_of(row, "actor"),
        action=row["action"],
        subject=row["subject"],
        detail=json.loads(row["detail"]),
    )
