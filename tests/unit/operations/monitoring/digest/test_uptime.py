"""How long a check was well: flips cut the span, and what nobody knows counts neither way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from operations.monitoring.check import (
    Check,
    CheckKind,
    CheckRecord,
    CheckState,
    Flip,
    Observation,
    Outcome,
)
from operations.monitoring.digest.digest import Uptime
from operations.monitoring.digest.ports import WatchChange
from operations.monitoring.digest.span import Span
from operations.monitoring.digest.uptime import History, uptime

HOUR = timedelta(hours=1)
END = datetime(2026, 11, 24, 9, tzinfo=UTC)
DAY = Span(END - 24 * HOUR, END)
WEB = Check(
    id="myapp/prod:web", name="web", project="myapp", environment="prod", kind=CheckKind.HTTP
)
OK, FAILING, UNKNOWN = CheckState.OK, CheckState.FAILING, CheckState.UNKNOWN


def at(hour: float) -> datetime:
    return DAY.since + hour * HOUR


def record(
    state: CheckState = OK, *, asked: datetime | None = END, stopped_by: str = ""
) -> CheckRecord:
    last = Observation(outcome=Outcome.OK, at=asked) if asked else None
    return CheckRecord(check_id=WEB.id, state=state, last=last, stopped_by=stopped_by)


def flip(hour: float, old: CheckState, new: CheckState) -> Flip:
    return Flip(check_id=WEB.id, old=old, new=new, reason="", at=at(hour))


def stop(hour: float) -> WatchChange:
    return WatchChange(WEB.id, True, at(hour))


def start(hour: float) -> WatchChange:
    return WatchChange(WEB.id, False, at(hour))


def spent(history: History) -> tuple[float, float]:
    """Hours well and hours failing."""
    found = uptime(WEB, history, DAY)
    return found.up / HOUR, found.down / HOUR


def test_without_a_change_the_present_state_held_all_the_time() -> None:
    assert spent(History(record(OK))) == (24, 0)
    assert spent(History(record(FAILING))) == (0, 24)


def test_a_failure_lasts_from_its_flip_to_the_next() -> None:
    flips = [flip(6, OK, FAILING), flip(7.5, FAILING, OK)]

    assert spent(History(record(OK), flips)) == (22.5, 1.5)


def test_what_it_was_before_the_first_change_is_that_changes_old_state() -> None:
    assert spent(History(record(OK), [flip(2, FAILING, OK)])) == (22, 2)


def test_time_before_enough_answers_is_not_known() -> None:
    assert spent(History(record(OK), [flip(20, UNKNOWN, OK)])) == (4, 0)


def test_a_change_after_the_span_says_what_held_at_its_end() -> None:
    assert spent(History(record(OK), [flip(25, FAILING, OK)])) == (0, 24)


def test_time_in_which_it_was_stopped_is_not_known() -> None:
    assert spent(History(record(OK), [], [stop(4), start(10)])) == (18, 0)


def test_one_that_is_stopped_since_before_the_span_was_never_known() -> None:
    assert spent(History(record(OK, stopped_by="U01ALICE"))) == (0, 0)


def test_one_that_was_started_in_the_span_was_stopped_before() -> None:
    assert spent(History(record(OK), [], [start(10)])) == (14, 0)


def test_a_state_is_not_believed_for_long_when_no_answer_came_any_more() -> None:
    assert spent(History(record(OK, asked=at(10)))) == (10 + 5 / 60, 0)


def test_a_state_is_not_known_while_nobody_can_ask() -> None:
    unasked = replace(record(OK), unasked_since=at(10))

    assert spent(History(unasked)) == (10, 0)
    assert spent(History(replace(unasked, unasked_since=at(-3)))) == (0, 0)


def test_one_that_was_never_asked_is_not_known() -> None:
    found = uptime(WEB, History(record(OK, asked=None)), DAY)

    assert (found.known, found.permyriad) == (timedelta(0), None)


def test_the_share_is_rounded_down_so_that_100_percent_means_never_failing() -> None:
    almost = Uptime(
        check_id="c",
        name="c",
        project="p",
        environment="e",
        up=24 * HOUR,
        down=timedelta(seconds=1),
    )

    assert almost.permyriad == 9999


HOURS = st.lists(st.floats(-2, 30, allow_nan=False), max_size=6).map(sorted)


@given(flips=HOURS, changes=HOURS, state=st.sampled_from(list(CheckState)))
def test_no_more_than_the_span_is_ever_known(
    flips: list[float], changes: list[float], state: CheckState
) -> None:
    states = [OK, FAILING] * 4
    told = [flip(hour, states[n], states[n + 1]) for n, hour in enumerate(flips)]
    stops = [stop(hour) if n % 2 else start(hour) for n, hour in enumerate(changes)]

    found = uptime(WEB, History(record(state), told, stops), DAY)

    assert timedelta(0) <= found.up
    assert timedelta(0) <= found.down
    assert found.known <= DAY.length
