"""What people do about alerts and checks: acknowledge, silence, resolve, stop, start, list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.actor import Actor
from operations.audit import AuditEvent
from operations.clock import Clock
from operations.errors import (
    InvalidRequest,
    NotPermitted,
    StaleDecision,
    UnknownAlert,
    UnknownTarget,
)
from operations.monitoring import grouping
from operations.monitoring.alert import Alert, AlertState
from operations.monitoring.check import Check, CheckRecord
from operations.monitoring.grouping import AlertGroup
from operations.monitoring.journal import read_group, record, save, tell
from operations.monitoring.policy import forget
from operations.monitoring.ports import Store, Transaction
from operations.outbox import Urgency

_TRIES = 5
_LONGEST_SILENCE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A check, what is known of it, and its open alert."""

    check: Check
    record: CheckRecord
    alert: Alert | None


class Alerting:
    """Answers people. Whoever is in the workspace may act on alerts; logins that nobody maps may not."""

    def __init__(self, *, checks: Sequence[Check], store: Store, clock: Clock) -> None:
        self._checks = checks
        self._store = store
        self._clock = clock

    async def show(self, alert_id: int) -> Alert:
        """One alert; raises UnknownAlert."""
        async with self._store.snapshot() as tx:
            return _found(await tx.alerts.get(alert_id), alert_id)

    async def group(self, alert_id: int) -> AlertGroup:
        """All that is told in one message with it; raises UnknownAlert."""
        async with self._store.snapshot() as tx:
            return await read_group(tx, _found(await tx.alerts.get(alert_id), alert_id))

    async def standing(self) -> list[AlertGroup]:
        """All that is told and not over, by its message; the oldest first."""
        async with self._store.snapshot() as tx:
            return grouping.gather(await tx.alerts.open())

    async def acknowledge(self, alert_id: int, actor: Actor) -> Alert:
        """Somebody looks after it, and all that is told with it; returns the alert that leads."""

        def acknowledged(alert: Alert, now: datetime) -> Alert:
            if alert.acknowledged_by is not None:
                raise StaleDecision(
                    f"{_name(alert.acknowledged_by)} looks after {alert.label} already."
                )
            return replace(
                alert,
                state=AlertState.ACKNOWLEDGED,
                acknowledged_by=actor,
                acknowledged_at=now,
            )

        return await self._change(alert_id, actor, "alert.acknowledged", acknowledged)

    async def silence(self, alert_id: int, actor: Actor, span: timedelta) -> Alert:
        """Nobody hears of it for so long, but for its end."""
        if not timedelta(0) < span <= _LONGEST_SILENCE:
            raise InvalidRequest(
                "A silence lasts from a second to 30 days.", hint=f"Say `silence A-{alert_id} 1h`."
            )

        def silenced(alert: Alert, now: datetime) -> Alert:
            return replace(alert, silenced_by=actor, silenced_until=now + span)

        return await self._change(alert_id, actor, "alert.silenced", silenced)

    async def resolve(self, alert_id: int, actor: Actor) -> Alert:
        """It is over, says a person, until as many new misses in a row as the check takes say otherwise.

        Then a new alert follows, without a good answer between: who wants quiet asks for a silence, and
        an outage that goes on must not stay unheard because somebody resolved it too soon.
        """

        _require_person(actor)
        for _ in range(_TRIES):
            resolved = await self._resolve(alert_id, actor)
            if resolved is not None:
                return resolved
        raise StaleDecision(f"A-{alert_id} changes too quickly.", hint="Try again.")

    async def stop(self, actor: Actor, project: str = "", environment: str = "") -> list[Check]:
        """Stop the checks of a project, a target, or all; lasting across restarts.

        An alert that is open stays so: nobody knows how it went on. It can be resolved by hand.
        """
        return await self._set_stopped(actor, project, environment, actor.id)

    async def start(self, actor: Actor, project: str = "", environment: str = "") -> list[Check]:
        """Start them again."""
        return await self._set_stopped(actor, project, environment, "")

    async def report(self, project: str = "", environment: str = "") -> list[CheckReport]:
        """Every check with what is known of it, in the configuration's order."""
        async with self._store.snapshot() as tx:
            records = {record.check_id: record for record in await tx.checks.all()}
            alerts = {a.check_id: a for a in await tx.alerts.open() if not a.is_well}
        return [
            CheckReport(
                check, records.get(check.id, CheckRecord(check_id=check.id)), alerts.get(check.id)
            )
            for check in self._select(project, environment)
        ]

    async def _set_stopped(
        self, actor: Actor, project: str, environment: str, stopped_by: str
    ) -> list[Check]:
        _require_person(actor)
        chosen = self._select(project, environment)
        async with self._store.transaction() as tx:
            # In the order of their ids, as everybody takes them who takes several.
            for check in sorted(chosen, key=lambda check: check.id):
                await self._set_one_stopped(tx, check, actor, stopped_by)
        return chosen

    async def _set_one_stopped(
        self, tx: Transaction, check: Check, actor: Actor, stopped_by: str
    ) -> None:
        """Answers from before count no more; a check that is as asked for already is left alone."""
        known = await tx.checks.get(check.id, lock=True)
        if bool(known.stopped_by) == bool(stopped_by):
            return
        changed = replace(known, stopped_by=stopped_by, bad=0, good=0, first_bad_at=None)
        await tx.checks.save(changed)
        action = "check.stopped" if stopped_by else "check.started"
        await tx.audit.add(
            AuditEvent(at=self._clock.now(), actor=actor, action=action, subject=check.id)
        )

    def _select(self, project: str, environment: str) -> list[Check]:
        chosen = [
            check
            for check in self._checks
            if project.lower() in ("", check.project.lower())
            and environment.lower() in ("", check.environment.lower())
        ]
        if not chosen:
            where = "/".join(part for part in (project, environment) if part)
            raise UnknownTarget(
                f"No check watches {where}."
                if where
                else "Nothing is watched: there are no checks.",
                hint="Add checks under `checks:` in hms.yaml"
                + ("; `monitor list` names those that there are." if self._checks else "."),
            )
        return chosen

    async def _change(
        self, alert_id: int, actor: Actor, action: str, change: Callable[[Alert, datetime], Alert]
    ) -> Alert:
        _require_person(actor)
        async with self._store.transaction() as tx:
            group = await _hold_open_group(tx, alert_id)
            now = self._clock.now()
            changed = [change(alert, now) for alert in group.alerts if alert.is_open]
            return await _conclude(tx, group, changed, action, actor, now)

    async def _resolve(self, alert_id: int, actor: Actor) -> Alert | None:
        """The checks first, as whoever stores an answer does. None: another joined meanwhile."""
        async with self._store.transaction() as tx:
            known = await read_group(tx, _found(await tx.alerts.get(alert_id), alert_id))
            check_ids = sorted(alert.check_id for alert in known.alerts)
            records = [await tx.checks.get(check_id, lock=True) for check_id in check_ids]
            group = await _hold_open_group(tx, alert_id)
            if {alert.check_id for alert in group.alerts} != set(check_ids):
                return None
            now = self._clock.now()
            for standing in records:
                await _void(tx, standing, group.leader, now)
            changed = grouping.end(group.alerts, now, actor)
            return await _conclude(tx, group, changed, "alert.resolved", actor, now)


async def _hold_open_group(tx: Transaction, alert_id: int) -> AlertGroup:
    known = _found(await tx.alerts.get(alert_id), alert_id)
    await tx.alerts.hold(known.project, known.environment)
    group = await read_group(tx, _found(await tx.alerts.get(alert_id), alert_id))
    if not group.leader.is_open:
        raise StaleDecision(f"{group.leader.label} is resolved already.")
    return group


async def _conclude(
    tx: Transaction,
    group: AlertGroup,
    changed: Sequence[Alert],
    action: str,
    actor: Actor,
    now: datetime,
) -> Alert:
    group = await save(tx, group, changed)
    await tell(tx, group, Urgency.DECISION, now)
    for alert in changed:
        await record(tx, alert, action, actor, now)
    return group.leader


async def _void(tx: Transaction, standing: CheckRecord, leader: Alert, now: datetime) -> None:
    step = forget(standing, f"{leader.label} was resolved by hand", now)
    await tx.checks.save(step.record)
    if step.flip is not None:
        await tx.checks.flipped(step.flip)


def _found(alert: Alert | None, alert_id: int) -> Alert:
    if alert is None:
        raise UnknownAlert(f"There is no alert A-{alert_id}.", hint="See `monitor list`.")
    return alert


def _require_person(actor: Actor) -> None:
    if not actor.is_person:
        raise NotPermitted(
            "This login is not mapped to a Slack user.",
            hint="An admin can add it under `access.cli` in hms.yaml.",
        )


def _name(actor: Actor) -> str:
    return f"<@{actor.id}>" if actor.is_person else (actor.name or actor.id)
