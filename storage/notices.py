"""The outbox, within a transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from operations.outbox import SLACK, Notice, NoticeKind, Urgency
from operations.routing import Routing
from storage.rows import from_time
from storage.schema import NOTICES
from storage.session import Session, Topic, require_writing
from storage.statements import Excluded, Language, Statement, upsert

_N = NOTICES.c
_IS_DELIVERED = _N.version <= _N.delivered_version


def _put_again(new: Excluded) -> Mapping[str, sa.ColumnElement[Any]]:
    """One that waits keeps the more urgent of both urgencies and its age.

    One that was postponed is not hurried by mere progress; a decision or an end is tried at once, and
    its attempts count anew: else a short outage amid much progress would hold the end back for long.
    Progress adds nothing to what has fallen back already; a new decision or end does, unless the way to
    fall back on is told of it in this transaction too (then the refused row says so).
    """
    afresh = sa.or_(_IS_DELIVERED, new.urgency < int(Urgency.PROGRESS))
    more_urgent = sa.case((_N.urgency < new.urgency, _N.urgency), else_=new.urgency)
    keeps_up = sa.and_(new.urgency >= int(Urgency.PROGRESS), _N.fallen_back >= _N.version)
    is_told = sa.or_(new.fallen_back > 0, keeps_up)
    return {
        "channel": new.channel,
        "urgency": sa.case((_IS_DELIVERED, new.urgency), else_=more_urgent),
        "version": _N.version + 1,
        "created_at": sa.case((_IS_DELIVERED, new.created_at), else_=_N.created_at),
        "put_at": new.put_at,
        "due_at": sa.case((sa.or_(afresh, _N.attempts == 0), new.due_at), else_=_N.due_at),
        "attempts": sa.case((afresh, 0), else_=_N.attempts),
        "fallen_back": sa.case((is_told, _N.version + 1), else_=_N.fallen_back),
    }


PUT = upsert(NOTICES, _put_again)
_COLUMNS = [column.name for column in NOTICES.columns]


def _put_present() -> dict[Language, ClauseElement]:
    """The row once more as it would be put for the first time, so that the same rule decides."""
    anew = row_of(
        Notice(subject="", kind=NoticeKind.CARD, channel="", urgency=Urgency.REDRAW), at=0
    )
    kept = {"subject", "kind", "route", "channel"}
    times = {"created_at", "put_at", "due_at"}
    at = sa.bindparam("at", type_=sa.BigInteger)
    values = [
        _N[name]
        if name in kept
        else at.label(name)
        if name in times
        else sa.literal(anew[name], NOTICES.columns[name].type).label(name)
        for name in _COLUMNS
    ]
    present = sa.select(*values).where(
        _N.subject == sa.bindparam("at_subject"),
        _N.kind == sa.bindparam("at_kind"),
        _N.route == sa.bindparam("at_route"),
    )
    keys = [column.name for column in NOTICES.primary_key.columns]
    embedded = sqlite.insert(NOTICES).from_select(_COLUMNS, present)
    server = postgresql.insert(NOTICES).from_select(_COLUMNS, present)
    return {
        "sqlite": embedded.on_conflict_do_update(
            index_elements=keys, set_=_put_again(embedded.excluded)
        ),
        "postgresql": server.on_conflict_do_update(
            index_elements=keys, set_=_put_again(server.excluded)
        ),
    }


class SqlNotices:
    """The port `Outbox` within one transaction."""

    def __init__(self, session: Session, routing: Routing) -> None:
        self._session = session
        self._routing = routing
        self._redraws: dict[tuple[str, str], int] = {}

    async def put(self, notice: Notice, now: datetime) -> None:
        """Make it due, on every way that is there for it; without a channel not in Slack."""
        require_writing(self._session)
        at = from_time(now)
        rows = [row_of(more, at) for more in self._routing.beside(notice)]
        if notice.channel:
            # Slack's row first, as who falls back takes them: else each could wait for the other's.
            rows.insert(0, row_of(notice, at, is_covered=self._routing.is_covered(notice)))
        if rows:
            await self._session.defer(PUT, rows)
            self._session.announce(Topic.NOTICES)

    async def redraw(self, subject: str, kind: NoticeKind, now: datetime) -> None:
        """Slack's row only; written by `write`."""
        require_writing(self._session)
        self._redraws[subject, kind.value] = from_time(now)

    async def write(self) -> None:
        """Write what is to be drawn again: last and in order.

        One digest's row is wanted by transactions of many targets. Held while another lock is waited for, it
        would have two of them wait for each other.
        """
        rows = [
            {"at_subject": subject, "at_kind": kind, "at_route": SLACK, "at": at}
            for (subject, kind), at in sorted(self._redraws.items())
        ]
        if rows:
            await self._session.defer(REDRAW, rows)
            self._session.announce(Topic.NOTICES)


def row_of(notice: Notice, at: int, *, is_covered: bool = False) -> dict[str, object]:
    """A notice that is put for the first time. `is_covered`: the way to fall back on tells it too."""
    return {
        "subject": notice.subject,
        "kind": notice.kind.value,
        "route": notice.route,
        "channel": notice.channel,
        "urgency": int(notice.urgency),
        "version": 1,
        "delivered_version": 0,
        "created_at": at,
        "put_at": at,
        "due_at": at,
        "attempts": 0,
        "last_error": "",
        "claim_owner": None,
        "claim_number": 0,
        "claim_until": None,
        "uncertain": False,
        "posted_channel": None,
        "posted_ts": None,
        "fallen_back": int(is_covered),
    }


REDRAW = Statement(_put_present())
