"""What is counted of rollouts that have ended: one statement, by the index on their end."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import sqlalchemy as sa

from operations.deployment.rollout import RolloutKind, RolloutState, VoteKind
from operations.deployment.statistics import PastRollout
from storage.rows import from_time, to_optional_time, to_time
from storage.schema import ROLLOUTS, VOTES
from storage.session import Row, Session
from storage.statements import Statement
from storage.whole_rollouts import IS_OWN

_R = ROLLOUTS.c
_APPROVED_AT = (
    sa.select(sa.func.max(VOTES.c.at))
    .where(
        VOTES.c.rollout_id == _R.id,
        VOTES.c.vote == sa.literal_column(f"'{VoteKind.APPROVE}'"),
    )
    .correlate(ROLLOUTS)
    .scalar_subquery()
    .label("approved_at")
)
_SINCE = (
    sa.select(
        *(_R.id, _R.project, _R.environment, _R.kind, _R.state, _R.version, _R.pin),
        *(_R.requested_at, _R.started_at, _R.ended_at),
        _APPROVED_AT,
    )
    .where(_R.ended_at >= sa.bindparam("since"), IS_OWN)
    .order_by(_R.ended_at, _R.id)
)
_OF_ALL = Statement(_SINCE)
_OF_PROJECT = Statement(_SINCE.where(_R.project == sa.bindparam("project")))


async def read_past(session: Session, since: datetime, project: str) -> list[PastRollout]:
    """Those that ended since then, in that order; `project` "": of all projects.

    One of a kind or state that this version does not know is not counted.
    """
    if project:
        rows = await session.fetch(_OF_PROJECT, since=from_time(since), project=project)
    else:
        rows = await session.fetch(_OF_ALL, since=from_time(since))
    found = []
    for row in rows:
        with suppress(ValueError):
            found.append(_past_of(row))
    return found


def _past_of(row: Row) -> PastRollout:
    return PastRollout(
        id=row["id"],
        project=row["project"],
        environment=row["environment"],
        kind=RolloutKind(row["kind"]),
        state=RolloutState(row["state"]),
        version=row["version"],
        pin=row["pin"],
        requested_at=to_time(row["requested_at"]),
        approved_at=to_optional_time(row["approved_at"]),
        started_at=to_optional_time(row["started_at"]),
        ended_at=to_time(row["ended_at"]),
    )
