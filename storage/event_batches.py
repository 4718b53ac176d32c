"""Keys of batches of events, each once: that is the database's own rule."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from operations.monitoring.errors.repeats import BatchKey
from storage.rows import from_time
from storage.schema import EVENT_BATCHES
from storage.session import Session, require_writing
from storage.statements import Statement

_B = EVENT_BATCHES.c
_ADD = Statement(
    {
        "sqlite": sqlite.insert(EVENT_BATCHES).on_conflict_do_nothing().returning(_B.at),
        "postgresql": postgresql.insert(EVENT_BATCHES).on_conflict_do_nothing().returning(_B.at),
    },
    columns=[column.name for column in EVENT_BATCHES.columns],
)
_GET = Statement(
    sa.select(_B.body_hash).where(
        _B.sender == sa.bindparam("at_sender"), _B.key == sa.bindparam("at_key")
    )
)


class SqlBatchKeys:
    """The port `BatchKeys` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, key: BatchKey, at: datetime) -> str | None:
        """Store one, or read what is there."""
        require_writing(self._session)
        added = await self._session.fetch(
            _ADD, sender=key.sender, key=key.key, body_hash=key.body_hash, at=from_time(at)
        )
        if added:
            return None
        rows = await self._session.fetch(_GET, at_sender=key.sender, at_key=key.key)
        return str(rows[0]["body_hash"])
