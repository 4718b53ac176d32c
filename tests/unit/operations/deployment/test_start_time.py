"""Which moment is meant by what people write."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.deployment.start_time import (
    LATEST,
    ClockTime,
    Delay,
    Moment,
    StartTime,
    is_early,
    is_too_late,
    lateness,
    moment_of,
    parse_start,
    say_start,
)
from operations.deployment.target import Target, Window
from operations.errors import InvalidRequest
from tests.factories import NOON, make_rollout, make_target

HOUR = timedelta(hours=1)
LONDON, NEW_YORK = ZoneInfo("Europe/London"), ZoneInfo("America/New_York")


def target_in(zone: ZoneInfo) -> Target:
    window = Window(
        days=frozenset(range(7)), start=time(9), end=time(17, 30), timezone=zone, text="in the day"
    )
    return make_target(windows=(window,))


@pytest.mark.parametrize(
    ("now", "meant"),
    [
        (datetime(2026, 11, 23, 12, 0, tzinfo=UTC), datetime(2026, 11, 23, 18, 30, tzinfo=UTC)),
        (datetime(2026, 11, 23, 18, 30, tzinfo=UTC), datetime(2026, 11, 24, 18, 30, tzinfo=UTC)),
        (datetime(2026, 11, 23, 23, 59, tzinfo=UTC), datetime(2026, 11, 24, 18, 30, tzinfo=UTC)),
    ],
    ids=["today", "now is over", "tomorrow"],
)
def test_a_time_of_day_is_the_next_one(now: datetime, meant: datetime) -> None:
    assert moment_of(ClockTime(time(18, 30)), make_target(), now) == meant


def test_a_time_of_day_is_by_the_clocks_of_the_target_s_window() -> None:
    found = moment_of(ClockTime(time(18, 30)), target_in(NEW_YORK), NOON)

    assert found == datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    assert say_start(found, target_in(NEW_YORK)) == "23 Nov 2026 18:30 (America/New_York)"
    assert say_start(found, make_target()) == "23 Nov 2026 23:30 (UTC)"


def test_a_time_that_the_clocks_skip_is_taken_as_they_stood_before() -> None:
    now = datetime(2027, 3, 27, 12, tzinfo=UTC)  # at 01:00 of the 28th London goes to 02:00

    found = moment_of(ClockTime(time(1, 30)), target_in(LONDON), now)

    assert found == datetime(2027, 3, 28, 1, 30, tzinfo=UTC)


def test_of_a_time_that_comes_twice_the_first_counts() -> None:
    now = datetime(2026, 10, 24, 12, tzinfo=UTC)

    found = moment_of(ClockTime(time(1, 30)), target_in(LONDON), now)

    assert found == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_span_is_from_now() -> None:
    assert moment_of(Delay(2 * HOUR), make_target(), NOON) == NOON + 2 * HOUR


def test_nothing_said_is_no_time() -> None:
    assert moment_of(None, make_target(), NOON) is None


@pytest.mark.parametrize(
    ("start", "why"),
    [
        (Moment(NOON), "is over"),
        (Moment(NOON - HOUR), "23 Nov 2026 11:00 (UTC) is over"),
        (Delay(timedelta(days=15)), "too far away"),
    ],
    ids=["now", "past", "far"],
)
def test_a_moment_that_cannot_be_is_refused(start: StartTime, why: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        moment_of(start, make_target(), NOON)

    assert why in caught.value.message


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 - made aware below
    st.times().map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None)),
    st.sampled_from([LONDON, NEW_YORK, ZoneInfo("Asia/Kolkata"), ZoneInfo("Australia/Lord_Howe")]),
)
def test_a_time_of_day_comes_within_a_day_and_an_hour(
    now: datetime, at: time, zone: ZoneInfo
) -> None:
    aware = now.replace(tzinfo=UTC)
    found = moment_of(ClockTime(at), target_in(zone), aware)

    assert found is not None
    assert aware < found <= aware + 25 * HOUR


@given(
    st.one_of(
        st.times().map(lambda at: ClockTime(at.replace(second=0, microsecond=0, tzinfo=None))),
        st.datetimes(
            datetime(1970, 1, 1),  # noqa: DTZ001 - the zone is beside it
            timezones=st.just(UTC),
        ).map(Moment),
        st.integers(1, 10**6).map(lambda seconds: Delay(timedelta(seconds=seconds))),
    )
)
def test_what_is_written_back_is_read_the_same(start: StartTime) -> None:
    assert parse_start(str(start)) == start


@given(st.text(max_size=40) | st.from_regex(r"[0-9T:+Zin hm-]{1,25}", fullmatch=True))
def test_any_text_is_a_time_or_is_refused(text: str) -> None:
    with suppress(InvalidRequest):
        assert str(parse_start(text))


def test_between_its_time_and_the_latest_it_may_start() -> None:
    rollout = make_rollout(start_at=NOON)
    moment = timedelta(microseconds=1)

    assert (is_early(rollout, NOON - moment), is_early(rollout, NOON)) == (True, False)
    assert is_too_late(rollout, NOON + LATEST)
    assert not is_too_late(rollout, NOON + LATEST - moment)
    assert not is_early(make_rollout(), NOON)
    assert not is_too_late(make_rollout(), NOON + LATEST)


def test_lateness_is_from_its_time_to_its_start() -> None:
    assert lateness(make_rollout(start_at=NOON, started_at=NOON + HOUR)) == HOUR
    assert lateness(make_rollout(start_at=NOON)) == timedelta(0)
    assert lateness(make_rollout(started_at=NOON)) == timedelta(0)
