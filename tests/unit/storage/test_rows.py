"""Values to columns and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from storage.rows import from_time, to_json, to_time


def test_times_are_exact_to_the_microsecond() -> None:
    time = datetime(2026, 11, 23, 12, 0, 59, 999_999, tzinfo=UTC)

    assert to_time(from_time(time)) == time
    assert from_time(time + timedelta(microseconds=1)) - from_time(time) == 1


def test_times_come_back_in_utc() -> None:
    east = datetime(2026, 11, 23, 14, 0, tzinfo=timezone(timedelta(hours=2)))

    assert to_time(from_time(east)).isoformat() == "2026-11-23T12:00:00+00:00"


def test_naive_times_are_refused() -> None:
    with pytest.raises(TypeError):
        from_time(datetime(2026, 11, 23))  # noqa: DTZ001


def test_json_keeps_order_and_letters() -> None:
    assert to_json({"z": "Größe", "a": [1, None]}) == '{"z":"Größe","a":[1,null]}'
