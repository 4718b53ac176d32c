"""What people do about alerts and checks: acknowledge, silence, resolve, stop, start, list."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.actor import Actor
from operations.audit import AuditEvent
from operations.clock import Clock
from operations.errors import InvalidRequest, NotPermitted, StaleDecision, UnknownTarget
from operations.monitoring.alert import Alert, AlertState
from operations.monitoring.check import Check, CheckRecord
from operations.monitoring.journal import record, tell
from operations.monitoring.policy import forget
from operations.monitoring.ports import Store, Transaction
from operations.outbox import Urgency

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
        """One alert; raises InvalidRequest when there is none."""
        async with self._store.snapshot() as tx:
            return _found(await tx.alerts.get(alert_id), alert_id)

    async def acknowledge(self, alert_id: int, actor: Actor) -> Alert:
        """Somebody looks after it."""

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
                "A silence lasts from a second to 30 days.", hint="Say `silence A-17 1h`."
            )

        def silenced(alert: Alert, now: datetime) -> Alert:
            return replace(alert, silenced_by=actor, silenced_until=now + span)

        return await self._change(alert_id, actor, "alert.silenced", silenced)

    async def resolve(self, alert_id: int, actor: Actor) -> Alert:
        """It is over, says a person, until as many new misses in a row as the check takes say otherwise.

        Then a new alert follows, without a good answer between: who wants quiet asks for a silence, and
        an outage that goes on must not stay unheard because somebody resolved it too soon.
        """

        def resolved(alert: Alert, now: datetime) -> Alert:
            return replace(alert, state=AlertState.RESOLVED, resolved_at=now, resolved_by=actor)

        return await self._change(alert_id, actor, "alert.resolved", resolved)

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
            alerts = {alert.check_id: alert for alert in await tx.alerts.open()}
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
            where = "/".join(part for part in (project, environment) if part) or "this bot"
            raise UnknownTarget(
                f"There is no check for {where}.",
                hint="Checks are configured in hms.yaml: `checks:`.",
            )
        return chosen

    async def _change(
        self, alert_id: int, actor: Actor, action: str, change: Callable[[Alert, datetime], Alert]
    ) -> Alert:
        _require_person(actor)
        async with self._store.transaction() as tx:
            now = self._clock.now()
            known = _found(await tx.alerts.get(alert_id), alert_id)
            # The check first, as whoever stores an answer does.
            standing = await tx.checks.get(known.check_id, lock=True)
            alert = _found(await tx.alerts.get(alert_id, lock=True), alert_id)
            if not alert.is_open:
                raise StaleDecision(f"{alert.label} is resolved already.")
            stored = await tx.alerts.save(change(alert, now))
            if not stored.is_open:
                await _void(tx, standing, stored, now)
            await tell(tx, stored, Urgency.DECISION, now)
            await record(tx, stored, action, actor, now)
            return stored


async def _void(tx: Transaction, standing: CheckRecord, alert: Alert, now: datetime) -> None:
    step = forget(standing, f"{alert.label} was resolved by hand", now)
    await tx.checks.save(step.record)
    if step.flip is not None:
        await tx.checks.flipped(step.flip)


def _found(alert: Alert | None, alert_id: int) -> Alert:
    if alert is None:
        raise InvalidRequest(f"There is no alert A-{alert_id}.", hint="See `monitor list`.")
    return alert


def _require_person(actor: Actor) -> None:
    if not actor.is_person:
        raise NotPermitted(
            "This login is not mapped to a Slack user.",
            hint="An admin can add it under `access.cli` in hms.yaml.",
        )


def _name(actor: Actor) -> str:
    return f"<@{actor.id}>" if actor.is_person else (actor.name or actor.id)
