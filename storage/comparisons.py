"""What HMS-OPS and HMS-SYS said of the same deployments."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import sqlalchemy as sa

from operations.integration.dual.comparison import Comparison, DualMode
from storage.rows import from_optional_time, from_time, to_optional_time, to_time
from storage.schema import COMPARISONS
from storage.session import Engine, Row
from storage.statements import Statement, insert_unless_there

_C = COMPARISONS.c
_OF_KEY = _C.key == sa.bindparam("at_key")
_BEGIN = insert_unless_there(COMPARISONS)
_GET = Statement(sa.select(*COMPARISONS.columns).where(_OF_KEY))
_TAKE_RUN = Statement(
    sa.update(COMPARISONS)
    .where(_OF_KEY, _C.run_at.is_(None))
    .values(run_at=sa.bindparam("now"))
    .returning(_C.key)
)
_END = Statement(
    sa.update(COMPARISONS).where(_OF_KEY),
    columns=["ended_at", "legacy_exit", "seen", "agrees", "detail"],
)
_RANK = (
    sa.func.row_number()
    .over(partition_by=(_C.project, _C.environment), order_by=_C.begun_at.desc())
    .label("rank")
)
_RANKED = sa.select(*COMPARISONS.columns, _RANK).subquery()
_NEWEST = Statement(
    sa.select(_RANKED)
    .where(_RANKED.c.rank <= sa.bindparam("rows"))
    .order_by(_RANKED.c.project, _RANKED.c.environment, _RANKED.c.rank)
)


class SqlComparisons:
    """The port `Comparisons`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def begin(self, comparison: Comparison) -> None:
        """Store it, unless it is there."""
        async with self._engine.session(writing=True) as session:
            await session.fetch(_BEGIN, **_columns(comparison))

    async def get(self, key: str) -> Comparison | None:
        """Read one."""
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(_GET, at_key=key)
        return _comparison_of(rows[0]) if rows else None

    async def take_run(self, key: str, now: datetime) -> bool:
        """The first who asks."""
        async with self._engine.session(writing=True) as session:
            return bool(await session.fetch(_TAKE_RUN, at_key=key, now=from_time(now)))

    async def end(self, comparison: Comparison) -> None:
        """Store how it ended."""
        columns = _columns(comparison)
        names = ("ended_at", "legacy_exit", "seen", "agrees", "detail")
        async with self._engine.session(writing=True) as session:
            await session.fetch(
                _END, at_key=comparison.key, **{name: columns[name] for name in names}
            )

    async def of_targets(self, *, limit: int) -> Sequence[Sequence[Comparison]]:
        """The newest of each target."""
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(_NEWEST, rows=limit)
        found = [_comparison_of(row) for row in rows]
        return [list(group) for _, group in groupby(found, lambda each: each.target_name)]


def _columns(comparison: Comparison) -> dict[str, object]:
    return {
        "key": comparison.key,
        "project": comparison.project,
        "environment": comparison.environment,
        "mode": comparison.mode.value,
        "begun_at": from_time(comparison.begun_at),
        "planned": comparison.planned,
        "run_at": from_optional_time(comparison.run_at),
        "ended_at": from_optional_time(comparison.ended_at),
        "legacy_exit": comparison.legacy_exit,
        "seen": comparison.seen,
        "agrees": comparison.agrees,
        "detail": comparison.detail,
        "place": comparison.place,
    }


def _comparison_of(row: Row) -> Comparison:
    agrees = row["agrees"]
    return Comparison(
        key=row["key"],
        project=row["project"],
        environment=row["environment"],
        mode=DualMode(row["mode"]),
        begun_at=to_time(row["begun_at"]),
        planned=row["planned"],
        run_at=to_optional_time(row["run_at"]),
        ended_at=to_optional_time(row["ended_at"]),
        legacy_exit=row["legacy_exit"],
        seen=row["seen"],
        agrees=None if agrees is None else bool(agrees),
        detail=row["detail"],
        place=row["place"],
    )
