"""Notices whose route is closed: those for Slack go another way, those for a way that is gone are given up.

That Slack is down is read from the notices themselves: the last attempt of one that waits too long ended in
an error. Then whatever waits as long falls back too, also what nobody has come to try yet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime

import sqlalchemy as sa

from operations.outbox import SLACK, Notice, NoticeKind, Urgency
from storage.notices import PUT, row_of
from storage.rows import from_time
from storage.schema import NOTICES, UNDELIVERED
from storage.session import Engine, Row, Topic
from storage.statements import Statement

_N = NOTICES.c
_IS_UNDELIVERED = sa.literal_column(UNDELIVERED, sa.Boolean)
_AT_ONCE = 200
"""Rows of one transaction: the next call takes the next."""

_OVERDUE = (
    _IS_UNDELIVERED,
    _N.route == SLACK,
    _N.created_at <= sa.bindparam("before"),
    _N.urgency < int(Urgency.PROGRESS),
)
_IS_DOWN = Statement(
    sa.select(_N.subject).where(*_OVERDUE, _N.last_error != sa.literal_column("''")).limit(1)
)
_PICK = Statement(
    sa.select(_N.subject, _N.kind, _N.urgency, _N.version)
    .where(
        *_OVERDUE,
        _N.fallen_back < _N.version,
        # What evidence there is, the other ways tell with the end itself.
        _N.kind != NoticeKind.EVIDENCE.value,
    )
    .order_by(_N.urgency, _N.created_at, _N.subject, _N.kind)
    .limit(sa.bindparam("rows", type_=sa.Integer))
    .with_for_update(skip_locked=True)
)
_MARK = Statement(
    sa.update(NOTICES)
    .where(
        _N.subject == sa.bindparam("at_subject"),
        _N.kind == sa.bindparam("at_kind"),
        _N.route == SLACK,
    )
    .values(fallen_back=sa.bindparam("seen"))
)
_IS_OLD = _N.created_at <= sa.bindparam("before")
_ROUTES = Statement(sa.select(_N.route).where(_IS_UNDELIVERED, _IS_OLD).distinct())
_RETIRE = Statement(
    sa.delete(NOTICES)
    .where(_IS_UNDELIVERED, _IS_OLD, _N.route == sa.bindparam("on_route"))
    .returning(_N.route)
)


class SqlFallBackQueue:
    """The port `FallBackQueue`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def fall_back(self, route: str, now: datetime, before: datetime) -> int:
        """Put on `route` what waits for Slack; a reader finds out first whether that is needed."""
        since = from_time(before)
        async with self._engine.session(writing=False) as session:
            if not await session.fetch(_IS_DOWN, before=since):
                return 0
        async with self._engine.session(writing=True) as session:
            picked = await session.fetch(_PICK, before=since, rows=_AT_ONCE)
            if not picked:
                return 0
            await session.run_each(_MARK, [_mark_of(row) for row in picked])
            at = from_time(now)
            await session.run_each(PUT, [row_of(_notice_of(row, route), at) for row in picked])
            session.announce(Topic.NOTICES)
        return len(picked)

    async def retire(self, routes: Collection[str], before: datetime) -> Mapping[str, int]:
        """Give up what nobody delivers any more."""
        since = from_time(before)
        async with self._engine.session(writing=False) as session:
            waiting = [row["route"] for row in await session.fetch(_ROUTES, before=since)]
        gone = sorted(set(waiting) - set(routes))
        given_up: Counter[str] = Counter()
        for route in gone:
            async with self._engine.session(writing=True) as session:
                given_up[route] += len(await session.fetch(_RETIRE, on_route=route, before=since))
        return given_up


def _mark_of(row: Row) -> dict[str, object]:
    return {"at_subject": row["subject"], "at_kind": row["kind"], "seen": row["version"]}


def _notice_of(row: Row, route: str) -> Notice:
    return Notice(
        subject=row["subject"],
        kind=NoticeKind(row["kind"]),
        channel="",
        urgency=Urgency(row["urgency"]),
        route=route,
    )
