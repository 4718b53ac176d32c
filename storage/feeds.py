"""Calls to components: made ready from the audit trail, each component from the place that it has come to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from operations.audit import AuditEvent
from operations.integration.webhooks.delivery import DeliveryState, Draft
from storage.audit import event_of
from storage.rows import from_time
from storage.schema import AUDIT, DELIVERIES, FEEDS
from storage.session import Session, require_writing
from storage.statements import Statement, insert_unless_there

_HELD_PLACE = Statement(
    sa.select(FEEDS.c.place)
    .where(FEEDS.c.component == sa.bindparam("at_component"))
    .with_for_update()
)
_BEGIN = insert_unless_there(FEEDS)
_NEWEST = Statement(sa.select(sa.func.coalesce(sa.func.max(AUDIT.c.number), 0).label("number")))
_EVENTS = Statement(
    sa.select(*AUDIT.columns)
    .where(AUDIT.c.number > sa.bindparam("after"))
    .order_by(AUDIT.c.number)
    .limit(sa.bindparam("rows", type_=sa.Integer))
)
_MOVE = Statement(
    sa.update(FEEDS)
    .where(FEEDS.c.component == sa.bindparam("at_component"))
    .values(place=sa.bindparam("new_place"))
)
_ADD = Statement(
    sa.insert(DELIVERIES),
    columns=[column.name for column in DELIVERIES.columns if column.name != "id"],
)


class SqlFeeds:
    """The port `Feeds` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def place(self, component: str) -> int:
        """The place, held; that of a new component is the trail's end."""
        require_writing(self._session)
        rows = await self._session.fetch(_HELD_PLACE, at_component=component)
        if not rows:
            await self._session.fetch(_BEGIN, component=component, place=await self.newest())
            rows = await self._session.fetch(_HELD_PLACE, at_component=component)
        return int(rows[0]["place"])

    async def newest(self) -> int:
        """The trail's end."""
        return int((await self._session.fetch(_NEWEST))[0]["number"])

    async def events_after(self, number: int, *, limit: int) -> Sequence[tuple[int, AuditEvent]]:
        """The next events."""
        rows = await self._session.fetch(_EVENTS, after=number, rows=limit)
        return [(int(row["number"]), event_of(row)) for row in rows]

    async def advance(
        self, component: str, number: int, drafts: Sequence[Draft], now: datetime
    ) -> None:
        """Store the calls and the new place."""
        require_writing(self._session)
        await self._session.run_each(_ADD, [_columns(draft, from_time(now)) for draft in drafts])
        await self._session.fetch(_MOVE, at_component=component, new_place=number)


def _columns(draft: Draft, at: int) -> dict[str, object]:
    return {
        "component": draft.component,
        "subject": draft.subject,
        "type": draft.type,
        "at": from_time(draft.at),
        "body": draft.body,
        "state": DeliveryState.PENDING.value,
        "attempts": 0,
        "made_at": at,
        "due_at": at,
        "settled_at": None,
        "last_error": "",
        "claim_until": None,
    }
