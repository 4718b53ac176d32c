from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from operations.fall_back import FallBack
from operations.outbox import MAIL, SLACK
from operations.routing import Routing, Way
from tests.factories import NOON

MAILED = Routing((Way(MAIL, frozenset()),))


class Noon:
    """It is noon."""

    def now(self) -> datetime:
        return NOON

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


@dataclass
class Queue:
    """Remembers what it was asked."""

    asked: list[tuple[object, ...]] = field(default_factory=list)

    async def fall_back(self, route: str, now: datetime, before: datetime) -> int:
        self.asked.append((route, now, before))
        return 3

    async def retire(self, routes: Collection[str], before: datetime) -> Mapping[str, int]:
        self.asked.append((*routes, before))
        return {"notify:old": 2}


async def test_what_slack_has_not_taken_for_two_minutes_goes_the_first_way(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = Queue()
    await FallBack(queue, MAILED, Noon()).tell_elsewhere()

    assert queue.asked == [(MAIL, NOON, NOON - timedelta(minutes=2))]
    assert "3 go by mail" in caplog.text


async def test_without_another_way_it_waits_for_slack() -> None:
    queue = Queue()
    await FallBack(queue, Routing(), Noon()).tell_elsewhere()

    assert queue.asked == []


async def test_what_waits_for_a_way_that_is_gone_is_given_up_and_told_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    queue = Queue()
    await FallBack(queue, MAILED, Noon()).give_up_routes()

    assert queue.asked == [(SLACK, MAIL, NOON - timedelta(hours=1))]
    assert "notify:old is not configured any more: 2 notices" in caplog.text
