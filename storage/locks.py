"""People's holds on targets."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from operations.deployment.rollout import TargetLock
from storage.rows import (
    Columns,
    actor_columns,
    actor_of,
    from_optional_time,
    from_time,
    to_optional_time,
    to_time,
)
from storage.schema import LOCKS
from storage.session import Row, Session, require_writing
from storage.statements import Statement, upsert

_L = LOCKS.c
_OF_TARGET = (
    _L.project == sa.bindparam("at_project"),
    _L.environment == sa.bindparam("at_environment"),
)
_IN_FORCE = sa.or_(_L.until.is_(None), _L.until > sa.bindparam("now"))
_GET = Statement(sa.select(*LOCKS.columns).where(*_OF_TARGET, _IN_FORCE))
_PUT = upsert(LOCKS, lambda new: {c.name: new[c.name] for c in LOCKS.columns if not c.primary_key})
_REMOVE = Statement(sa.delete(LOCKS).where(*_OF_TARGET))


class SqlLocks:
    """The port `Locks` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(
        self, project: str, environment: str, now: datetime, *, lock: bool = False
    ) -> TargetLock | None:
        """The lock in force. There may be no row to hold yet, so the target's name is held."""
        if lock:
            require_writing(self._session)
            await self._session.hold(f"lock of {project}/{environment}")
        rows = await self._session.fetch(
            _GET, at_project=project, at_environment=environment, now=from_time(now)
        )
        return _lock_of(rows[0]) if rows else None

    async def put(self, lock: TargetLock) -> None:
        """Set or replace."""
        require_writing(self._session)
        await self._session.fetch(_PUT, **_columns(lock))

    async def remove(self, project: str, environment: str) -> None:
        """Lift, if there is one."""
        require_writing(self._session)
        await self._session.fetch(_REMOVE, at_project=project, at_environment=environment)


def _columns(lock: TargetLock) -> Columns:
    return {
        "project": lock.project,
        "environment": lock.environment,
        **actor_columns("actor", lock.actor),
        "reason": lock.reason,
        "at": from_time(lock.at),
        "until": from_optional_time(lock.until),
    }


def _lock_of(row: Row) -> TargetLock:
    return TargetLock(
        project=row["project"],
        environment=row["environment"],
        actor=actor_of(row, "actor"),
        reason=row["reason"],
        at=to_time(row["at"]),
        until=to_optional_time(row["until"]),
    )
