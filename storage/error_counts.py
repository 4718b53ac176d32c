"""How many errors there were: by group and hour, by target and hour, by target and minute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from storage.rows import from_time, to_json, to_time
from storage.schema import (
    ERROR_GROUPS,
    ERROR_HOURS,
    ERROR_NEWCOMERS,
    TARGET_HOURS,
    TARGET_MINUTES,
)
from storage.session import Session, require_writing
from storage.statements import Excluded, Statement, upsert

MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE

_G, _H = ERROR_GROUPS.c, ERROR_HOURS.c
_T, _M = TARGET_HOURS.c, TARGET_MINUTES.c


def _add_to(table: sa.Table) -> Statement:
    def more(new: Excluded) -> Mapping[str, sa.ColumnElement[Any]]:
        return {"count": table.c["count"] + new["count"]}

    return upsert(table, more)


_COUNT_HOURS = _add_to(ERROR_HOURS)
_COUNT_TARGET_HOURS = _add_to(TARGET_HOURS)
_COUNT_MINUTES = _add_to(TARGET_MINUTES)
_COUNT_NEWCOMERS = _add_to(ERROR_NEWCOMERS)
_N = ERROR_NEWCOMERS.c
_NEWCOMERS = Statement(
    sa.select(_N["count"]).where(
        _N.project == sa.bindparam("at_project"),
        _N.environment == sa.bindparam("at_environment"),
        _N.hour == sa.bindparam("at_hour"),
    )
)

_IDS = sa.bindparam("ids", type_=sa.Text)
_HOURS = sa.select(_H.group_id, _H.hour, _H["count"]).where(_H.hour >= sa.bindparam("since"))
_HOURS_AMONG = Statement(
    {
        "sqlite": _HOURS.where(
            _H.group_id.in_(sa.select(sa.func.json_each(_IDS).table_valued("value").c.value))
        ),
        "postgresql": _HOURS.where(
            _H.group_id.in_(
                sa.select(
                    sa.cast(
                        sa.func.jsonb_array_elements_text(sa.cast(_IDS, postgresql.JSONB)),
                        sa.BigInteger,
                    )
                )
            )
        ),
    }
)


def _total(table: sa.Table, time: sa.Column[Any]) -> Statement:
    total = sa.cast(sa.func.coalesce(sa.func.sum(table.c["count"]), 0), sa.BigInteger)
    return Statement(
        sa.select(total.label("total")).where(
            table.c.project == sa.bindparam("at_project"),
            table.c.environment == sa.bindparam("at_environment"),
            time >= sa.bindparam("since"),
        )
    )


_OF_TARGET = _total(TARGET_MINUTES, _M.minute)
_OF_TARGET_BY_HOURS = _total(TARGET_HOURS, _T.hour)
_WORST = Statement(
    sa.select(_H.group_id)
    .join(ERROR_GROUPS, _G.id == _H.group_id)
    .where(
        _H.hour >= sa.bindparam("since"),
        _G.project == sa.bindparam("at_project"),
        _G.environment == sa.bindparam("at_environment"),
    )
    .group_by(_H.group_id)
    .order_by(sa.func.sum(_H["count"]).desc(), _H.group_id)
    .limit(sa.literal_column("1"))
)


class SqlErrorCounts:
    """The port `ErrorCounts` within one transaction. Rows are always written in the order of their keys."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def count(self, counts: Mapping[int, Mapping[datetime, int]]) -> None:
        """Add to groups' hours."""
        require_writing(self._session)
        rows: list[dict[str, object]] = [
            {"group_id": group_id, "hour": hour, "count": number}
            for group_id in sorted(counts)
            for hour, number in _by(HOUR, counts[group_id])
        ]
        await self._session.defer(_COUNT_HOURS, rows)

    async def count_targets(
        self,
        counts: Mapping[tuple[str, str], Mapping[datetime, int]],
        *,
        by_minutes: bool = True,
    ) -> None:
        """Add to targets' hours and minutes."""
        require_writing(self._session)
        hours: list[dict[str, object]] = []
        minutes: list[dict[str, object]] = []
        for project, environment in sorted(counts):
            given = counts[project, environment]
            where = {"project": project, "environment": environment}
            hours += [{**where, "hour": at, "count": n} for at, n in _by(HOUR, given)]
            if by_minutes:
                minutes += [{**where, "minute": at, "count": n} for at, n in _by(MINUTE, given)]
        await self._session.defer(_COUNT_TARGET_HOURS, hours)
        await self._session.defer(_COUNT_MINUTES, minutes)

    async def newcomers(self, project: str, environment: str, at: datetime) -> int:
        """Of one hour."""
        rows = await self._session.fetch(
            _NEWCOMERS, at_project=project, at_environment=environment, at_hour=_floor(at, HOUR)
        )
        return int(rows[0]["count"]) if rows else 0

    async def count_newcomers(
        self, project: str, environment: str, at: datetime, number: int
    ) -> None:
        """Add to the hour's."""
        require_writing(self._session)
        where = {"project": project, "environment": environment, "hour": _floor(at, HOUR)}
        await self._session.defer(_COUNT_NEWCOMERS, [{**where, "count": number}])

    async def hours(
        self, group_ids: Sequence[int], since: datetime
    ) -> Mapping[int, Mapping[datetime, int]]:
        """By group and hour."""
        rows = await self._session.fetch(
            _HOURS_AMONG, ids=to_json(list(group_ids)), since=_floor(since, HOUR)
        )
        found: dict[int, dict[datetime, int]] = {group_id: {} for group_id in group_ids}
        for row in rows:
            found[row["group_id"]][to_time(row["hour"])] = row["count"]
        return found

    async def of_target(self, project: str, environment: str, since: datetime) -> int:
        """By minutes."""
        return await self._sum(_OF_TARGET, project, environment, _floor(since, MINUTE))

    async def of_target_by_hours(self, project: str, environment: str, since: datetime) -> int:
        """By hours."""
        return await self._sum(_OF_TARGET_BY_HOURS, project, environment, _floor(since, HOUR))

    async def worst_of(self, project: str, environment: str, since: datetime) -> int | None:
        """Of what was counted for the groups themselves."""
        rows = await self._session.fetch(
            _WORST, at_project=project, at_environment=environment, since=_floor(since, HOUR)
        )
        return int(rows[0]["group_id"]) if rows else None

    async def _sum(self, statement: Statement, project: str, environment: str, since: int) -> int:
        rows = await self._session.fetch(
            statement, at_project=project, at_environment=environment, since=since
        )
        return int(rows[0]["total"])


def _floor(time: datetime, unit: int) -> int:
    number = from_time(time)
    return number - number % unit


def _by(unit: int, counts: Mapping[datetime, int]) -> list[tuple[int, int]]:
    """Sums by the unit's beginnings, in order."""
    sums: Counter[int] = Counter()
    for time, number in counts.items():
        sums[_floor(time, unit)] += number
    return sorted(sums.items())
