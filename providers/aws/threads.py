"""Threads that a process does not wait for at its end, as it does for those of `concurrent.futures`.

boto3 cannot be interrupted: with AWS gone silent, a request would hold up the end for half a minute.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """Runs blocking calls, `at_once` together at most; a call that nobody awaits any more keeps its place."""

    def __init__(self, at_once: int, name: str) -> None:
        self._places = asyncio.Semaphore(at_once)
        self._name = name

    async def run(self, call: Callable[[], T]) -> T:
        """The call's result, or what it raised."""
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()

        def settle(tell: Callable[[], None]) -> None:
            self._places.release()
            if not answer.done():
                tell()

        def work() -> None:
            tell = _outcome(call, answer)
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                loop.call_soon_threadsafe(settle, tell)

        threading.Thread(target=work, name=self._name, daemon=True).start()
        return await answer


def _outcome(call: Callable[[], T], answer: asyncio.Future[T]) -> Callable[[], None]:
    """How to tell the one who waits what came of the call."""
    try:
        result = call()
    except Exception as exc:  # noqa: BLE001 -- nothing is swallowed: it is raised where the call is awaited
        return partial(answer.set_exception, exc)
    return partial(answer.set_result, result)
