"""How long a check was well and how long failing: pure, from its changes of state and its stops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.monitoring.check import Check, CheckRecord, CheckState, Flip
from operations.monitoring.digest.digest import Uptime
from operations.monitoring.digest.ports import WatchChange
from operations.monitoring.digest.span import Span

_QUESTIONS = 3
_GRACE = timedelta(minutes=5)
"""A state is believed for so many unanswered questions, and so long at least."""


@dataclass(frozen=True, slots=True)
class History:
    """A check's flips and stops since the span began, up to now, oldest first; `record` is of now."""

    record: CheckRecord
    flips: Sequence[Flip] = ()
    changes: Sequence[WatchChange] = ()


def uptime(check: Check, history: History, span: Span) -> Uptime:
    """What is known of the span. It counts as failing from the flip on, as people were told."""
    up = down = timedelta(0)
    known = _known(check, history.record, span)
    for stretch, state in _stretches(history, span):
        length = max(timedelta(0), min(stretch.until, known.until) - stretch.since)
        if state is CheckState.OK:
            up += length
        elif state is CheckState.FAILING:
            down += length
    return Uptime(
        check_id=check.id,
        name=check.name,
        project=check.project,
        environment=check.environment,
        up=up,
        down=down,
    )


def _known(check: Check, record: CheckRecord, span: Span) -> Span:
    """The part of the span in which answers came."""
    if record.last is None:
        return Span(span.since, span.since)
    silent_at = record.last.at + max(_GRACE, _QUESTIONS * check.every)
    unknown_at = min(silent_at, record.unasked_since or silent_at)
    return Span(span.since, max(span.since, min(span.until, unknown_at)))


def _stretches(history: History, span: Span) -> Iterable[tuple[Span, CheckState]]:
    """The span cut wherever something changed; a stretch in which nobody asked is UNKNOWN."""
    state, stopped = _state_before(history), _stopped_before(history)
    since = span.since
    for at, change in _changes(history):
        until = min(max(at, span.since), span.until)
        yield Span(since, until), CheckState.UNKNOWN if stopped else state
        since = until
        if isinstance(change, Flip):
            state = change.new
        else:
            stopped = change.stopped
    yield Span(since, span.until), CheckState.UNKNOWN if stopped else state


def _changes(history: History) -> list[tuple[datetime, Flip | WatchChange]]:
    changes: list[tuple[datetime, Flip | WatchChange]] = [
        *((flip.at, flip) for flip in history.flips),
        *((change.at, change) for change in history.changes),
    ]
    return sorted(changes, key=lambda change: change[0])


def _state_before(history: History) -> CheckState:
    return history.flips[0].old if history.flips else history.record.state


def _stopped_before(history: History) -> bool:
    if history.changes:
        return not history.changes[0].stopped
    return bool(history.record.stopped_by)
