from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.durations import parse_duration, say_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("10m", 600), ("2h", 7200), ("7d", 604800), ("1h30m", 5400), (" 5 M ", 300)],
)
def test_durations_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "m", "10x", "-5m", "1.5h", "ten minutes", "9999999d"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration|too long"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (48, "48 s"),
        (125, "2 m 5 s"),
        (120, "2 m"),
        (10800, "3 h"),
        (12300, "3 h 25 m"),
        (187200, "2 d 4 h"),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: int, said: str) -> None:
    assert say_duration(timedelta(seconds=seconds)) == said


@given(st.integers(0, 10**8))
def test_what_is_said_can_be_read_back_within_its_smaller_unit(seconds: int) -> None:
    span = timedelta(seconds=seconds)

    read = parse_duration(say_duration(span).replace(" ", ""))

    assert timedelta(0) <= span - read < timedelta(hours=1)
