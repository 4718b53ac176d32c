"""Names that nobody answers for hold up whoever asks for them, and nobody else."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator

import pytest

from bot.lookups import BotLoop, Found

FOUND: Found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]


class Names:
    """`dead…` is not answered until `end` is set; `none` is not known."""

    def __init__(self) -> None:
        self.end = threading.Event()
        self.asked: Counter[object] = Counter()

    def look_up(self, host: str, *_: object) -> Found:
        self.asked[host] += 1
        if host.startswith("dead"):
            self.end.wait(20)
        if host == "none":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return FOUND


@pytest.fixture
def names() -> Iterator[Names]:
    """Ended at the end."""
    made = Names()
    yield made
    made.end.set()


async def ask(host: str, port: int = 443) -> object:
    return await asyncio.get_running_loop().getaddrinfo(host, port)


def run(names: Names, work: Coroutine[None, None, None]) -> None:
    with asyncio.Runner(loop_factory=lambda: BotLoop(names.look_up)) as runner:
        runner.run(work)


def test_dead_names_hold_up_neither_other_names_nor_other_work(names: Names) -> None:
    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            waiting = [group.create_task(ask(f"dead{number}")) for number in range(50)]
            await asyncio.sleep(0)
            async with asyncio.timeout(5):
                assert await ask("well") == FOUND
                assert await asyncio.to_thread(lambda: 7) == 7
            for each in waiting:
                each.cancel()

    run(names, work())


def test_who_asks_for_the_same_name_waits_for_the_same_answer(names: Names) -> None:
    async def work() -> None:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask("dead")) for _ in range(9)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            names.end.set()
        assert [each.result() for each in tasks[1:]] == [FOUND] * 8
        assert await ask("dead") == FOUND

    run(names, work())

    assert names.asked["dead"] == 2


def test_a_name_that_nobody_knows_is_an_error_each_time(names: Names) -> None:
    async def work() -> None:
        for _ in range(2):
            with pytest.raises(socket.gaierror, match="not known"):
                await ask("none")

    run(names, work())


def test_no_stop_waits_for_a_name(names: Names) -> None:
    async def work() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await ask("dead")

    run(names, work())

    assert not names.end.is_set()
