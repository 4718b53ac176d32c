"""Claiming rollouts. The database decides between two workers, whatever process they are in."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from operations.deployment.rollout import Phase, Rollout, RolloutKind, RolloutState
from operations.deployment.start_time import LATEST
from operations.errors import LeaseLost
from storage.rollouts import BY_ID
from storage.rows import Unreadable, from_time, rollouts_of, to_json, to_optional_time
from storage.schema import ACTIVE, LOCKS, ROLLOUTS, WAITING, WORKING
from storage.session import Engine, Row, Session, Topic, UniqueViolation
from storage.statements import Language, Statement
from storage.waiting import Now, Waiting

_LOG = logging.getLogger("hms.storage")
_R = ROLLOUTS.c
_O = ROLLOUTS.alias("other").c


def _rule(text: str) -> sa.ColumnElement[bool]:
    """A rule in the very words of the partial index that serves it."""
    return sa.literal_column(text, sa.Boolean)


def _no_other(rule: str, *more: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """No rollout `other` of the same target satisfies the rule."""
    same_target = (_O.project == _R.project, _O.environment == _R.environment)
    return ~sa.exists().where(*same_target, _rule(rule), *more)


_QUEUED: sa.ColumnElement[str] = sa.literal_column("'queued'")
_NOW = sa.bindparam("now", type_=sa.BigInteger)
_CLOSED = sa.bindparam("closed", type_=sa.Text)
"""Names of the targets whose windows are closed, as a JSON array: the same parameter for both databases."""
_TARGET_NAME = _R.project + sa.literal_column("'/'", sa.Text) + _R.environment
_IS_CLOSED: Mapping[Language, sa.ColumnElement[bool]] = {
    "sqlite": _TARGET_NAME.in_(sa.select(sa.func.json_each(_CLOSED).table_valued("value").c.value)),
    "postgresql": _TARGET_NAME.in_(
        sa.select(sa.func.jsonb_array_elements_text(sa.cast(_CLOSED, postgresql.JSONB)))
    ),
}
_UNREADABLE = sa.bindparam("unreadable", type_=sa.Text)
_IS_UNREADABLE: Mapping[Language, sa.ColumnElement[bool]] = {
    "sqlite": _R.id.in_(sa.select(sa.func.json_each(_UNREADABLE).table_valued("value").c.value)),
    "postgresql": _R.id.in_(
        sa.select(
            sa.cast(
                sa.func.jsonb_array_elements_text(sa.cast(_UNREADABLE, postgresql.JSONB)),
                sa.BigInteger,
            )
        )
    ),
}
_IS_LOCKED = sa.exists().where(
    LOCKS.c.project == _R.project,
    LOCKS.c.environment == _R.environment,
    LOCKS.c.actor_id != _R.requested_by_id,
    sa.or_(LOCKS.c.until.is_(None), LOCKS.c.until > _NOW),
)
_PASSES = sa.or_(_R.emergency, _R.kind == sa.literal_column(f"'{RolloutKind.ROLLBACK}'"))
_LATEST = sa.literal_column(str(LATEST // timedelta(microseconds=1)), sa.BigInteger)
_IS_EARLY = sa.and_(_R.start_at.is_not(None), _R.start_at > _NOW)
_IS_ON_TIME = sa.or_(
    _R.start_at.is_(None), sa.and_(_R.start_at <= _NOW, _R.start_at > _NOW - _LATEST)
)
"""From its time to start on, and not for ever: `operations.deployment.start_time`."""
_IS_FREE = sa.or_(_R.lease_until.is_(None), _R.lease_until <= _NOW)


def _may_begin(language: Language) -> sa.ColumnElement[bool]:
    """Queued, on time, first in its target's queue, nothing is active there, and nothing holds it back.

    What holds back is `operations.deployment.policy.hold_obstacle`.
    """
    return sa.and_(
        _R.state == _QUEUED,
        _IS_ON_TIME,
        _no_other(f"other.{ACTIVE}"),
        _no_other(f"other.{WAITING}", _O.state == _QUEUED, _O.id < _R.id),
        sa.or_(_PASSES, sa.and_(~_IS_LOCKED, ~_IS_CLOSED[language])),
    )


def _pick_statement(*more: sa.ColumnElement[bool]) -> Statement:
    return Statement(
        {
            language: sa.select(_R.id, _R.state)
            .where(
                _rule(WORKING),
                sa.or_(_may_begin(language), sa.and_(_rule(ACTIVE), _IS_FREE)),
                ~_IS_UNREADABLE[language],
                *more,
            )
            .order_by(_R.id)
            .limit(sa.literal_column("1"))
            .with_for_update(skip_locked=True, of=ROLLOUTS)
            for language in _IS_CLOSED
        }
    )


_PICK_ANY = _pick_statement()
_PICK_ONLY = _pick_statement(_R.id == sa.bindparam("only"))
_LEASE = {
    "lease_owner": sa.bindparam("owner"),
    "lease_number": _R.lease_number + 1,
    "lease_until": sa.bindparam("until"),
}
_TAKE = sa.update(ROLLOUTS).where(_R.id == sa.bindparam("at_id"))
_TAKE_OVER = Statement(_TAKE.values(_LEASE))
_BEGIN = Statement(
    _TAKE.values(
        {
            **_LEASE,
            "state": sa.literal_column(f"'{RolloutState.RUNNING}'"),
            "phase": sa.literal_column(f"'{Phase.STARTING}'"),
            "started_at": sa.bindparam("now"),
            "revision": _R.revision + 1,
        }
    )
)
_OURS = (
    _R.id == sa.bindparam("at_id"),
    _R.lease_owner == sa.bindparam("at_owner"),
    _R.lease_number == sa.bindparam("at_number"),
)
_RENEW = Statement(
    sa.update(ROLLOUTS).where(*_OURS).values(lease_until=sa.bindparam("until")).returning(_R.id)
)
_RELEASE = Statement(
    sa.update(ROLLOUTS)
    .where(*_OURS)
    .values(lease_owner=sa.null(), lease_until=sa.null())
    .returning(_R.id)
)
_EARLIEST = Statement(
    {
        language: sa.select(
            sa.func.min(
                sa.case(
                    (_rule(ACTIVE), sa.func.coalesce(_R.lease_until, sa.literal_column("0"))),
                    (_may_begin(language), sa.literal_column("0")),
                    (sa.and_(_R.state == _QUEUED, _IS_EARLY), _R.start_at),
                )
            ).label("due_at")
        ).where(_rule(WORKING), ~_IS_UNREADABLE[language])
        for language in _IS_CLOSED
    }
)


class SqlRolloutQueue:
    """The port `RolloutQueue`."""

    def __init__(self, engine: Engine, now: Now) -> None:
        self._engine = engine
        self._now = now
        self._unreadable: set[int] = set()

    async def claim(
        self,
        owner: str,
        now: datetime,
        until: datetime,
        *,
        only: int | None = None,
        closed: Collection[str] = (),
    ) -> Rollout | None:
        """Take the oldest that needs a worker. One that cannot be read is passed over from then on."""
        values = {"owner": owner, "now": from_time(now), "until": from_time(until)}
        while True:
            try:
                async with self._engine.session(writing=True) as session:
                    return await self._take(session, only, closed, values)
            except UniqueViolation:
                return None  # another rollout of the target became active in this moment
            except Unreadable as exc:
                self._unreadable.add(exc.rollout_id)
                _LOG.error("%s It is passed over.", exc.message, exc_info=exc.__cause__)

    async def _take(
        self,
        session: Session,
        only: int | None,
        closed: Collection[str],
        values: Mapping[str, object],
    ) -> Rollout | None:
        picked = await self._pick(session, only, closed, values["now"])
        if picked is None:
            return None
        where = {"at_id": picked["id"], "owner": values["owner"], "until": values["until"]}
        if picked["state"] == RolloutState.QUEUED:
            await session.fetch(_BEGIN, **where, now=values["now"])
        else:
            await session.fetch(_TAKE_OVER, **where)
        return rollouts_of(await session.fetch(BY_ID, id=picked["id"]))[0]

    async def _pick(
        self, session: Session, only: int | None, closed: Collection[str], now: object
    ) -> Row | None:
        values = {"now": now, **self._excluded(closed)}
        if only is None:
            rows = await session.fetch(_PICK_ANY, **values)
        else:
            rows = await session.fetch(_PICK_ONLY, **values, only=only)
        return rows[0] if rows else None

    def _excluded(self, closed: Collection[str]) -> dict[str, object]:
        return {"closed": to_json(sorted(closed)), "unreadable": to_json(sorted(self._unreadable))}

    async def renew(self, rollout: Rollout, until: datetime) -> None:
        """Extend the lease."""
        if not await self._settle(_RENEW, rollout, until=from_time(until)):
            raise LeaseLost(f"Another worker took over {rollout.name}.")

    async def release(self, rollout: Rollout) -> None:
        """Give the lease up; its number stays, so that the next one is higher."""
        await self._settle(_RELEASE, rollout)

    async def wait(self, seconds: float, *, closed: Collection[str] = ()) -> None:
        """Return when new work may be there."""
        earliest = partial(self._earliest, closed)
        await Waiting(self._engine, Topic.ROLLOUTS, self._now, earliest).wait(seconds)

    async def _settle(self, statement: Statement, rollout: Rollout, **values: object) -> bool:
        lease = rollout.lease
        if lease is None:
            return False
        async with self._engine.session(writing=True) as session:
            ours = await session.fetch(
                statement, at_id=rollout.id, at_owner=lease.owner, at_number=lease.number, **values
            )
            if ours and statement is _RELEASE:
                session.announce(Topic.ROLLOUTS)
            return bool(ours)

    async def _earliest(self, closed: Collection[str]) -> datetime | None:
        values = {"now": from_time(self._now()), **self._excluded(closed)}
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(_EARLIEST, **values)
        return to_optional_time(rows[0]["due_at"])
