from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.http.queries import read_since
from tests.factories import NOON


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("24h", timedelta(hours=24)),
        ("1h30m", timedelta(minutes=90)),
        ("7D", timedelta(days=7)),
        ("2026-11-23T11:00:00Z", timedelta(hours=1)),
        ("2026-11-23T12:00:00+01:00", timedelta(hours=1)),
        ("2026-11-23T12:00:00 01:00", timedelta(hours=1)),  # a plus that became a blank
    ],
)
def test_since_is_a_duration_or_a_time(text: str, ago: timedelta) -> None:
    assert read_since(text, NOON) == NOON - ago


@pytest.mark.parametrize(
    "text",
    ["soon", "2026-11-23", "2026-11-23T11:00:00", "h", "0001-01-01T00:00:00+23:59", "99999d"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_since(text, NOON)


def test_a_time_to_come_is_no_farther_than_tomorrow() -> None:
    assert read_since("2099-01-01T00:00:00Z", NOON) == NOON + timedelta(days=1)
