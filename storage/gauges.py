"""How much there is of what: the figures that the process is watched by.

Counts only, of one moment, and of nobody: no ids and no names, but the states and routes they are counted by.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from storage.check_queue import among_configured
from storage.rows import from_time, to_json, to_optional_time
from storage.schema import (
    ACTIVE,
    ALERTS,
    CHECKS,
    ENDED,
    NOTICES,
    OPEN_ALERT,
    ROLLOUTS,
    UNDELIVERED,
    WAITING,
)
from storage.session import Engine, Row
from storage.statements import Statement
from storage.whole_rollouts import IS_OWN

_R = ROLLOUTS.c
_N = NOTICES.c
_C = CHECKS.c
_COUNT = sa.func.count().label("number")


def _by_state(rule: str) -> Statement:
    """The rule in the very words of the partial index that serves it; SQLite compares them."""
    holds = sa.literal_column(rule, sa.Boolean)
    since = sa.func.min(_R.requested_at).label("since")
    return Statement(sa.select(_R.state, _COUNT, since).where(holds).group_by(_R.state))


_WAITING = _by_state(WAITING)
_ACTIVE = _by_state(ACTIVE)
_ENDED = Statement(
    sa.select(_R.state, _COUNT)
    .where(sa.literal_column(ENDED, sa.Boolean), IS_OWN)
    .group_by(_R.state)
)
_OUTBOX = Statement(
    sa.select(_N.route, _COUNT, sa.func.min(_N.created_at).label("since"))
    .where(sa.literal_column(UNDELIVERED, sa.Boolean))
    .group_by(_N.route)
)
_ALERTS = Statement(
    sa.select(ALERTS.c.state, _COUNT)
    .where(sa.literal_column(OPEN_ALERT, sa.Boolean))
    .group_by(ALERTS.c.state)
)
_LATE = among_configured(
    sa.select(_COUNT, sa.func.min(_C.due_at).label("since")).where(_C.due_at < sa.bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many wait, and since when the longest of them; None: nothing waits."""

    number: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """`rollouts` and `alerts` (open ones) by state, `outbox` by route; `queue` since the request."""

    rollouts: Mapping[str, int]
    queue: Backlog
    outbox: Mapping[str, Backlog]
    late_checks: Backlog
    alerts: Mapping[str, int]


class SqlGauges:
    """Counts in one reading transaction."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def read(self, check_ids: Collection[str], now: datetime) -> Figures:
        """As it is at this moment; of the checks, those of these ids."""
        async with self._engine.session(writing=False) as session:
            waiting = await session.fetch(_WAITING)
            rollouts = [*waiting, *await session.fetch(_ACTIVE), *await session.fetch(_ENDED)]
            outbox = await session.fetch(_OUTBOX)
            late = await session.fetch(_LATE, now=from_time(now), ids=to_json(sorted(check_ids)))
            alerts = await session.fetch(_ALERTS)
        return Figures(
            rollouts={row["state"]: row["number"] for row in rollouts},
            queue=next((_backlog(row) for row in waiting if row["state"] == "queued"), Backlog()),
            outbox={row["route"]: _backlog(row) for row in outbox},
            late_checks=_backlog(late[0]),
            alerts={row["state"]: row["number"] for row in alerts},
        )


def _backlog(row: Row) -> Backlog:
    return Backlog(row["number"], to_optional_time(row["since"]))
