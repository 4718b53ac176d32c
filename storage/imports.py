"""Rollouts of another tool, brought in as history: below every id of our own, and never taken for live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from operations.deployment.rollout import FIRST_IMPORTED, UNKNOWN_VERSION, Rollout
from storage.rows import from_time, rollout_columns, to_json
from storage.schema import IMPORTED_ROLLOUT, ROLLOUTS
from storage.session import Engine, Row, Session
from storage.statements import Statement
from storage.whole_rollouts import IS_OWN

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
_OURS = Statement(
    sa.select(_R.project, _R.environment, _R.version, _R.started_at, _R.ended_at).where(
        IS_OWN, _R.ended_at >= sa.bindparam("since"), _R.started_at <= sa.bindparam("until")
    )
)
_MARGIN = 5_000_000
"""Microseconds between the word of the other tool and ours."""
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
        """Store those, oldest first, that are not there; how many those were.

        One is there by its `external_id`, or as a rollout of our own: in dual mode it is another tool that
        carries those out, and logs them. All of it happens, or nothing; two who import at once do so one
        after the other.
        """
        async with self._engine.session(writing=True) as session:
            await session.hold("imports")
            new = await _missing(session, rollouts)
            rows = await session.fetch(_NEWEST)
            free = FIRST_IMPORTED if rows[0]["newest"] is None else int(rows[0]["newest"]) + 1
            stored = [replace(each, id=free + n) for n, each in enumerate(new)]
            await session.run_each(
                _ADD, [{"id": each.id, **rollout_columns(each)} for each in stored]
            )
        return len(stored)

    async def missing(self, rollouts: Sequence[Rollout]) -> Sequence[Rollout]:
        """Those that `add` would store."""
        async with self._engine.session(writing=False) as session:
            return await _missing(session, rollouts)


async def _missing(session: Session, rollouts: Sequence[Rollout]) -> Sequence[Rollout]:
    given = {each.external_id: each for each in rollouts}
    rows = await session.fetch(_KNOWN_AMONG, keys=to_json([*given]))
    known = {row["external_id"] for row in rows}
    ends = [from_time(each.ended_at) for each in rollouts if each.ended_at]
    if not ends:
        return []
    ours: dict[tuple[str, str], list[Row]] = {}
    for row in await session.fetch(_OURS, since=min(ends) - _MARGIN, until=max(ends) + _MARGIN):
        ours.setdefault((row["project"], row["environment"]), []).append(row)
    return [
        each
        for key, each in given.items()
        if key not in known
        and not any(_is_same(row, each) for row in ours.get((each.project, each.environment), ()))
    ]


def _is_same(row: Row, imported: Rollout) -> bool:
    """Whether a rollout of ours on the same target is what another tool logged: time and version."""
    ended = from_time(imported.ended_at or imported.requested_at)
    is_within = row["started_at"] - _MARGIN <= ended <= row["ended_at"] + _MARGIN
    return is_within and imported.release.version in {UNKNOWN_VERSION, row["version"]}
