"""The arithmetic that figures are judged by."""

from __future__ import annotations

import math

import pytest

from bench.figures import (
    Figure,
    Limit,
    Topic,
    at_least,
    at_most,
    format_value,
    median,
    middle_run,
    percentile,
)


def figure(value: float, limit: Limit | None = None, note: str = "") -> Figure:
    return Figure(topic=Topic.ACKS, name="acks", value=value, unit="ms", limit=limit, note=note)


@pytest.mark.parametrize(
    ("percent", "expected"),
    [(1, 1), (50, 50), (95, 95), (99, 99), (99.5, 100), (100, 100)],
)
def test_a_percentile_is_a_sample_of_its_rank(percent: float, expected: int) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == expected


def test_a_percentile_of_few_samples_is_the_largest() -> None:
    """The nearest rank never tells less than what was seen."""
    assert percentile([3.0, 9.0, 5.0], 99) == 9.0


@pytest.mark.parametrize("percent", [0, -1, 100.1])
def test_a_percentile_beyond_the_samples_is_refused(percent: float) -> None:
    with pytest.raises(ValueError, match="percentile"):
        percentile([1.0], percent)


@pytest.mark.parametrize(
    ("samples", "expected"),
    [([5.0], 5.0), ([9.0, 1.0, 5.0], 5.0), ([4.0, 1.0, 2.0, 9.0], 3.0)],
)
def test_a_median_is_the_middle(samples: list[float], expected: float) -> None:
    assert median(samples) == expected


def test_nothing_has_neither_percentile_nor_median() -> None:
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)
    with pytest.raises(ValueError, match="nothing"):
        median([])


@pytest.mark.parametrize(
    ("value", "limit", "is_met"),
    [
        pytest.param(500.0, at_most(500, ""), True, id="just not too much"),
        pytest.param(500.1, at_most(500, ""), False, id="too much"),
        pytest.param(200.0, at_least(200, ""), True, id="just enough"),
        pytest.param(199.9, at_least(200, ""), False, id="too little"),
        pytest.param(math.nan, at_most(500, ""), False, id="no number, from above"),
        pytest.param(math.nan, at_least(200, ""), False, id="no number, from below"),
        pytest.param(1e9, None, True, id="no limit"),
    ],
)
def test_a_limit_is_kept_up_to_itself(value: float, limit: Limit | None, is_met: bool) -> None:
    assert figure(value, limit).is_met is is_met


def test_the_run_that_is_shown_is_the_middle_one_by_strain() -> None:
    """Not by value: a slow machine has a slow floor, and its limit moves with it."""
    runs = [
        figure(100, at_most(110, ""), "first"),
        figure(50, at_most(100, ""), "second"),
        figure(90, at_most(95, ""), "third"),
    ]

    shown = middle_run(runs)

    assert shown.value == 100
    assert shown.note == "3 runs: 100, 50, 90. Shown: first"


def test_of_two_runs_the_worse_is_shown() -> None:
    runs = [figure(300, at_least(200, "")), figure(210, at_least(200, ""))]

    assert middle_run(runs).value == 210


def test_a_single_run_is_shown_as_it_is() -> None:
    only = figure(1, at_most(2, ""), "alone")

    assert middle_run([only]) is only


@pytest.mark.parametrize(
    ("value", "shown"),
    [(2231.7, "2232"), (130.4, "130"), (17.44, "17.4"), (1.032, "1.03"), (0.0, "0")],
)
def test_values_are_shown_with_what_means_something(value: float, shown: str) -> None:
    assert format_value(value) == shown
