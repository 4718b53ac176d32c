"""Calls to components: claimed and settled.

Of each component's subject only the oldest pending call can be claimed, so that calls about one rollout go
out in order, whichever replica makes them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from operations.integration.webhooks.delivery import Delivery, DeliveryState
from storage.rows import from_time, to_json, to_time
from storage.schema import DELIVERIES, PENDING_DELIVERY
from storage.session import Engine, Row
from storage.statements import Language, Statement

_D = DELIVERIES.c
_OLDER = DELIVERIES.alias("older")
_IS_PENDING = sa.literal_column(PENDING_DELIVERY.replace("state", "deliveries.state"), sa.Boolean)
_COMPONENTS = sa.bindparam("components", type_=sa.Text)
"""Names as a JSON array: the same parameter for both databases."""

_CLAIMABLE = (
    _IS_PENDING,
    _D.due_at <= sa.bindparam("now"),
    sa.or_(_D.claim_until.is_(None), _D.claim_until <= sa.bindparam("now")),
    ~sa.exists().where(
        _OLDER.c.state == sa.literal_column("'pending'"),
        _OLDER.c.component == _D.component,
        _OLDER.c.subject == _D.subject,
        _OLDER.c.id < _D.id,
    ),
)
_AMONG: Mapping[Language, sa.ColumnElement[bool]] = {
    "sqlite": _D.component.in_(
        sa.select(sa.func.json_each(_COMPONENTS).table_valued("value").c.value)
    ),
    "postgresql": _D.component.in_(
        sa.select(sa.func.jsonb_array_elements_text(sa.cast(_COMPONENTS, postgresql.JSONB)))
    ),
}
_PICK_DUE = Statement(
    {
        language: sa.select(*DELIVERIES.columns)
        .where(*_CLAIMABLE, is_among)
        .order_by(_D.due_at, _D.id)
        .limit(sa.bindparam("rows", type_=sa.Integer))
        .with_for_update(skip_locked=True, of=DELIVERIES)
        for language, is_among in _AMONG.items()
    }
)
_ANY_DUE = Statement(
    {
        language: sa.select(_D.id).where(*_CLAIMABLE, is_among).limit(sa.literal_column("1"))
        for language, is_among in _AMONG.items()
    }
)
_OF_ID = _D.id == sa.bindparam("at_id")
_CLAIM = Statement(sa.update(DELIVERIES).where(_OF_ID).values(claim_until=sa.bindparam("until")))
_SETTLE = Statement(
    sa.update(DELIVERIES)
    .where(_OF_ID, _IS_PENDING)
    .values(
        state=sa.bindparam("new_state"),
        settled_at=sa.bindparam("now"),
        attempts=_D.attempts + 1,
        last_error=sa.bindparam("error"),
        claim_until=sa.null(),
    )
)
_PUT_OFF = Statement(
    sa.update(DELIVERIES)
    .where(_OF_ID, _IS_PENDING)
    .values(
        due_at=sa.bindparam("until"),
        attempts=_D.attempts + 1,
        last_error=sa.bindparam("error"),
        claim_until=sa.null(),
    )
)
_BEHIND = (
    _IS_PENDING,
    _D.component == sa.bindparam("of_component"),
    _D.subject == sa.bindparam("of_subject"),
    _D.id > sa.bindparam("at_id"),
)
"""What waits for a call to be settled. It is due when that one is: a look for what is due passes it over."""
_HOLD_BACK = Statement(
    sa.update(DELIVERIES)
    .where(*_BEHIND, _D.due_at < sa.bindparam("until"))
    .values(due_at=sa.bindparam("until"))
)
_LET_GO = Statement(
    sa.update(DELIVERIES)
    .where(*_BEHIND, _D.due_at > sa.bindparam("now"))
    .values(due_at=sa.bindparam("now"))
)
_GIVE_BACK = Statement(sa.update(DELIVERIES).where(_OF_ID).values(claim_until=sa.null()))
_LIST = Statement(
    sa.select(*DELIVERIES.columns)
    .where(_D.component == sa.bindparam("at_component"), _D.state == sa.bindparam("in_state"))
    .order_by(_D.id.desc())
    .limit(sa.bindparam("rows", type_=sa.Integer))
)
_COUNTS = Statement(
    sa.select(_D.component, _D.state, sa.func.count().label("count")).group_by(
        _D.component, _D.state
    )
)
_REPLAY = Statement(
    sa.update(DELIVERIES)
    .where(_D.component == sa.bindparam("at_component"), _D.state == sa.literal_column("'dead'"))
    .values(
        state=sa.literal_column("'pending'"),
        attempts=sa.literal_column("0"),
        made_at=sa.bindparam("now"),
        due_at=sa.bindparam("now"),
        settled_at=sa.null(),
    )
    .returning(_D.id)
)
_OLD = (
    sa.select(_D.id)
    .where(
        sa.or_(
            sa.and_(
                _D.state == sa.literal_column("'delivered'"),
                _D.settled_at < sa.bindparam("before"),
            ),
            sa.and_(
                _D.state == sa.literal_column("'dead'"),
                _D.settled_at < sa.bindparam("dead_before"),
            ),
            # Long after it would have been given up: its component is served by nobody any more.
            sa.and_(_IS_PENDING, _D.made_at < sa.bindparam("before")),
        )
    )
    .order_by(_D.id)
    .limit(sa.bindparam("rows", type_=sa.Integer))
)
_FORGET = Statement(sa.delete(DELIVERIES).where(_D.id.in_(_OLD)).returning(_D.id))


class SqlDeliveryQueue:
    """The port `DeliveryQueue`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def claim(
        self, components: Collection[str], now: datetime, until: datetime, *, limit: int
    ) -> Sequence[Delivery]:
        """Take what is due."""
        names = to_json(sorted(components))
        if not await self._is_any_due(now, names):
            return []
        async with self._engine.session(writing=True) as session:
            rows = await session.fetch(_PICK_DUE, now=from_time(now), rows=limit, components=names)
            claims = [{"at_id": row["id"], "until": from_time(until)} for row in rows]
            await session.run_each(_CLAIM, claims)
        return [_delivery_of(row) for row in rows]

    async def delivered(self, delivery: Delivery, now: datetime) -> None:
        """Done."""
        await self._settle(delivery, DeliveryState.DELIVERED, "", now)

    async def give_up(self, delivery: Delivery, error: str) -> None:
        """Dead, since it was last due."""
        await self._settle(delivery, DeliveryState.DEAD, error, delivery.due_at)

    async def put_off(self, delivery: Delivery, until: datetime, error: str) -> None:
        """Again later."""
        async with self._engine.session(writing=True) as session:
            await session.fetch(_PUT_OFF, at_id=delivery.id, until=from_time(until), error=error)
            await session.fetch(_HOLD_BACK, until=from_time(until), **_place(delivery))

    async def give_back(self, delivery: Delivery) -> None:
        """Nobody's again."""
        async with self._engine.session(writing=True) as session:
            await session.fetch(_GIVE_BACK, at_id=delivery.id)

    async def list(self, component: str, state: DeliveryState, *, limit: int) -> Sequence[Delivery]:
        """Newest first."""
        async with self._engine.session(writing=False) as session:
            rows = await session.fetch(
                _LIST, at_component=component, in_state=state.value, rows=limit
            )
        return [_delivery_of(row) for row in rows]

    async def counts(self) -> Mapping[str, Mapping[DeliveryState, int]]:
        """By component and state."""
        found: dict[str, dict[DeliveryState, int]] = {}
        async with self._engine.session(writing=False) as session:
            for row in await session.fetch(_COUNTS):
                found.setdefault(row["component"], {})[DeliveryState(row["state"])] = row["count"]
        return found

    async def replay(self, component: str, now: datetime) -> int:
        """Dead ones are due again, in their old order."""
        async with self._engine.session(writing=True) as session:
            return len(await session.fetch(_REPLAY, at_component=component, now=from_time(now)))

    async def forget(self, before: datetime, *, dead_before: datetime, limit: int) -> int:
        """Delete what was delivered long ago, what nobody serves, and what nobody asked for again."""
        values = {"before": from_time(before), "dead_before": from_time(dead_before)}
        async with self._engine.session(writing=True) as session:
            return len(await session.fetch(_FORGET, **values, rows=limit))

    async def _is_any_due(self, now: datetime, names: str) -> bool:
        """Asked without disturbing writers, in the very words of the claim; most of the time none is."""
        async with self._engine.session(writing=False) as session:
            return bool(await session.fetch(_ANY_DUE, now=from_time(now), components=names))

    async def _settle(
        self, delivery: Delivery, state: DeliveryState, error: str, now: datetime
    ) -> None:
        async with self._engine.session(writing=True) as session:
            await session.fetch(
                _SETTLE,
                at_id=delivery.id,
                new_state=state.value,
                now=from_time(now),
                error=error,
            )
            await session.fetch(_LET_GO, now=from_time(now), **_place(delivery))


def _place(delivery: Delivery) -> dict[str, object]:
    return {
        "at_id": delivery.id,
        "of_component": delivery.component,
        "of_subject": delivery.subject,
    }


def _delivery_of(row: Row) -> Delivery:
    return Delivery(
        id=row["id"],
        component=row["component"],
        subject=row["subject"],
        type=row["type"],
        at=to_time(row["at"]),
        body=row["body"],
        state=DeliveryState(row["state"]),
        attempts=row["attempts"],
        made_at=to_time(row["made_at"]),
        due_at=to_time(row["due_at"]),
        last_error=row["last_error"],
    )
