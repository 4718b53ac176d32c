"""Rollouts of another tool, brought in as history: below every id of our own, and never taken for live."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from operations.deployment.rollout import FIRST_IMPORTED, Rollout
from storage.rows import rollout_columns, to_json
from storage.schema import IMPORTED_ROLLOUT, ROLLOUTS
from storage.session import Engine, Session
from storage.statements import Statement

_R = ROLLOUTS.c
# In the very words of the partial index that serves it; SQLite compares them.
_IS_IMPORTED = sa.literal_column(IMPORTED_ROLLOUT, sa.Boolean)
_KEYS = sa.bindparam("keys", type_=sa.Text)
"""A JSON array: the same parameter for both databases."""

_KNOWN = sa.select(_R.external_id).where(_IS_IMPORTED)
_KNOWN_AMONG = Statement(
    {
        "sqlite": _KNOWN.where(
            _R.external_id.in_(sa.select(sa.func.json_each(_KEYS).table_valued("value").c.value))
        ),
        "postgresql": _KNOWN.where(
            _R.external_id.in_(
                sa.select(sa.func.jsonb_array_elements_text(sa.cast(_KEYS, postgresql.JSONB)))
            )
        ),
    }
)
_NEWEST = Statement(
    sa.select(sa.func.max(_R.id).label("newest")).where(_R.id < sa.literal_column("0"))
)
_STORED = [c.name for c in ROLLOUTS.columns if not c.name.startswith("lease_")]
_ADD = Statement(sa.insert(ROLLOUTS), columns=_STORED)


class SqlImports:
    """What `migrate logs` stores rollouts through. Each call is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, rollouts: Sequence[Rollout]) -> int:
        """Store those, oldest first, that are not there by their `external_id`; how many those were.

        All of it happens, or nothing; two who import at once do so one after the other.
        """
        async with self._engine.session(writing=True) as session:
            await session.hold("imports")
            known = await _known(session, (each.external_id for each in rollouts))
            rows = await session.fetch(_NEWEST)
            free = FIRST_IMPORTED if rows[0]["newest"] is None else int(rows[0]["newest"]) + 1
            new = {each.external_id: each for each in rollouts if each.external_id not in known}
            stored = [replace(each, id=free + n) for n, each in enumerate(new.values())]
            await session.run_each(
                _ADD, [{"id": each.id, **rollout_columns(each)} for each in stored]
            )
        return len(stored)

    async def known(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that are the `external_id` of an imported rollout."""
        async with self._engine.session(writing=False) as session:
            return await _known(session, keys)


async def _known(session: Session, keys: Iterable[str]) -> set[str]:
    return {row["external_id"] for row in await session.fetch(_KNOWN_AMONG, keys=to_json([*keys]))}
