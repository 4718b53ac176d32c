"""Rollouts of another tool, brought in as history: below every id of our own, and never taken for live.

Ids up to 1000 are kept free for them (ours begin at 1001), so that they stand behind everything in history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from operations.deployment.rollout import Rollout, RolloutKind
from storage.rows import rollout_columns
from storage.schema import ROLLOUTS
from storage.session import Engine
from storage.statements import Statement

LAST_ID = 1000
_R = ROLLOUTS.c
_KNOWN = Statement(
    sa.select(_R.id, _R.external_id).where(
        _R.kind == sa.literal_column(f"'{RolloutKind.IMPORT}'"), _R.id <= sa.literal_column("1000")
    )
)
_STORED = [c.name for c in ROLLOUTS.columns if not c.name.startswith("lease_")]
_ADD = Statement(sa.insert(ROLLOUTS), columns=_STORED)


class SqlImports:
    """What `migrate logs` stores through."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def add(self, rollouts: Sequence[Rollout]) -> tuple[int, int]:
        """Store those, oldest first, that are not there by their `external_id`.

        How many were stored, and how many of the newest found no free id any more. All of it happens, or
        nothing; two who import at once do so one after the other.
        """
        async with self._engine.session(writing=True) as session:
            await session.hold("imports")
            rows = await session.fetch(_KNOWN)
            known = {row["external_id"] for row in rows}
            free = max((int(row["id"]) for row in rows), default=0) + 1
            new = [each for each in rollouts if each.external_id not in known]
            stored = [replace(each, id=free + n) for n, each in enumerate(new)]
            kept = [each for each in stored if each.id <= LAST_ID]
            await session.run_each(
                _ADD, [{"id": each.id, **rollout_columns(each)} for each in kept]
            )
        return len(kept), len(stored) - len(kept)
