"""What stands on many targets at once: two statements, however many they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from operations.deployment.rollout import RolloutState, rollout_name
from operations.deployment.standing import Place, Standing
from storage.rows import to_json, to_optional_time, to_time
from storage.schema import ACTIVE, ROLLOUTS
from storage.session import Row, Session
from storage.statements import Statement
from storage.whole_rollouts import rule

_R = ROLLOUTS.c
_TOLD = (_R.id, _R.project, _R.environment, _R.version, _R.channel, _R.started_at, _R.ended_at)
_PLACES = sa.bindparam("places", type_=sa.Text)
"""A JSON array of pairs: the same parameter for both databases."""

ACTIVE_ONES = Statement(sa.select(*_TOLD).where(rule(ACTIVE), _R.started_at.is_not(None)))


def _newest_live(
    asked: sa.TableValuedAlias, project: sa.ColumnElement[str], environment: sa.ColumnElement[str]
) -> sa.Select[tuple[object, ...]]:
    """The state is a parameter, so that SQLite goes back through a target's rollouts from the newest.

    By the index of those that are live, which is ordered by version, it would read all of them.
    """
    former = ROLLOUTS.alias("former")
    newest = (
        sa.select(former.c.id)
        .where(
            former.c.project == project,
            former.c.environment == environment,
            former.c.state == sa.bindparam("live"),
            former.c.id > sa.literal_column("0"),  # `whole_rollouts.IS_OWN`
            former.c.started_at.is_not(None),
        )
        .order_by(former.c.id.desc())
        .limit(sa.literal_column("1"))
        .correlate(asked)
        .scalar_subquery()
    )
    return sa.select(*_TOLD).select_from(asked.join(ROLLOUTS, _R.id == newest))


def _embedded() -> sa.Select[tuple[object, ...]]:
    asked = sa.func.json_each(_PLACES).table_valued("value", name="asked")
    project, environment = (sa.func.json_extract(asked.c.value, f"$[{n}]") for n in (0, 1))
    return _newest_live(asked, project, environment)


def _server() -> sa.Select[tuple[object, ...]]:
    pairs = sa.func.jsonb_array_elements(sa.cast(_PLACES, postgresql.JSONB))
    asked = pairs.table_valued(sa.column("value", postgresql.JSONB), name="asked")
    return _newest_live(asked, asked.c.value[0].astext, asked.c.value[1].astext)


LIVE_ONES = Statement({"sqlite": _embedded(), "postgresql": _server()})


class SqlStandings:
    """The port `Standings` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def among(self, places: Collection[Place]) -> Sequence[Standing]:
        """Active ones of all targets are few: they are read as they are."""
        active = await self._session.fetch(ACTIVE_ONES)
        live = await self._session.fetch(
            LIVE_ONES,
            places=to_json(sorted(set(places))),
            live=RolloutState.SUCCEEDED.value,
        )
        wanted = set(places)
        found = [_standing_of(row) for row in [*active, *live]]
        return [standing for standing in found if standing.place in wanted]


def _standing_of(row: Row) -> Standing:
    return Standing(
        place=(row["project"], row["environment"]),
        name=rollout_name(row["id"]),
        version=row["version"],
        channel=row["channel"],
        started_at=to_time(row["started_at"]),
        ended_at=to_optional_time(row["ended_at"]),
    )
