"""Groups of errors in the database, whose own rule it is that a fingerprint has one group on a target."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from operations.errors import VersionConflict
from operations.monitoring.errors.event import Level
from operations.monitoring.errors.group import ErrorGroup, GroupQuery, GroupState, Order
from storage.rows import (
    Columns,
    actor_json,
    from_optional_time,
    from_time,
    to_actor,
    to_json,
    to_optional_time,
    to_time,
)
from storage.schema import ERROR_GROUPS, OPEN_GROUP, TIED_GROUP
from storage.session import Row, Session, UniqueViolation, require_writing
from storage.statements import Statement

_G = ERROR_GROUPS.c
_STORED = [c.name for c in ERROR_GROUPS.columns if c.name != "id"]
# In the very words of the partial indexes that serve them; SQLite compares them.
_IS_OPEN = sa.literal_column(OPEN_GROUP, sa.Boolean)
_IS_TIED = sa.literal_column(TIED_GROUP, sa.Boolean)
_FINGERPRINTS = sa.bindparam("fingerprints", type_=sa.Text)
"""A JSON array: the same parameter for both databases."""

_OF_ID = sa.select(*ERROR_GROUPS.columns).where(_G.id == sa.bindparam("at_id"))
_GET = Statement(_OF_ID)
_HOLD = Statement(_OF_ID.with_for_update())
_OF_TARGET = (
    sa.select(*ERROR_GROUPS.columns)
    .where(
        _G.project == sa.bindparam("at_project"),
        _G.environment == sa.bindparam("at_environment"),
    )
    .order_by(_G.fingerprint)
    .with_for_update()
)
_HOLD_AMONG = Statement(
    {
        "sqlite": _OF_TARGET.where(
            _G.fingerprint.in_(
                sa.select(sa.func.json_each(_FINGERPRINTS).table_valued("value").c.value)
            )
        ),
        "postgresql": _OF_TARGET.where(
            _G.fingerprint.in_(
                sa.select(
                    sa.func.jsonb_array_elements_text(sa.cast(_FINGERPRINTS, postgresql.JSONB))
                )
            )
        ),
    }
)
_ADD = Statement(sa.insert(ERROR_GROUPS).returning(_G.id), columns=_STORED)
_SAVE = Statement(sa.update(ERROR_GROUPS).where(_G.id == sa.bindparam("at_id")), columns=_STORED)
_BEGAN_AFTER = Statement(
    sa.select(*ERROR_GROUPS.columns)
    .where(_IS_TIED, _G.rollout == sa.bindparam("at_rollout"))
    .order_by(_G.rank.desc())
    .limit(sa.bindparam("rows", type_=sa.Integer))
)
_HEARD_AFTER = Statement(
    sa.select(_G.id)
    .where(
        _IS_TIED,
        _G.rollout == sa.bindparam("at_rollout"),
        sa.or_(_G.silenced_until.is_(None), _G.silenced_until <= sa.bindparam("now")),
    )
    .limit(sa.bindparam("rows", type_=sa.Integer))
)


def _search(order: Order, by_project: bool, by_environment: bool) -> Statement:
    key = _G.rank if order is Order.WORST else _G.first_seen
    found = sa.select(*ERROR_GROUPS.columns).where(_IS_OPEN, _G.last_seen >= sa.bindparam("since"))
    if by_project:
        found = found.where(_G.project == sa.bindparam("at_project"))
    if by_environment:
        found = found.where(_G.environment == sa.bindparam("at_environment"))
    return Statement(
        found.order_by(key.desc(), _G.id.desc()).limit(sa.bindparam("rows", type_=sa.Integer))
    )


SEARCHES = {key: _search(*key) for key in itertools.product(Order, (False, True), (False, True))}
"""By order, and by whether a project and an environment are asked for."""


class SqlErrorGroups:
    """The port `ErrorGroups` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def held(
        self, project: str, environment: str, fingerprints: Sequence[str]
    ) -> Mapping[str, ErrorGroup]:
        """One writer at a time for each target: nobody then adds a group that another is just adding."""
        require_writing(self._session)
        await self._session.hold(f"errors of {project}/{environment}")
        rows = await self._session.fetch(
            _HOLD_AMONG,
            at_project=project,
            at_environment=environment,
            fingerprints=to_json(list(fingerprints)),
        )
        groups = [_group_of(row) for row in rows]
        return {group.fingerprint: group for group in groups}

    async def add(self, group: ErrorGroup) -> ErrorGroup:
        """Store a new one."""
        require_writing(self._session)
        try:
            rows = await self._session.fetch(_ADD, **_columns(group))
        except UniqueViolation as exc:
            raise VersionConflict("Another one has just added this group.") from exc
        return replace(group, id=rows[0]["id"])

    async def get(self, group_id: int, *, lock: bool = False) -> ErrorGroup | None:
        """Read one."""
        if lock:
            require_writing(self._session)
        rows = await self._session.fetch(_HOLD if lock else _GET, at_id=group_id)
        return _group_of(rows[0]) if rows else None

    async def save(self, groups: Sequence[ErrorGroup]) -> Sequence[ErrorGroup]:
        """Store them with the next statement."""
        require_writing(self._session)
        saved = [replace(group, revision=group.revision + 1) for group in groups]
        await self._session.defer(
            _SAVE, [{**_columns(group), "at_id": group.id} for group in saved]
        )
        return saved

    async def search(self, query: GroupQuery) -> Sequence[ErrorGroup]:
        """Open ones in the query's order."""
        statement = SEARCHES[query.order, bool(query.project), bool(query.environment)]
        rows = await self._session.fetch(
            statement,
            at_project=query.project,
            at_environment=query.environment,
            since=from_time(query.since) if query.since else 0,
            rows=query.limit,
        )
        return [_group_of(row) for row in rows]

    async def began_after(self, rollout: str, *, limit: int) -> Sequence[ErrorGroup]:
        """Those tied to it."""
        rows = await self._session.fetch(_BEGAN_AFTER, at_rollout=rollout, rows=limit)
        return [_group_of(row) for row in rows]

    async def heard_after(self, rollout: str, now: datetime, *, limit: int) -> Collection[int]:
        """Of those tied to it."""
        rows = await self._session.fetch(
            _HEARD_AFTER, at_rollout=rollout, now=from_time(now), rows=limit
        )
        return [row["id"] for row in rows]


def _columns(group: ErrorGroup) -> Columns:
    """Every column but the id."""
    return {
        "project": group.project,
        "environment": group.environment,
        "fingerprint": group.fingerprint,
        "title": group.title,
        "level": group.level.word,
        "state": group.state.value,
        "revision": group.revision,
        "count": group.count,
        "first_seen": from_time(group.first_seen),
        "last_seen": from_time(group.last_seen),
        "first_release": group.first_release,
        "last_release": group.last_release,
        "rank": group.rank,
        "imported": group.imported,
        "rollout": group.rollout,
        "silenced_by": actor_json(group.silenced_by),
        "silenced_until": from_optional_time(group.silenced_until),
        "resolved_by": actor_json(group.resolved_by),
        "resolved_at": from_optional_time(group.resolved_at),
    }


def _group_of(row: Row) -> ErrorGroup:
    return ErrorGroup(
        id=row["id"],
        project=row["project"],
        environment=row["environment"],
        fingerprint=row["fingerprint"],
        title=row["title"],
        level=Level[row["level"].upper()],
        state=GroupState(row["state"]),
        revision=row["revision"],
        count=row["count"],
        first_seen=to_time(row["first_seen"]),
        last_seen=to_time(row["last_seen"]),
        first_release=row["first_release"],
        last_release=row["last_release"],
        rank=row["rank"],
        imported=row["imported"],
        rollout=row["rollout"],
        silenced_by=to_actor(row["silenced_by"]),
        silenced_until=to_optional_time(row["silenced_until"]),
        resolved_by=to_actor(row["resolved_by"]),
        resolved_at=to_optional_time(row["resolved_at"]),
    )
