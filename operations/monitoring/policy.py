"""What an answer changes: pure functions from a record and an observation to the next record.

Damping: N misses in a row make a check failing, M good answers in a row make it well again; one that
changes its mind too often is called flapping, once, until it has been quiet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.monitoring.alert import Alert, AlertState
from operations.monitoring.check import (
    Check,
    CheckRecord,
    CheckState,
    Flip,
    Observation,
    Outcome,
)

FLAPPING_FLIPS = 5
FLAPPING_SPAN = timedelta(minutes=30)
"""So many changes within this span are flapping; fewer than half of them are quiet again."""

UNASKED_SPAN = timedelta(minutes=15)
UNASKED_TIMES = 10
"""Nobody could ask for that long, and in so many intervals of the check."""

MISSES = frozenset({Outcome.FAILING, Outcome.ERROR})
"""A question that goes wrong by itself counts against the check: nobody would hear of it otherwise."""


@dataclass(frozen=True, slots=True)
class Step:
    """The record after an answer, and the change of state that it brought."""

    record: CheckRecord
    flip: Flip | None


def observe(check: Check, record: CheckRecord, seen: Observation) -> Step:
    """What follows from one more answer. "Could not ask" counts neither for nor against."""
    if seen.outcome is Outcome.INCONCLUSIVE:
        since = record.unasked_since or seen.at
        return Step(replace(record, last=seen, unasked_since=since), None)
    counted = _count(record, seen)
    state = _state(check, counted)
    if state is record.state:
        return Step(replace(counted, is_flapping=_is_flapping(counted, seen.at)), None)
    changed = replace(counted, state=state, flips=_flips(counted, seen.at))
    flip = Flip(check_id=check.id, old=record.state, new=state, reason=seen.detail, at=seen.at)
    return Step(replace(changed, is_flapping=_is_flapping(changed, seen.at)), flip)


def forget(record: CheckRecord, reason: str, now: datetime) -> Step:
    """Nothing is held against the check any more, as a person said; that it flaps is remembered."""
    fresh = replace(
        record, state=CheckState.UNKNOWN, bad=0, good=0, first_bad_at=None, unasked_since=None
    )
    if record.state is CheckState.UNKNOWN:
        return Step(fresh, None)
    flip = Flip(check_id=record.check_id, old=record.state, new=fresh.state, reason=reason, at=now)
    return Step(fresh, flip)


def _flips(record: CheckRecord, now: datetime) -> tuple[datetime, ...]:
    """The newest changes of mind; the first good answer of all is none."""
    if record.state is CheckState.UNKNOWN and not record.bad:
        return record.flips
    return (*record.flips, now)[-FLAPPING_FLIPS:]


def _count(record: CheckRecord, seen: Observation) -> CheckRecord:
    record = replace(record, unasked_since=None)
    if seen.outcome is Outcome.OK:
        return replace(record, good=record.good + 1, bad=0, first_bad_at=None, last=seen)
    return replace(
        record,
        bad=record.bad + 1,
        good=0,
        first_bad_at=record.first_bad_at or seen.at,
        last=seen,
    )


def _state(check: Check, record: CheckRecord) -> CheckState:
    if record.bad >= check.failures:
        return CheckState.FAILING
    if record.state is CheckState.FAILING:
        return CheckState.OK if record.good >= check.recoveries else CheckState.FAILING
    return CheckState.OK if record.good else record.state


def _is_flapping(record: CheckRecord, now: datetime) -> bool:
    recent = sum(1 for at in record.flips if now - at < FLAPPING_SPAN)
    if record.is_flapping:
        return recent * 2 >= FLAPPING_FLIPS
    return recent >= FLAPPING_FLIPS


def begins_to_fail(step: Step) -> bool:
    """Whether an alert follows, unless one is open."""
    return step.flip is not None and step.flip.new is CheckState.FAILING


def is_long_unasked(check: Check, record: CheckRecord, now: datetime) -> bool:
    """Whether nobody could ask for so long that people are to know."""
    since = record.unasked_since
    return since is not None and now - since >= max(UNASKED_SPAN, UNASKED_TIMES * check.every)


def is_neglected(alert: Alert, after: timedelta, now: datetime) -> bool:
    """Whether nobody looks after it by now, and nobody was told so yet. What another leads counts not."""
    return (
        alert.led_by is None
        and alert.state is AlertState.FIRING
        and alert.escalated_at is None
        and not is_silenced(alert, now)
        and now - alert.fired_at >= after
    )


def is_silenced(alert: Alert, now: datetime) -> bool:
    """Whether nobody wants to hear of it for now; its end is told all the same."""
    return alert.silenced_until is not None and now < alert.silenced_until
