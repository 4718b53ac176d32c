"""What follows from an answer: record, flip, alert, audit event and notice, all in one transaction.

When every check fails at once, the bot suspects itself: the answers then count as "could not ask", and
one alert says so in place of hundreds. See `suspicion` for when that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.monitoring import policy
from operations.monitoring.alert import Alert, AlertDraft
from operations.monitoring.check import (
    Check,
    CheckRecord,
    CheckState,
    Observation,
    Outcome,
)
from operations.monitoring.journal import end, fire, tell
from operations.monitoring.policy import MISSES, Step
from operations.monitoring.ports import Transaction
from operations.monitoring.suspicion import ITSELF, can_witness, count_silent
from operations.outbox import Urgency

_DOUBT_LASTS = timedelta(seconds=5)
"""So long the suspicion holds without reading every record again for each answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was seen of a check, and the rollout to name should an alert follow ("" none)."""

    check: Check
    seen: Observation
    rollout: str = ""


class Consequences:
    """Stores answers. One per process: it remembers for a moment that it suspects itself."""

    def __init__(self, checks: Sequence[Check], channel: str) -> None:
        self._checks = checks
        self._channel = channel
        self._in_doubt_until: datetime | None = None

    async def store(self, tx: Transaction, answer: Answer) -> None:
        """Store an answer with all that follows; one that comes after a stop is dropped."""
        record = await tx.checks.get(answer.check.id, lock=True)
        if record.stopped_by:
            return
        answer, step = await self._weigh(tx, answer, record)
        await tx.checks.save(step.record)
        if step.flip is not None:
            await tx.checks.flipped(step.flip)
        alert = await tx.alerts.open_for(answer.check.id)
        if alert is not None:
            await _go_on(tx, alert, step.record, answer.seen)
        elif begins_to_fail(step):
            await fire(tx, self._draft(answer, step.record), answer.seen.at)

    async def _weigh(
        self, tx: Transaction, answer: Answer, record: CheckRecord
    ) -> tuple[Answer, Step]:
        """The answer and its step, as "could not ask" when the bot itself seems cut off."""
        check, seen = answer.check, answer.seen
        step = policy.observe(check, record, seen)
        if not can_witness(check):
            return answer, step
        if seen.outcome is Outcome.OK:
            await self._trust(tx, record, seen.at)
        if not begins_to_fail(step):
            return answer, step
        doubted = replace(
            seen,
            outcome=Outcome.INCONCLUSIVE,
            detail=f"{seen.detail}; every other check fails too, so HMS-SYS may be cut off",
        )
        held = policy.observe(check, record, doubted)
        if await self._is_cut_off(tx, held.record, step.record.first_bad_at or seen.at):
            return replace(answer, seen=doubted), held
        return answer, step

    async def _is_cut_off(self, tx: Transaction, held: CheckRecord, onset: datetime) -> bool:
        now = held.last.at if held.last else onset
        if self._in_doubt_until is not None and now < self._in_doubt_until:
            return True
        records = {record.check_id: record for record in await tx.checks.all()}
        silent = count_silent(self._checks, records | {held.check_id: held}, onset)
        if silent:
            self._in_doubt_until = now + _DOUBT_LASTS
            await self._tell_of_itself(tx, silent, onset, now)
        return bool(silent)

    async def _tell_of_itself(
        self, tx: Transaction, silent: int, since: datetime, now: datetime
    ) -> None:
        await tx.checks.get(ITSELF, lock=True)  # one at a time, or two would fire
        alert = await tx.alerts.open_for(ITSELF)
        if alert is not None:
            await _count_miss(tx, alert, now)
            return
        draft = AlertDraft(
            check_id=ITSELF,
            name="the bot itself",
            project="HMS-SYS",
            environment="network",
            channel=self._channel,
            since=since,
            seen=1,
            reason=f"every check fails at once ({silent} of {silent}): HMS-SYS may have lost its "
            "network, or everything is down",
            is_flapping=False,
            rollout="",
            fired_at=now,
        )
        await fire(tx, draft, now)

    async def _trust(self, tx: Transaction, record: CheckRecord, now: datetime) -> None:
        """A good answer ends the suspicion. While all goes well there is none, and nothing is read."""
        self._in_doubt_until = None
        if record.last is None or record.last.outcome is Outcome.OK:
            return
        alert = await tx.alerts.open_for(ITSELF)
        if alert is not None:
            await end(tx, alert, now)

    def _draft(self, answer: Answer, record: CheckRecord) -> AlertDraft:
        check = answer.check
        return AlertDraft(
            check_id=check.id,
            name=check.name,
            project=check.project,
            environment=check.environment,
            channel=self._channel,
            since=record.first_bad_at or answer.seen.at,
            seen=record.bad,
            reason=answer.seen.detail,
            is_flapping=record.is_flapping,
            rollout=answer.rollout,
            fired_at=answer.seen.at,
        )


def begins_to_fail(step: Step) -> bool:
    """Whether an alert follows, unless one is open."""
    return step.flip is not None and step.flip.new is CheckState.FAILING


async def _go_on(tx: Transaction, alert: Alert, record: CheckRecord, seen: Observation) -> None:
    """A silence hides what goes on, never the end of what people were told."""
    if record.state is CheckState.OK and not record.is_flapping:
        await end(tx, alert, seen.at)
    elif seen.outcome in MISSES:
        missed = replace(alert, reason=seen.detail, is_flapping=record.is_flapping)
        await _count_miss(tx, missed, seen.at)
    elif record.is_flapping != alert.is_flapping:
        await _change(tx, replace(alert, is_flapping=record.is_flapping), seen.at)


async def _count_miss(tx: Transaction, alert: Alert, now: datetime) -> None:
    await _change(tx, replace(alert, seen=alert.seen + 1), now)


async def _change(tx: Transaction, alert: Alert, now: datetime) -> None:
    stored = await tx.alerts.save(alert)
    if not policy.is_silenced(stored, now):
        await tell(tx, stored, Urgency.PROGRESS, now)
