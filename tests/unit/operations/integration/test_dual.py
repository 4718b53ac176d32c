from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from operations.integration.dual.comparison import (
    ENOUGH,
    LONG_ENOUGH,
    Comparison,
    DualMode,
    Setting,
    judge,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SHADOW = Setting(target_name="myapp/prod", mode=DualMode.SHADOW, place="k8s:lab")
VERIFY = replace(SHADOW, mode=DualMode.VERIFY)


def compared(agrees: bool | None, days_ago: float = 0) -> Comparison:
    return Comparison(
        key=f"D-{days_ago}",
        project="myapp",
        environment="prod",
        mode=DualMode.SHADOW,
        begun_at=NOON - days_ago * DAY,
        planned="1.4",
        legacy_exit=0,
        agrees=agrees,
        place="k8s:lab",
    )


WEEK = [compared(True, days) for days in (0, 2, 4, 6, 8)]


def test_enough_agreements_over_long_enough_are_ready() -> None:
    found = judge(SHADOW, WEEK, NOON)

    assert found.is_ready
    assert found.present is not None
    assert (found.in_a_row, found.present.compared, found.present.agreed) == (5, 5, 5)


def test_many_agreements_on_one_day_are_not() -> None:
    assert not judge(SHADOW, [compared(True)] * 50, NOON).is_ready


def test_a_few_agreements_over_weeks_are_not() -> None:
    assert not judge(SHADOW, [compared(True, days) for days in (0, 20, 40)], NOON).is_ready


def test_a_difference_begins_the_row_anew_and_is_named() -> None:
    of_late = [compared(True, d) for d in range(3)]

    found = judge(SHADOW, [*of_late, compared(False, 5), compared(True, 9)], NOON)

    assert found.present is not None
    assert (found.in_a_row, found.present.compared, found.present.agreed) == (3, 5, 4)
    assert found.difference is not None
    assert found.difference.key == "D-5"


def test_what_is_still_open_counts_for_nothing() -> None:
    found = judge(SHADOW, [compared(None), compared(True, 1)], NOON)

    assert found.present is not None
    assert (found.present.compared, found.in_a_row) == (1, 1)
    assert found.present.newest == (True,)


def test_what_could_not_be_heard_is_shown_and_breaks_no_row() -> None:
    unheard = replace(compared(None, 1), ended_at=NOON)

    found = judge(SHADOW, [compared(True), unheard, compared(True, 2)], NOON)

    assert found.present is not None
    assert (found.in_a_row, found.present.compared) == (2, 2)
    assert found.present.newest == (True, None, True)


def test_failures_on_which_both_agree_make_nothing_ready() -> None:
    """An HMS-OPS that is broken for a week says nothing of how HMS-SYS deploys."""
    failures = [replace(each, legacy_exit=1) for each in WEEK]

    found = judge(SHADOW, [*failures, *WEEK[:2]], NOON)

    assert (found.is_ready, found.in_a_row) == (False, 2)


def test_agreements_of_the_other_mode_do_not_count() -> None:
    found = judge(VERIFY, WEEK, NOON)

    assert (found.is_ready, found.in_a_row, found.present) == (False, 0, None)
    (former,) = found.former
    assert (former.mode, former.agreed, former.begun_at) == (DualMode.SHADOW, 5, NOON - 8 * DAY)


def test_back_in_a_mode_it_begins_anew() -> None:
    verified = replace(compared(False, 1), mode=DualMode.VERIFY)

    found = judge(
        SHADOW, [compared(True), verified, *(compared(True, d) for d in range(2, 20))], NOON
    )

    assert (found.is_ready, found.in_a_row) == (False, 1)
    assert [each.mode for each in found.former] == [DualMode.VERIFY, DualMode.SHADOW]


def test_a_target_that_was_moved_begins_anew() -> None:
    found = judge(replace(SHADOW, place="aws:eu-west-1"), WEEK, NOON)

    assert (found.is_ready, found.present, len(found.former)) == (False, None, 1)


def test_what_an_older_version_stored_counts_for_the_place_of_today() -> None:
    assert judge(SHADOW, [replace(each, place="") for each in WEEK], NOON).is_ready


def test_the_course_tells_the_newest_ten_and_the_first_difference() -> None:
    differs = {11, 7, 0}
    found = judge(SHADOW, [compared(day not in differs, day) for day in range(14)], NOON)

    assert found.present is not None
    assert found.present.newest == (True, True, False, *[True] * 6, False)
    assert found.present.first_difference is not None
    assert found.present.first_difference.key == "D-11"
    assert found.difference is not None
    assert found.difference.key == "D-0"


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=30))
def test_ready_means_no_difference_among_the_newest(agreements: list[bool | None]) -> None:
    found = judge(SHADOW, [compared(each, n) for n, each in enumerate(agreements)], NOON)

    if found.is_ready:
        heard = [each for each in agreements if each is not None]
        assert all(heard[:ENOUGH])
        assert found.since is not None
        assert NOON - found.since >= LONG_ENOUGH
