"""Requests that carried a key of the caller's, and what they were answered."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from operations.deployment.repeats import Repeat
from operations.errors import VersionConflict
from storage.rows import from_time, to_time
from storage.schema import REPEATS
from storage.session import Session, UniqueViolation, require_writing
from storage.statements import Statement

_R = REPEATS.c
_GET = Statement(
    sa.select(*REPEATS.columns).where(
        _R.component == sa.bindparam("at_component"), _R.key == sa.bindparam("at_key")
    )
)
_ADD = Statement(sa.insert(REPEATS), columns=[c.name for c in REPEATS.columns])
_FORGET = Statement(sa.delete(REPEATS).where(_R.at < sa.bindparam("before")))


class SqlRepeats:
    """The port `Repeats` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def get(self, component: str, key: str) -> Repeat | None:
        """Read one."""
        rows = await self._session.fetch(_GET, at_component=component, at_key=key)
        if not rows:
            return None
        row = rows[0]
        return Repeat(
            component=row["component"],
            key=row["key"],
            body_hash=row["body_hash"],
            answer=row["answer"],
            rollout_id=row["rollout_id"],
            at=to_time(row["at"]),
        )

    async def add(self, repeat: Repeat) -> None:
        """Store one; on PostgreSQL this waits for another who stores the same and has not ended."""
        require_writing(self._session)
        try:
            await self._session.fetch(
                _ADD,
                component=repeat.component,
                key=repeat.key,
                body_hash=repeat.body_hash,
                answer=repeat.answer,
                rollout_id=repeat.rollout_id,
                at=from_time(repeat.at),
            )
        except UniqueViolation as exc:
            raise VersionConflict("Another request with this key was first.") from exc

    async def forget(self, before: datetime) -> None:
        """Delete the older ones."""
        require_writing(self._session)
        await self._session.fetch(_FORGET, before=from_time(before))
