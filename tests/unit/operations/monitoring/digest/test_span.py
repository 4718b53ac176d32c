"""Days of a zone's clocks: when digests are due, and what they are about, also when clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.monitoring.digest.span import Plan, Span, span_until

LONDON = ZoneInfo("Europe/London")
NINE = Plan("C02OPS", time(9), LONDON)
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)
"""The days on which London's clocks are changed, at 01:00 UTC."""

ZONES = st.sampled_from(
    [
        "Europe/London",
        "UTC",
        "Asia/Kolkata",
        "America/St_Johns",
        "Pacific/Apia",
        "Australia/Lord_Howe",
    ]
)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
NOWS = st.integers(0, 20 * 365 * 24 * 60).map(
    lambda minutes: datetime(2010, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
)


def utc(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def test_a_digest_is_due_at_its_time_by_the_zones_clocks() -> None:
    assert NINE.due_at(date(2026, 11, 24)) == utc(date(2026, 11, 24), 9)
    assert NINE.due_at(date(2026, 7, 1)) == utc(date(2026, 7, 1), 8)


def test_a_time_that_the_clocks_skip_is_taken_as_they_stood_before() -> None:
    assert Plan("C", time(1, 30), LONDON).due_at(SPRING) == utc(SPRING, 1, 30)


def test_of_a_time_that_comes_twice_the_first_one_counts() -> None:
    assert Plan("C", time(1, 30), LONDON).due_at(AUTUMN) == utc(AUTUMN, 0, 30)


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25), (date(2026, 11, 24), 24)])
def test_a_day_is_as_long_as_its_clocks_say(day: date, hours: int) -> None:
    assert NINE.span_of(day).length == timedelta(hours=hours)


def test_before_its_time_yesterdays_digest_is_the_newest() -> None:
    day = date(2026, 11, 24)

    assert NINE.newest_due(utc(day, 8, 59)) == date(2026, 11, 23)
    assert NINE.newest_due(utc(day, 9)) == day


@given(now=NOWS, at=TIMES, zone=ZONES)
def test_the_newest_one_is_due_and_the_next_is_not(now: datetime, at: time, zone: str) -> None:
    plan = Plan("C", at, ZoneInfo(zone))

    day = plan.newest_due(now)

    assert plan.due_at(day) <= now < plan.due_at(day + timedelta(days=1))


@given(now=NOWS, at=TIMES, zone=ZONES)
def test_days_follow_each_other_without_a_gap_in_what_is_counted(
    now: datetime, at: time, zone: str
) -> None:
    plan = Plan("C", at, ZoneInfo(zone))
    day = plan.newest_due(now)

    assert plan.span_of(day).until == plan.span_of(day + timedelta(days=1)).since
    assert plan.span_of(day).hours().until == plan.span_of(day + timedelta(days=1)).hours().since


def test_the_day_before_has_the_same_hours_by_the_clock_when_they_were_changed() -> None:
    after = NINE.span_of(date(2026, 3, 30))

    assert after.earlier(7, LONDON) == NINE.span_of(date(2026, 3, 23))
    assert after.earlier(1, LONDON) == NINE.span_of(SPRING)


def test_hours_are_whole_ones_of_utc_in_a_zone_that_is_half_an_hour_off() -> None:
    plan = Plan("C", time(9), ZoneInfo("Asia/Kolkata"))

    hours = plan.span_of(date(2026, 11, 24)).hours()

    assert hours == Span(utc(date(2026, 11, 23), 3), utc(date(2026, 11, 24), 3))


def test_what_is_asked_for_covers_24_hours_with_the_present_one() -> None:
    day = date(2026, 11, 24)

    assert span_until(utc(day, 14, 37)) == Span(utc(date(2026, 11, 23), 15), utc(day, 15))
