"""The shared poll: batches, backing off, and followers who come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from operations.errors import ProviderUnavailable
from providers.aws.board import Board, Subject
from providers.aws.records import Record
from providers.aws.services import Service, service_from


class FakeClock:
    """Time passes only by sleeping; `waits` are the seconds slept."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, tzinfo=UTC)
        self.waits: list[float] = []

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)


class FakeAws:
    """Answers for every service; counts calls; `gate` holds answers back."""

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []
        self.broken = False
        self.gate = asyncio.Event()
        self.gate.set()

    async def services(self, names: Sequence[str]) -> Mapping[str, Service]:
        self.asked.append(tuple(names))
        await self.gate.wait()
        if self.broken:
            raise ProviderUnavailable("AWS is away.")
        return {name: service_from({"serviceName": name}) for name in names}

    async def records(self, arns: Sequence[str]) -> Mapping[str, Record]:
        return {}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def aws() -> FakeAws:
    return FakeAws()


@pytest.fixture
def board(aws: FakeAws, clock: FakeClock) -> Board:
    return Board(services=aws.services, records=aws.records, clock=clock, seconds=3.0)


async def test_all_who_follow_are_read_in_one_round_of_batches_of_ten(
    board: Board, aws: FakeAws
) -> None:
    subjects = [Subject(f"s{number:02}") for number in range(25)]
    async with asyncio.TaskGroup() as group:
        for subject in subjects:
            group.create_task(_one_round(board, subject))

    rounds = [len(batch) for batch in aws.asked]
    assert rounds == [1, 10, 10, 4], "the first to come reads alone, then the others together"


async def test_two_rollouts_of_one_service_are_one_question(board: Board, aws: FakeAws) -> None:
    first, second = Subject("web"), Subject("web")
    with board.following(first), board.following(second):
        await board.after(0, first)
        await board.after(0, second)

    assert aws.asked == [("web",)]


async def test_rounds_keep_their_distance(board: Board, clock: FakeClock) -> None:
    subject = Subject("web")
    with board.following(subject):
        for number in range(3):
            await board.after(number, subject)

    assert clock.waits == [3.0, 3.0]


async def test_trouble_doubles_the_distance_up_to_half_a_minute(
    board: Board, aws: FakeAws, clock: FakeClock
) -> None:
    aws.broken = True
    subject = Subject("web")
    with board.following(subject):
        for number in range(7):
            assert (await board.after(number, subject)).errors

    assert clock.waits == [6.0, 12.0, 24.0, 30.0, 30.0, 30.0]


async def test_after_trouble_the_distance_is_short_again(
    board: Board, aws: FakeAws, clock: FakeClock
) -> None:
    aws.broken = True
    subject = Subject("web")
    with board.following(subject):
        await board.after(0, subject)
        aws.broken = False
        await board.after(1, subject)
        await board.after(2, subject)

    assert clock.waits == [6.0, 3.0]


async def test_when_the_one_who_reads_goes_the_next_takes_over(board: Board, aws: FakeAws) -> None:
    aws.gate.clear()
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        leader = group.create_task(_one_round(board, Subject("web")))
        waiting = group.create_task(_one_round(board, Subject("web")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        leader.cancel()
        aws.gate.set()

    assert waiting.result() == 1


async def test_who_left_is_not_asked_for_any_more(board: Board, aws: FakeAws) -> None:
    stays, leaves = Subject("stays"), Subject("leaves")
    with board.following(stays):
        with board.following(leaves):
            await board.after(0, leaves)
        await board.after(1, stays)

    assert aws.asked == [("leaves", "stays"), ("stays",)]


async def _one_round(board: Board, subject: Subject) -> int:
    with board.following(subject):
        return (await board.after(0, subject)).number
