"""The line of 24 hours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.spark import spark_line


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ([], ""),
        ([0] * 24, "▁" * 24),
        ([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"),
        ([0, 1, 1_000_000], "▁▂█"),
        ([5, 5, 0], "██▁"),
        ([1], "█"),
    ],
)
def test_each_number_has_its_share_of_the_greatest(counts: list[int], line: str) -> None:
    assert spark_line(counts) == line


@given(st.lists(st.integers(0, 10**12), max_size=48))
def test_an_empty_hour_is_seen_and_no_other_looks_like_one(counts: list[int]) -> None:
    line = spark_line(counts)
    assert len(line) == len(counts)
    assert [sign == "▁" for sign in line] == [count == 0 for count in counts]


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=48))
def test_more_never_looks_like_less(counts: list[int]) -> None:
    counts = sorted(counts)
    assert list(spark_line(counts)) == sorted(spark_line(counts))
