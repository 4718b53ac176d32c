from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from operations.integration.dual.comparison import ENOUGH, LONG_ENOUGH, Comparison, DualMode, judge

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def compared(agrees: bool | None, days_ago: int = 0) -> Comparison:
    return Comparison(
        key=f"D-{days_ago}",
        project="myapp",
        environment="prod",
        mode=DualMode.SHADOW,
        begun_at=NOON - days_ago * DAY,
        planned="1.4",
        agrees=agrees,
    )


def test_enough_agreements_over_long_enough_are_ready() -> None:
    found = judge([compared(True, days) for days in (0, 2, 4, 6, 8)], NOON)

    assert found.is_ready
    assert (found.in_a_row, found.compared, found.agreed) == (5, 5, 5)


def test_many_agreements_on_one_day_are_not() -> None:
    assert not judge([compared(True)] * 50, NOON).is_ready


def test_a_few_agreements_over_weeks_are_not() -> None:
    assert not judge([compared(True, days) for days in (0, 20, 40)], NOON).is_ready


def test_a_difference_begins_the_row_anew_and_is_named() -> None:
    found = judge(
        [*(compared(True, d) for d in range(3)), compared(False, 5), compared(True, 9)], NOON
    )

    assert (found.in_a_row, found.compared, found.agreed) == (3, 5, 4)
    assert found.difference is not None
    assert found.difference.key == "D-5"


def test_what_is_still_open_counts_for_nothing() -> None:
    found = judge([compared(None), compared(True, 1)], NOON)

    assert (found.compared, found.in_a_row) == (1, 1)


@given(st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=30))
def test_ready_means_no_difference_among_the_newest(agreements: list[bool | None]) -> None:
    found = judge([compared(each, n) for n, each in enumerate(agreements)], NOON)

    if found.is_ready:
        heard = [each for each in agreements if each is not None]
        assert all(heard[:ENOUGH])
        assert found.since is not None
        assert NOON - found.since >= LONG_ENOUGH
