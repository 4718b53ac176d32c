"""What digests are made from: reads over rollouts, checks, alerts and errors, each by an index on time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from operations.monitoring.check import Flip
from operations.monitoring.digest.digest import EndedRollout, GroupLine
from operations.monitoring.digest.ports import (
    AlertTimes,
    HourCount,
    WatchChange,
)
from operations.monitoring.digest.span import Span, hour_of
from operations.redaction import shorten
from storage.checks import flip_of
from storage.rows import from_time, to_optional_time, to_time
from storage.schema import (
    ALERTS,
    AUDIT,
    ERROR_GROUPS,
    ERROR_HOURS,
    FLIPS,
    OPEN_GROUP,
    ROLLOUTS,
    TARGET_HOURS,
    UNREVIEWED,
    WATCH_CHANGE,
)
from storage.session import Row, Session
from storage.statements import Statement
from storage.whole_rollouts import IS_OWN

_LONGEST_ALERT = timedelta(days=31)
_CANDIDATES = 200
"""Of so many groups that rank highest the worst ones of a span are found."""

_SINCE = sa.bindparam("since", type_=sa.BigInteger)
_UNTIL = sa.bindparam("until", type_=sa.BigInteger)
_ROWS = sa.bindparam("rows", type_=sa.Integer)
# In the very words of the partial index that serves it; SQLite compares them.
_IS_OPEN = sa.literal_column(OPEN_GROUP, sa.Boolean)
_H, _G, _A, _R, _F, _T = TARGET_HOURS.c, ERROR_GROUPS.c, ALERTS.c, ROLLOUTS.c, FLIPS.c, AUDIT.c

_IS_SEEN = _G.imported < _G["count"]
"""By us, not only by another tool's logs."""


def _within(column: sa.ColumnElement[int]) -> sa.ColumnElement[bool]:
    return sa.and_(column >= _SINCE, column < _UNTIL)


def _sum(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """PostgreSQL adds bigints up to a numeric."""
    return sa.cast(sa.func.coalesce(sa.func.sum(column), 0), sa.BigInteger)


_ERRORS = Statement(
    sa.select(_H.project, _H.hour, _sum(_H.count).label("counted"))
    .where(_within(_H.hour))
    .group_by(_H.project, _H.hour)
)


def _counted(picked: sa.Subquery) -> sa.Label[int]:
    """How often a group was seen in the span."""
    hours = ERROR_HOURS.c
    total = sa.select(_sum(hours.count)).where(
        hours.group_id == picked.c.id, hours.hour >= sa.bindparam("hour"), hours.hour < _UNTIL
    )
    return total.correlate(picked).scalar_subquery().label("counted")


def _loudest(*rules: sa.ColumnElement[bool]) -> Statement:
    """Open groups, those with the greatest counts of the span first; `rank` picks the candidates."""
    picked = (
        sa.select(*(_G.id, _G.project, _G.environment, _G.title, _G.last_release, _G.rollout))
        .where(_IS_OPEN, _IS_SEEN, *rules)
        .order_by(_G.rank.desc())
        .limit(sa.literal_column(str(_CANDIDATES)))
        .subquery("picked")
    )
    counted = _counted(picked)
    return Statement(
        sa.select(*picked.c, counted).order_by(counted.desc(), picked.c.id).limit(_ROWS)
    )


_NEW_GROUPS = _loudest(_within(_G.first_seen))
_WORST_GROUPS = _loudest(_G.last_seen >= _SINCE)
_COUNT_NEW = Statement(
    sa.select(sa.func.count().label("counted"))
    .select_from(ERROR_GROUPS)
    .where(_within(_G.first_seen), _IS_OPEN, _IS_SEEN)
)
_ALERTS = Statement(
    sa.select(_A.fired_at, _A.acknowledged_at, _A.resolved_at).where(
        _A.fired_at >= sa.bindparam("oldest"),
        _A.fired_at < _UNTIL,
        _A.led_by.is_(None),
        sa.or_(_A.fired_at >= _SINCE, _within(_A.acknowledged_at), _within(_A.resolved_at)),
    )
)
_ROLLOUTS = Statement(
    sa.select(*(_R.id, _R.project, _R.environment, _R.version, _R.state, _R.ended_at, _R.outcome))
    .where(_within(_R.ended_at), IS_OWN)
    .order_by(_R.ended_at, _R.id)
)
_IS_UNREVIEWED = sa.literal_column(UNREVIEWED, sa.Boolean)
# With a bound on the id, without which SQLite takes no partial index for it.
_UNREVIEWED = Statement(
    sa.select(*(_R.id, _R.project, _R.environment, _R.version, _R.state, _R.ended_at, _R.outcome))
    .where(_IS_UNREVIEWED, _R.id > sa.bindparam("after", type_=sa.BigInteger))
    .order_by(_R.id)
    .limit(_ROWS)
)
_COUNT_UNREVIEWED = Statement(
    sa.select(sa.func.count().label("counted"))
    .select_from(ROLLOUTS)
    .where(_IS_UNREVIEWED, _R.id > sa.bindparam("after", type_=sa.BigInteger))
)
_FLIPS = Statement(sa.select(*FLIPS.columns).where(_F.at >= _SINCE).order_by(_F.at, _F.id))
# In the very words of the partial index that serves it; SQLite compares them.
_WATCH_CHANGES = Statement(
    sa.select(_T.subject, _T.action, _T.at)
    .where(sa.literal_column(WATCH_CHANGE, sa.Boolean), _T.at >= _SINCE)
    .order_by(_T.at, _T.number)
)


class SqlDigestSources:
    """The port `DigestSources` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def errors(self, hours: Span) -> Sequence[HourCount]:
        """Counts by project and hour."""
        rows = await self._session.fetch(_ERRORS, **_ends(hours))
        return [
            HourCount(project=row["project"], hour=to_time(row["hour"]), count=row["counted"])
            for row in rows
        ]

    async def new_groups(self, span: Span, *, limit: int) -> tuple[Sequence[GroupLine], int]:
        """The loudest, and how many."""
        hour = from_time(hour_of(span.since))
        rows = await self._session.fetch(_NEW_GROUPS, **_ends(span), hour=hour, rows=limit)
        counted = await self._session.fetch(_COUNT_NEW, **_ends(span))
        return [_group_of(row) for row in rows], counted[0]["counted"]

    async def worst_groups(self, span: Span, *, limit: int) -> Sequence[GroupLine]:
        """The loudest."""
        hour = from_time(hour_of(span.since))
        rows = await self._session.fetch(_WORST_GROUPS, **_ends(span), hour=hour, rows=limit)
        return [_group_of(row) for row in rows if row["counted"]]

    async def alerts(self, span: Span) -> Sequence[AlertTimes]:
        """Their times."""
        oldest = from_time(span.since - _LONGEST_ALERT)
        return [
            AlertTimes(
                fired_at=to_time(row["fired_at"]),
                acknowledged_at=to_optional_time(row["acknowledged_at"]),
                resolved_at=to_optional_time(row["resolved_at"]),
            )
            for row in await self._session.fetch(_ALERTS, **_ends(span), oldest=oldest)
        ]

    async def rollouts(self, span: Span) -> Sequence[EndedRollout]:
        """How they ended."""
        return [_rollout_of(row) for row in await self._session.fetch(_ROLLOUTS, **_ends(span))]

    async def unreviewed(self, *, limit: int) -> tuple[Sequence[EndedRollout], int]:
        """Of ours: what another tool shipped is nobody's to review."""
        rows = await self._session.fetch(_UNREVIEWED, after=0, rows=limit)
        counted = await self._session.fetch(_COUNT_UNREVIEWED, after=0)
        return [_rollout_of(row) for row in rows], counted[0]["counted"]

    async def flips(self, since: datetime) -> Sequence[Flip]:
        """Of all checks."""
        rows = await self._session.fetch(_FLIPS, since=from_time(since))
        return [flip_of(row) for row in rows]

    async def watch_changes(self, since: datetime) -> Sequence[WatchChange]:
        """As the audit trail tells them."""
        return [
            WatchChange(row["subject"], row["action"] == "check.stopped", to_time(row["at"]))
            for row in await self._session.fetch(_WATCH_CHANGES, since=from_time(since))
        ]


def _ends(span: Span) -> dict[str, int]:
    return {"since": from_time(span.since), "until": from_time(span.until)}


def _group_of(row: Row) -> GroupLine:
    return GroupLine(
        id=row["id"],
        project=row["project"],
        environment=row["environment"],
        title=row["title"],
        count=row["counted"],
        release=row["last_release"],
        rollout=row["rollout"],
    )


def _rollout_of(row: Row) -> EndedRollout:
    return EndedRollout(
        name=f"D-{row['id']}",
        project=row["project"],
        environment=row["environment"],
        version=row["version"],
        state=row["state"],
        ended_at=to_time(row["ended_at"]),
        outcome=shorten(row["outcome"], limit=200),
    )
