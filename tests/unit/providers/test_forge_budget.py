"""The requests a minute that Forge allows, in virtual time."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from operations.errors import ProviderUnavailable
from providers.forge.budget import Budget, Errand

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


class VirtualClock:
    """Sleepers wake in the order of their times; time jumps when everybody sleeps."""

    def __init__(self) -> None:
        self._now = START
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()

    def now(self) -> datetime:
        """The virtual time."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Wait until `run` comes there."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        due = self._now + timedelta(seconds=seconds)
        heapq.heappush(self._sleepers, (due, next(self._numbers), woken))
        await woken

    async def run(self, seconds: float) -> None:
        """Let virtual time pass."""
        end = self._now + timedelta(seconds=seconds)
        while True:
            for _ in range(5):  # let those who were woken go to sleep again
                await asyncio.sleep(0)
            if not self._sleepers or self._sleepers[0][0] > end:
                self._now = end
                return
            due, _, woken = heapq.heappop(self._sleepers)
            self._now = max(self._now, due)
            if not woken.done():
                woken.set_result(None)

    @property
    def seconds(self) -> float:
        """Since the start."""
        return (self._now - START).total_seconds()


@pytest.fixture
def clock() -> VirtualClock:
    """Nobody really waits."""
    return VirtualClock()


@pytest.fixture
def budget(clock: VirtualClock) -> Budget:
    """Sixty a minute."""
    return Budget(clock=clock, per_minute=60)


async def spend(budget: Budget, times: int, errand: Errand = Errand.URGENT) -> None:
    """So many requests in a row."""
    for _ in range(times):
        await budget.spend(errand)


def most_in_a_minute(sent: list[float]) -> int:
    """The most requests in any sixty seconds."""
    return max(sum(1 for s in sent if begin <= s < begin + 60) for begin in sent)


async def follow(budget: Budget, clock: VirtualClock, sent: list[float], at_least: float) -> None:
    """What a follower does, without end."""
    with budget.following():
        while True:
            await budget.spend(Errand.BACKGROUND)
            sent.append(clock.seconds)
            await clock.sleep(budget.interval(at_least))


async def with_followers(
    budget: Budget, clock: VirtualClock, number: int, check: Callable[[list[float]], None]
) -> None:
    """Run so many followers for ten minutes, then check what they sent and stop them."""
    sent: list[float] = []
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(follow(budget, clock, sent, 3.0)) for _ in range(number)]
        await clock.run(600)
        check(sent)
        for task in tasks:
            task.cancel()


async def test_a_minutes_requests_go_at_once(budget: Budget, clock: VirtualClock) -> None:
    await spend(budget, 60)

    assert clock.seconds == 0


async def test_the_one_too_many_waits_for_its_turn(budget: Budget, clock: VirtualClock) -> None:
    await spend(budget, 59)
    await clock.run(50)
    await spend(budget, 1)

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(spend(budget, 1))
        await clock.run(9)
        assert not waiting.done()
        await clock.run(2)
        assert waiting.done()


async def test_a_turn_too_far_away_is_given_up(budget: Budget) -> None:
    await spend(budget, 60)

    with pytest.raises(ProviderUnavailable) as caught:
        await budget.spend(Errand.URGENT)

    assert caught.value.retry_after == 60


async def test_background_leaves_a_reserve_for_starts(budget: Budget, clock: VirtualClock) -> None:
    await spend(budget, 45, Errand.BACKGROUND)

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(spend(budget, 1, Errand.BACKGROUND))
        await clock.run(1)
        assert not waiting.done()
        await spend(budget, 15)
        assert clock.seconds == 1
        waiting.cancel()


@pytest.mark.parametrize("followers", [1, 5, 20, 60])
async def test_followers_together_stay_within_their_share(
    budget: Budget, clock: VirtualClock, followers: int
) -> None:
    def check(sent: list[float]) -> None:
        assert most_in_a_minute(sent) <= 45
        assert len(sent) >= 0.5 * min(followers * 200, 360)

    await with_followers(budget, clock, followers, check)


async def test_a_start_among_many_followers_does_not_wait(
    budget: Budget, clock: VirtualClock
) -> None:
    sent: list[float] = []
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(follow(budget, clock, sent, 3.0)) for _ in range(30)]
        for _ in range(20):
            await clock.run(31)
            before = clock.seconds
            await spend(budget, 5)
            assert clock.seconds == before
        for task in tasks:
            task.cancel()


async def test_one_follower_looks_as_often_as_configured(budget: Budget) -> None:
    with budget.following():
        assert budget.interval(3.0) == 3.0


async def test_many_followers_look_less_often(budget: Budget) -> None:
    with budget.following(), budget.following(), budget.following(), budget.following():
        assert budget.interval(3.0) == pytest.approx(4 * 60 / 36)


async def test_what_others_spent_is_heeded(budget: Budget) -> None:
    budget.heed(200, {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "1"})
    await budget.spend(Errand.URGENT)

    with pytest.raises(ProviderUnavailable):
        await budget.spend(Errand.URGENT)


async def test_what_others_spent_is_forgotten_after_a_minute(
    budget: Budget, clock: VirtualClock
) -> None:
    budget.heed(200, {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "0"})
    await clock.run(60)

    await budget.spend(Errand.URGENT)


async def test_a_lower_limit_there_becomes_ours(budget: Budget) -> None:
    budget.heed(200, {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "10"})
    await spend(budget, 10)

    with pytest.raises(ProviderUnavailable):
        await budget.spend(Errand.URGENT)


@pytest.mark.parametrize(
    ("headers", "away"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"x-ratelimit-reset": str(int(START.timestamp()) + 12)}, 12.0),
        ({}, 60.0),
        ({"retry-after": "86400"}, 60.0),
        ({"retry-after": "soon"}, 60.0),
    ],
    ids=["retry after", "reset", "nothing said", "too long", "no number"],
)
async def test_a_429_closes_the_door_for_as_long_as_it_says(
    budget: Budget, clock: VirtualClock, headers: dict[str, str], away: float
) -> None:
    assert budget.heed(429, headers) == away

    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(spend(budget, 1, Errand.BACKGROUND))
        await clock.run(away - 1)
        assert not waiting.done()
        await clock.run(2)
        assert waiting.done()


async def test_logs_are_read_only_while_there_is_plenty(
    budget: Budget, clock: VirtualClock
) -> None:
    assert budget.is_easy
    await spend(budget, 30)
    assert not budget.is_easy
