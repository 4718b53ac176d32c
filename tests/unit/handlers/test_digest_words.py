"""How a digest reads wherever it is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers import digest_words as words
from operations.monitoring.digest.digest import Alerts, Errors, ProjectErrors, Rollouts
from operations.monitoring.digest.span import Span
from tests.digests import BUSY, HOUR, QUIET, make_uptime


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0, 0), ""),
        ((5, 0, 0), "none the day before, none a week before"),
        ((0, 3, 0), "100 % fewer than the day before, none a week before either"),
        ((112, 100, 100), "12 % more than the day before, 12 % more than a week before"),
        ((100, 100, 101), "as many as the day before, 1 % fewer than a week before"),
        ((999, 100, 99), "899 % more than the day before, 10 times a week before"),
    ],
)
def test_a_trend_is_said_in_words(counts: tuple[int, int, int], said: str) -> None:
    assert words.trend_words(*counts) == said


@pytest.mark.parametrize(
    ("digest", "verdict", "circle"),
    [
        (QUIET, "all quiet", "🟢"),
        (
            replace(
                QUIET,
                errors=Errors(
                    projects=(ProjectErrors(project="p", count=3, day_before=0, week_before=0),)
                ),
            ),
            "nothing new",
            "🟢",
        ),
        (replace(QUIET, errors=Errors(new_count=1)), "1 new error", "🟡"),
        (replace(QUIET, rollouts=Rollouts(failed=2)), "2 rollouts failed", "🔴"),
        (replace(QUIET, alerts=Alerts(open_count=2)), "2 alerts open", "🔴"),
        (replace(QUIET, rollouts=Rollouts(unreviewed_count=1)), "1 emergency to review", "🟡"),
    ],
)
def test_the_verdict_says_what_to_look_at(digest: object, verdict: str, circle: str) -> None:
    assert words.verdict(digest) == verdict  # type: ignore[arg-type]  # a digest
    assert words.circle(digest) == circle  # type: ignore[arg-type]  # same


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"late": 2 * HOUR}, "2 h late: HMS-SYS was not running."),
        ({"late": HOUR, "is_of_outage": True}, "1 h late: its database could not be reached."),
        (
            {"late": HOUR, "missed": 1},
            "1 h late: HMS-SYS was not running. The one before it was not made.",
        ),
        (
            {"late": HOUR, "missed": 6},
            "1 h late: HMS-SYS was not running. The 6 before it were not made.",
        ),
    ],
)
def test_a_late_one_says_why(changes: dict[str, object], said: str) -> None:
    assert words.late_line(replace(QUIET, **changes)) == said  # type: ignore[arg-type]  # the dataclass checks


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), ""),
        ((make_uptime("a", timedelta(0)),), "Uptime: 100 % on 1 check"),
        ((make_uptime("a", timedelta(0), timedelta(0)),), "Uptime: nothing known of 1 check"),
        (
            (make_uptime("a", HOUR), make_uptime("b", timedelta(0))),
            "Uptime: 1 of 2 checks below 100 %",
        ),
    ],
)
def test_uptime_in_a_sentence(lines: object, said: str) -> None:
    assert words.uptime_line(replace(QUIET, uptimes=lines)) == said  # type: ignore[arg-type]  # uptimes


@pytest.mark.parametrize(
    ("down", "said"),
    [
        (timedelta(0), "100 %"),
        (timedelta(seconds=1), "99.99 %, 1 s failing"),
        (24 * HOUR, "0.00 %, 1 d failing"),
    ],
)
def test_a_share_is_rounded_down(down: timedelta, said: str) -> None:
    assert words.uptime_words(make_uptime("a", down)) == said


def test_the_chart_is_told_to_those_who_cannot_see_it() -> None:
    said = words.chart_words(BUSY)

    assert said == (
        "Errors per hour: 20 to 310, most from 02:00. Rollouts: 14 live, 1 failed, 2 withdrawn."
    )


def test_its_days_are_those_of_its_zone() -> None:
    kolkata = replace(QUIET, zone="Asia/Kolkata")

    assert words.span_line(kolkata) == "Sun 22 Nov 17:30 to Mon 23 Nov 17:30, Asia/Kolkata"
    assert words.title(kolkata, is_scheduled=False) == "Digest: Mon 23 Nov, 17:30"


def test_the_span_is_said_as_it_is() -> None:
    assert words.span_line(BUSY) == "Sun 22 Nov 12:00 to Mon 23 Nov 12:00, Europe/London"


def test_errors_that_are_counted_by_other_hours_than_the_span_say_so() -> None:
    span = Span(BUSY.span.since + HOUR / 2, BUSY.span.until + HOUR / 2)

    said = words.span_line(replace(BUSY, span=span))

    assert said == "Sun 22 Nov 12:30 to Mon 23 Nov 12:30, Europe/London; errors 12:00 to 12:00"
