"""Deleting the records of other systems' alerts that ended long ago.

They are told from those of our own checks by having no time at which they are due: nobody asks them.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from storage.rows import from_time, to_json
from storage.schema import ALERTS, CHECKS, FLIPS, OPEN_ALERT, RUNNING_CHECK
from storage.session import Engine
from storage.statements import Statement

_C = CHECKS.c
_BEFORE = sa.bindparam("before", type_=sa.BigInteger)
_IDS = sa.bindparam("ids", type_=sa.Text)
"""As a JSON array: the same parameter for both databases."""

_OF_CHECK = FLIPS.c.check_id == _C.id
_ENDED = (
    _C.due_at.is_(None),
    _C.state.in_([sa.literal_column("'ok'"), sa.literal_column("'unknown'")]),
    sa.literal_column(RUNNING_CHECK, sa.Boolean),
    sa.exists().where(_OF_CHECK),
    ~sa.exists().where(_OF_CHECK, FLIPS.c.at >= _BEFORE),
    ~sa.exists().where(
        ALERTS.c.check_id == _C.id,
        sa.literal_column(OPEN_ALERT.replace("state", "alerts.state"), sa.Boolean),
    ),
)
_OLD = (
    sa.select(_C.id)
    .where(*_ENDED)
    .order_by(_C.id)
    .limit(sa.bindparam("rows", type_=sa.Integer))
    .with_for_update(skip_locked=True, of=CHECKS)
)
_FORGET = Statement(sa.delete(CHECKS).where(_C.id.in_(_OLD)).returning(_C.id))
_FORGET_FLIPS = Statement(
    {
        "sqlite": sa.delete(FLIPS).where(
            FLIPS.c.check_id.in_(sa.select(sa.func.json_each(_IDS).table_valued("value").c.value))
        ),
        "postgresql": sa.delete(FLIPS).where(
            FLIPS.c.check_id.in_(
                sa.select(sa.func.jsonb_array_elements_text(sa.cast(_IDS, postgresql.JSONB)))
            )
        ),
    }
)


class SqlCheckPurges:
    """The port `RecordPurges`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def vendor_records(self, before: datetime, limit: int) -> int:
        """Whoever hears of such an alert once more waits for the row, and then makes it anew."""
        async with self._engine.session(writing=True) as session:
            rows = await session.fetch(_FORGET, before=from_time(before), rows=limit)
            if rows:
                await session.fetch(_FORGET_FLIPS, ids=to_json([row["id"] for row in rows]))
        return len(rows)
