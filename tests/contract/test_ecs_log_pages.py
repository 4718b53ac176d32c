"""Reading a CloudWatch log group on: every event once, over pages, late ones too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

import pytest
from botocore.exceptions import ClientError

from bot.clock import SystemClock
from operations.errors import ProviderError, ProviderRejected
from operations.monitoring.errors.log_ports import LogKind, LogPage, LogSource
from providers.aws import EcsProvider
from providers.aws.errors import translate
from providers.aws.gateway import Clients, Gateway, Place
from providers.aws.log_pages import LATE, LogGroups
from sandbox.ecs import EcsStandIn
from tests.contract.world_ecs import ecs_target, environment

T = TypeVar("T")
SECOND = timedelta(seconds=1)
GROUP = "/ecs/myapp"
HERE = Place("", "eu-west-1")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Group:
    """The stand-in's log group, read by the real adapter as its configuration says."""

    def __init__(self, ecs: EcsStandIn) -> None:
        self.ecs = ecs
        self.cursor = ""
        ecs.call("logs", "CreateLogGroup", {"logGroupName": GROUP})

    def write(self, *lines: str, stream: str = "ecs/app/1", ago: timedelta = 0 * SECOND) -> None:
        at = datetime.now(UTC) - ago
        where = {"logGroupName": GROUP, "logStreamName": stream}
        if stream not in self._streams():
            self.ecs.call("logs", "CreateLogStream", where)
        events = [{"timestamp": int(at.timestamp() * 1000), "message": line} for line in lines]
        self.ecs.call("logs", "PutLogEvents", {**where, "logEvents": events})

    def _streams(self) -> list[str]:
        answer = self.ecs.call("logs", "DescribeLogStreams", {"logGroupName": GROUP})
        return [stream["logStreamName"] for stream in answer["logStreams"]]

    async def page(self, *, limit: int = 1000, group: str = GROUP) -> LogPage:
        """A new process each time: only the cursor is kept."""
        source = LogSource(
            id="cloudwatch",
            kind=LogKind.CLOUDWATCH,
            project="myapp",
            environment="prod",
            every=SECOND,
            group=group,
        )
        provider = EcsProvider(clock=SystemClock())
        try:
            page = await provider.read_log(source, ecs_target(self.ecs), self.cursor, limit)
        finally:
            await provider.close()
        self.cursor = page.cursor
        return page

    async def lines(self) -> list[str]:
        return [line.text for line in (await self.page()).lines]


@pytest.fixture
def group() -> Iterator[Group]:
    with EcsStandIn(pace=1) as ecs, environment(ecs.environment()):
        yield Group(ecs)
        assert ecs.unexpected == []


async def test_a_new_source_begins_with_now(group: Group) -> None:
    group.write("long ago", ago=10 * SECOND)

    assert await group.lines() == []
    assert await group.lines() == []


async def test_events_of_all_streams_are_read_once_with_stream_and_time(group: Group) -> None:
    await group.page()
    group.write("one\n")
    group.write("two", stream="ecs/app/2")

    page = await group.page()

    assert {(line.text, line.stream) for line in page.lines} == {
        ("one", "ecs/app/1"),
        ("two", "ecs/app/2"),
    }
    assert all(line.at and abs(line.at - datetime.now(UTC)) < 10 * SECOND for line in page.lines)
    assert await group.lines() == []


async def test_an_event_that_shows_up_late_is_read(group: Group) -> None:
    group.cursor = _cursor_of(datetime.now(UTC) - 2 * LATE)
    await group.page()
    group.write("newer")
    first = await group.lines()
    group.write("older", ago=LATE / 2)

    assert (first, await group.lines(), await group.lines()) == (["newer"], ["older"], [])


async def test_pages_are_followed_by_other_processes_too(group: Group) -> None:
    await group.page()
    group.write(*(f"line {number}" for number in range(25)))

    pages = [await group.page(limit=10) for _ in range(3)]

    assert [len(page.lines) for page in pages] == [10, 10, 5]
    assert [page.more for page in pages] == [True, True, False]
    assert [line.text for page in pages for line in page.lines] == [f"line {n}" for n in range(25)]


async def test_a_group_that_does_not_exist_is_our_error(group: Group) -> None:
    await group.page(group="/ecs/gone")

    with pytest.raises(ProviderRejected):
        await group.page(group="/ecs/gone")


class FakeGateway(Gateway):
    """Answers FilterLogEvents in turn; what is an error is raised as AWS's."""

    def __init__(self, *answers: Mapping[str, object] | str) -> None:
        super().__init__(SystemClock())
        self._answers = list(answers)

    async def read(self, place: Place, doing: str, call: Callable[[Clients], T]) -> T:
        answer = self._answers.pop(0)
        if isinstance(answer, str):
            error = ClientError({"Error": {"Code": answer}}, "FilterLogEvents")
            raise translate(error, doing, change=False) from error
        return cast(T, answer)


def answer(*ids: str, token: str = "") -> Mapping[str, object]:
    at = int(NOON.timestamp() * 1000)
    events = [{"eventId": key, "timestamp": at, "message": key} for key in ids]
    return {"events": events} | ({"nextToken": token} if token else {})


async def read(cursor: str, *answers: Mapping[str, object] | str) -> tuple[Sequence[str], LogPage]:
    gateway = FakeGateway(*answers)
    page = await LogGroups(gateway).read(HERE, GROUP, cursor, limit=100, now=NOON)
    await gateway.close()
    return [line.text for line in page.lines], page


async def test_an_empty_page_with_a_token_is_not_the_end() -> None:
    lines, page = await read(_cursor_of(NOON), answer(token="1"), answer("a", token="2"), answer())

    assert (lines, page.more) == (["a"], False)


async def test_a_group_of_nothing_but_empty_pages_is_read_on_later() -> None:
    _, page = await read(_cursor_of(NOON), *(answer(token=str(n)) for n in range(10)))
    lines, _ = await read(page.cursor, answer("a"))

    assert (page.more, lines) == (True, ["a"])


async def test_a_token_that_has_ended_doubles_nothing() -> None:
    _, page = await read(_cursor_of(NOON), *(answer(f"e{n}", token=str(n)) for n in range(10)))
    lines, _ = await read(
        page.cursor, "InvalidParameterException", answer(*(f"e{n}" for n in range(12)))
    )

    assert lines == ["e10", "e11"]


async def test_throttling_is_told_as_such() -> None:
    with pytest.raises(ProviderError, match="throttles"):
        await read(_cursor_of(NOON), "ThrottlingException")


async def test_more_events_than_can_be_remembered_are_read_once() -> None:
    ids = [f"e{number}" for number in range(20_000)]
    first, page = await read(_cursor_of(NOON), answer(*ids))
    start = json.loads(page.cursor)["start"]

    # All of one moment: the next reading begins after it.
    assert (len(first), start) == (20_000, int(NOON.timestamp() * 1000) + 1)
    assert len(page.cursor) < 100_000


def _cursor_of(at: datetime) -> str:
    now = int(at.timestamp() * 1000)
    return f'{{"start":{now},"begun":{now},"token":"","known":{{}}}}'
