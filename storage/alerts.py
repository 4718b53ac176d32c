"""Alerts in the database. That a check has one open alert at most is the database's own rule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from operations.errors import StorageError, VersionConflict
from operations.monitoring.alert import Alert, AlertDraft, AlertPage, AlertQuery, AlertState
from storage.alert_pages import search
from storage.rows import (
    Columns,
    actor_json,
    from_optional_time,
    from_time,
    to_actor,
    to_json,
    to_optional_time,
    to_time,
)
from storage.schema import ALERTS, OPEN_ALERT
from storage.session import Row, Session, UniqueViolation, require_writing
from storage.statements import Statement

_A = ALERTS.c
_STORED = [c.name for c in ALERTS.columns if c.name != "id"]
# In the very words of the partial index that serves it; SQLite compares them.
_IS_OPEN = sa.literal_column(OPEN_ALERT, sa.Boolean)
_OF_ID = sa.select(*ALERTS.columns).where(_A.id == sa.bindparam("at_id"))
_GET = Statement(_OF_ID)
_HOLD = Statement(_OF_ID.with_for_update())
_OPEN_FOR = Statement(
    sa.select(*ALERTS.columns).where(_A.check_id == sa.bindparam("at_check"), _IS_OPEN)
)
_OPEN_AT = Statement(
    sa.select(*ALERTS.columns)
    .where(
        _IS_OPEN,
        _A.project == sa.bindparam("at_project"),
        _A.environment == sa.bindparam("at_environment"),
    )
    .order_by(_A.id)
)
_LED_BY = Statement(
    sa.select(*ALERTS.columns).where(_A.led_by == sa.bindparam("leader")).order_by(_A.id)
)
_OPEN = Statement(sa.select(*ALERTS.columns).where(_IS_OPEN).order_by(_A.id))
_ADD = Statement(sa.insert(ALERTS).returning(_A.id), columns=_STORED)
_SAVE = Statement(
    sa.update(ALERTS)
    .where(_A.id == sa.bindparam("at_id"), _A.revision == sa.bindparam("at_revision"))
    .returning(_A.id),
    columns=_STORED,
)


class SqlAlerts:
    """The port `Alerts` within one transaction."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add(self, draft: AlertDraft) -> Alert:
        """Store a new one."""
        require_writing(self._session)
        alert = _alert_of_draft(draft)
        try:
            rows = await self._session.fetch(_ADD, **_columns(alert))
        except UniqueViolation as exc:
            raise StorageError(f"{draft.check_id} has an open alert already.") from exc
        return replace(alert, id=rows[0]["id"])

    async def get(self, alert_id: int, *, lock: bool = False) -> Alert | None:
        """Read one."""
        if lock:
            require_writing(self._session)
        return _first(await self._session.fetch(_HOLD if lock else _GET, at_id=alert_id))

    async def hold(self, project: str, environment: str) -> None:
        """Be the only one who changes the target's alerts."""
        require_writing(self._session)
        await self._session.hold(f"alerts {project}/{environment}")

    async def open_for(self, check_id: str) -> Alert | None:
        """The check's open alert."""
        return _first(await self._session.fetch(_OPEN_FOR, at_check=check_id))

    async def open_at(self, project: str, environment: str) -> Sequence[Alert]:
        """Those of a target that are open."""
        rows = await self._session.fetch(_OPEN_AT, at_project=project, at_environment=environment)
        return [_alert_of(row) for row in rows]

    async def led_by(self, alert_id: int) -> Sequence[Alert]:
        """Those that are told in this one's message."""
        return [_alert_of(row) for row in await self._session.fetch(_LED_BY, leader=alert_id)]

    async def open(self) -> Sequence[Alert]:
        """All that are open."""
        return [_alert_of(row) for row in await self._session.fetch(_OPEN)]

    async def search(self, query: AlertQuery) -> AlertPage:
        """A page of all there were."""
        statement, values = search(query)
        alerts = [_alert_of(row) for row in await self._session.fetch(statement, **values)]
        has_more = len(alerts) > query.limit
        page = tuple(alerts[: query.limit])
        return AlertPage(page, page[-1].id if has_more else None)

    async def save(self, alert: Alert) -> Alert:
        """Compare, store, raise the revision."""
        require_writing(self._session)
        saved = replace(alert, revision=alert.revision + 1)
        rows = await self._session.fetch(
            _SAVE, **_columns(saved), at_id=alert.id, at_revision=alert.revision
        )
        if not rows:
            raise VersionConflict(f"{alert.label} changed since it was read.")
        return saved


def _first(rows: Sequence[Row]) -> Alert | None:
    return _alert_of(rows[0]) if rows else None


def _alert_of_draft(draft: AlertDraft) -> Alert:
    return Alert(
        id=0,
        check_id=draft.check_id,
        name=draft.name,
        project=draft.project,
        environment=draft.environment,
        channel=draft.channel,
        state=AlertState.FIRING,
        since=draft.since,
        seen=draft.seen,
        reason=draft.reason,
        is_flapping=draft.is_flapping,
        rollout=draft.rollout,
        source=draft.source,
        url=draft.url,
        fired_at=draft.fired_at,
        led_by=draft.led_by,
        is_unasked=draft.is_unasked,
    )


def _columns(alert: Alert) -> Columns:
    """Every column but the id."""
    return {
        "check_id": alert.check_id,
        "name": alert.name,
        "project": alert.project,
        "environment": alert.environment,
        "channel": alert.channel,
        "state": alert.state.value,
        "revision": alert.revision,
        "since": from_time(alert.since),
        "seen": alert.seen,
        "reason": alert.reason,
        "is_flapping": alert.is_flapping,
        "rollout": alert.rollout,
        "source": alert.source,
        "url": alert.url,
        "fired_at": from_time(alert.fired_at),
        "led_by": alert.led_by,
        "is_unasked": alert.is_unasked,
        "well_at": from_optional_time(alert.well_at),
        "escalated_at": from_optional_time(alert.escalated_at),
        "escalated_to": to_json(alert.escalated_to),
        "acknowledged_by": actor_json(alert.acknowledged_by),
        "acknowledged_at": from_optional_time(alert.acknowledged_at),
        "silenced_by": actor_json(alert.silenced_by),
        "silenced_until": from_optional_time(alert.silenced_until),
        "resolved_at": from_optional_time(alert.resolved_at),
        "resolved_by": actor_json(alert.resolved_by),
    }


def _alert_of(row: Row) -> Alert:
    return Alert(
        id=row["id"],
        check_id=row["check_id"],
        name=row["name"],
        project=row["project"],
        environment=row["environment"],
        channel=row["channel"],
        state=AlertState(row["state"]),
        since=to_time(row["since"]),
        seen=row["seen"],
        reason=row["reason"],
        revision=row["revision"],
        is_flapping=bool(row["is_flapping"]),
        rollout=row["rollout"],
        source=row["source"],
        url=row["url"],
        fired_at=to_time(row["fired_at"]),
        led_by=row["led_by"],
        is_unasked=bool(row["is_unasked"]),
        well_at=to_optional_time(row["well_at"]),
        escalated_at=to_optional_time(row["escalated_at"]),
        escalated_to=tuple(json.loads(row["escalated_to"])),
        acknowledged_by=to_actor(row["acknowledged_by"]),
        acknowledged_at=to_optional_time(row["acknowledged_at"]),
        silenced_by=to_actor(row["silenced_by"]),
        silenced_until=to_optional_time(row["silenced_until"]),
        resolved_at=to_optional_time(row["resolved_at"]),
        resolved_by=to_actor(row["resolved_by"]),
    )
