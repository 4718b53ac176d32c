"""A heart that beats while the process works, and says once why it does not."""

from __future__ import annotations

from collections import deque
from datetime import timedelta

import pytest
from aiohttp import web
from structlog.testing import capture_logs

from bot.heartbeat import Beacon, Heartbeat, heartbeat
from providers.probe import HttpProbe
from tests.slack_stand_in import listening


class Answers:
    """Says the next of these each time it is asked, the last one for ever."""

    def __init__(self, *answers: str) -> None:
        self.answers = deque(answers)
        self.asked = 0

    async def __call__(self) -> str:
        self.asked += 1
        return self.answers.popleft() if len(self.answers) > 1 else self.answers[0]


async def test_it_calls_while_the_process_works() -> None:
    call = Answers("")

    await Heartbeat(Answers(""), call).beat()

    assert call.asked == 1


async def test_it_stays_away_when_the_process_does_not_work() -> None:
    call = Answers("")

    with capture_logs() as logs:
        await Heartbeat(Answers("the event loop is stuck"), call).beat()

    assert call.asked == 0
    assert [entry["why"] for entry in logs] == ["withheld: the event loop is stuck"]


async def test_a_failure_is_logged_once_until_it_changes_or_ends() -> None:
    call = Answers("answered 500", "answered 500", "no answer within 5 s", "", "")
    heart = Heartbeat(Answers(""), call)

    with capture_logs() as logs:
        for _ in range(5):
            await heart.beat()

    told = [(entry["event"], entry.get("why", "")) for entry in logs]
    assert told == [
        ("no heartbeat", "answered 500"),
        ("no heartbeat", "no answer within 5 s"),
        ("the heartbeat is back", ""),
    ]


async def test_a_heart_that_beats_from_the_start_says_nothing() -> None:
    heart = Heartbeat(Answers(""), Answers(""))

    with capture_logs() as logs:
        await heart.beat()
        await heart.beat()

    assert logs == []


def test_the_job_beats_as_often_as_configured() -> None:
    job = heartbeat(Beacon(timedelta(minutes=2), Answers("")), Answers(""))

    assert (job.name, job.every) == ("heartbeat", timedelta(minutes=2))


@pytest.mark.parametrize(
    ("status", "trouble"),
    [(200, ""), (204, ""), (301, "answered 301"), (404, "answered 404"), (500, "answered 500")],
)
async def test_only_2xx_was_taken_and_the_address_is_not_repeated(
    status: int, trouble: str
) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_get("/ping/secret-id", answer)
    probe = HttpProbe()
    async with listening(app) as url:
        told = await probe.call(f"{url}/ping/secret-id")
    await probe.close()

    assert told == trouble


async def test_an_address_where_nobody_listens_is_trouble_and_no_error() -> None:
    async with listening(web.Application()) as url:
        gone = url
    probe = HttpProbe()
    told = await probe.call(gone)
    await probe.close()

    assert told == "refused the connection"
