from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from handlers.http.pace import TokenBucket
from tests.factories import NOON


@dataclass
class StillClock:
    """Time that goes on only when a test says so."""

    time: datetime = field(default=NOON)

    def now(self) -> datetime:
        """As it was set."""
        return self.time

    async def sleep(self, seconds: float) -> None:
        """Nobody sleeps here."""
        raise AssertionError


def test_a_full_bucket_allows_a_minute_s_worth_at_once() -> None:
    bucket = TokenBucket(3, StillClock())

    assert [bucket.take() for _ in range(4)] == [0, 0, 0, 20]


def test_after_the_wait_it_was_told_one_more_is_allowed() -> None:
    clock = StillClock()
    bucket = TokenBucket(3, clock)
    for _ in range(4):
        wait = bucket.take()
    clock.time += timedelta(seconds=wait)

    assert bucket.take() == 0
    assert bucket.take() > 0


def test_a_clock_that_goes_back_gives_nothing_away() -> None:
    clock = StillClock()
    bucket = TokenBucket(1, clock)
    bucket.take()
    clock.time -= timedelta(hours=1)

    assert bucket.take() == 60


@given(
    st.integers(1, 1000),
    st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=200),
)
def test_no_more_pass_than_a_full_bucket_and_what_came_in_since(
    a_minute: int, pauses: list[float]
) -> None:
    clock = StillClock()
    bucket = TokenBucket(a_minute, clock)
    passed = 0
    for pause in pauses:
        clock.time += timedelta(seconds=pause)
        passed += bucket.take() == 0

    assert passed <= a_minute + sum(pauses) * a_minute / 60 + 1
