from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from handlers.delivery import NotYet
from handlers.slack.pace import Pace
from handlers.slack.turns import Turns
from operations.outbox import Urgency
from tests.factories import NOON


class SleepingClock:
    """Time passes while somebody sleeps, and only then."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> SleepingClock:
    return SleepingClock()


@pytest.fixture
def turns(clock: SleepingClock) -> Turns:
    return Turns(Pace(), clock)


async def test_a_second_post_to_a_channel_waits_a_second(
    turns: Turns, clock: SleepingClock
) -> None:
    await turns.post("C1")
    await turns.post("C1")

    assert clock.time - NOON == timedelta(seconds=1)


async def test_progress_gives_its_turn_back(turns: Turns, clock: SleepingClock) -> None:
    await turns.edit("D-1", Urgency.PROGRESS)

    with pytest.raises(NotYet) as caught:
        await turns.edit("D-1", Urgency.PROGRESS)

    assert caught.value.seconds == pytest.approx(3.0)
    assert clock.time == NOON


async def test_an_end_does_not_wait_for_the_pace_of_progress(
    turns: Turns, clock: SleepingClock
) -> None:
    await turns.edit("D-1", Urgency.PROGRESS)
    await turns.edit("D-1", Urgency.FINAL)

    assert clock.time == NOON


async def test_what_slack_blocks_for_long_is_put_off(turns: Turns, clock: SleepingClock) -> None:
    turns.block(30)

    with pytest.raises(NotYet):
        await turns.edit("D-1", Urgency.FINAL)

    assert clock.time - NOON < timedelta(seconds=5)
