"""Reading CloudWatch's pages, which may be empty and still not be the last."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

import pytest

from bot.clock import SystemClock
from operations.errors import ProviderRejected
from providers.aws.gateway import Clients, Gateway, Place
from providers.aws.logs import LogPlace, Logs, log_place

T = TypeVar("T")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
HERE = Place("", "eu-west-1")
WHERE = LogPlace(HERE, "/ecs/myapp", "ecs/app/")


class FakeGateway(Gateway):
    """Answers FilterLogEvents with pages in turn; refuses any other question."""

    def __init__(self, pages: Sequence[Mapping[str, object]]) -> None:
        super().__init__(SystemClock())
        self.pages = list(pages)
        self.spans = 0

    async def read(self, place: Place, doing: str, call: Callable[[Clients], T]) -> T:
        assert doing == "read the log"
        return cast(T, self.pages.pop(0))


def event(at: int, message: str, stream: str = "ecs/app/1") -> dict[str, object]:
    return {"timestamp": at, "message": message, "logStreamName": stream}


async def newest(pages: Sequence[Mapping[str, object]], lines: int) -> Sequence[str]:
    gateway = FakeGateway(pages)
    found = await Logs(gateway).newest(WHERE, lines=lines, now=NOW, since=timedelta(hours=1))
    assert gateway.pages == []
    await gateway.close()
    return found


async def test_an_empty_page_with_a_token_is_not_the_end() -> None:
    pages: list[Mapping[str, object]] = [
        {"events": [event(1, "a")], "nextToken": "1"},
        {"events": [], "nextToken": "2"},
        {"events": [event(2, "b")]},
    ]

    assert list(await newest(pages, 10)) == ["a", "b"]


async def test_only_the_newest_lines_are_kept_and_in_order() -> None:
    pages: list[Mapping[str, object]] = [{"events": [event(n, str(n)) for n in (1, 2, 3, 4)]}]

    assert list(await newest(pages, 2)) == ["3", "4"]


async def test_other_containers_streams_are_left_out() -> None:
    pages: list[Mapping[str, object]] = [
        {"events": [event(1, "a"), event(2, "x", stream="ecs/proxy/1")]}
    ]

    assert list(await newest(pages, 10)) == ["a"]


async def test_lines_are_cleaned() -> None:
    pages: list[Mapping[str, object]] = [{"events": [event(1, "\x1b[31mpassword=hunter22\n")]}]

    assert list(await newest(pages, 10)) == ["password=[redacted]"]


def test_another_driver_is_refused_by_its_name() -> None:
    with pytest.raises(ProviderRejected, match="awsfirelens"):
        log_place(HERE, {"name": "app", "logConfiguration": {"logDriver": "awsfirelens"}})
