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
from operations.monitoring.journal import fire, progress, recover
from operations.monitoring.policy import MISSES, Step, begins_to_fail, is_long_unasked
from operations.monitoring.ports import Transaction
from operations.monitoring.suspicion import ITSELF, can_witness, count_silent

_OWN_TARGET = ("HMS-SYS", "network")
"""Where the alert about the bot itself is, in the place of a project and an environment."""

_DOUBT_LASTS = timedelta(seconds=5)
"""So long the suspicion holds without reading every record again for each answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What was seen of a check, and the rollout to name should an alert follow ("" none).

    `is_changing`: a rollout is under way on the target, so that nobody wonders why it cannot be told.
    """

    check: Check
    seen: Observation
    rollout: str = ""
    is_changing: bool = False


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
        await self._follow(tx, answer, step)

    async def _follow(self, tx: Transaction, answer: Answer, step: Step) -> None:
        """What becomes of the check's alert. Nothing is held while all goes well."""
        check, now = answer.check, answer.seen.at
        is_unasked = is_long_unasked(check, step.record, now) and not answer.is_changing
        is_news = begins_to_fail(step) or is_unasked
        if not is_news and await tx.alerts.open_for(check.id) is None:
            return
        await tx.alerts.hold(check.project, check.environment)
        alert = await tx.alerts.open_for(check.id)
        if alert is not None and not alert.is_well:
            await _go_on(tx, alert, step.record, answer.seen, is_unasked=is_unasked)
            alert = await tx.alerts.open_for(check.id)
        if is_news and alert is None:
            await fire(tx, self._draft(answer, step.record, is_unasked=is_unasked), now)
        elif is_news and alert is not None and alert.is_well:
            # Others in its message are not well: it goes on in there.
            again = replace(_missed(alert, step.record, answer.seen), is_unasked=is_unasked)
            await progress(tx, again, now)

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
            # The one alert about the bot says so for all: that this one cannot be asked is no news.
            quiet = replace(held.record, unasked_since=record.unasked_since)
            return replace(answer, seen=doubted), Step(quiet, held.flip)
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
        await tx.alerts.hold(*_OWN_TARGET)
        alert = await tx.alerts.open_for(ITSELF)
        if alert is not None:
            await progress(tx, replace(alert, seen=alert.seen + 1), now)
            return
        project, environment = _OWN_TARGET
        draft = AlertDraft(
            check_id=ITSELF,
            name="the bot itself",
            project=project,
            environment=environment,
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
        if await tx.alerts.open_for(ITSELF) is None:
            return
        await tx.alerts.hold(*_OWN_TARGET)
        alert = await tx.alerts.open_for(ITSELF)
        if alert is not None:
            await recover(tx, alert, now)

    def _draft(self, answer: Answer, record: CheckRecord, *, is_unasked: bool) -> AlertDraft:
        check = answer.check
        began_at = record.unasked_since if is_unasked else record.first_bad_at
        return AlertDraft(
            check_id=check.id,
            name=check.name,
            project=check.project,
            environment=check.environment,
            channel=self._channel,
            since=began_at or answer.seen.at,
            seen=1 if is_unasked else record.bad,
            reason=answer.seen.detail,
            is_flapping=record.is_flapping,
            rollout=answer.rollout,
            fired_at=answer.seen.at,
            is_unasked=is_unasked,
        )


async def _go_on(
    tx: Transaction, alert: Alert, record: CheckRecord, seen: Observation, *, is_unasked: bool
) -> None:
    """A silence hides what goes on, never the end of what people were told."""
    if seen.outcome is Outcome.INCONCLUSIVE:
        if is_unasked and alert.reason != seen.detail:
            await progress(tx, replace(alert, reason=seen.detail), seen.at)
    elif alert.is_unasked or (record.state is CheckState.OK and not record.is_flapping):
        await recover(tx, alert, seen.at)
    elif seen.outcome in MISSES:
        await progress(tx, _missed(alert, record, seen), seen.at)
    elif record.is_flapping != alert.is_flapping:
        await progress(tx, replace(alert, is_flapping=record.is_flapping), seen.at)


def _missed(alert: Alert, record: CheckRecord, seen: Observation) -> Alert:
    return replace(
        alert,
        seen=alert.seen + 1,
        reason=seen.detail,
        is_flapping=record.is_flapping,
        well_at=None,
    )
