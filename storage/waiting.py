"""How a worker without work waits: woken by an announcement, or by the time at which something falls due.

The database is asked before every pause, so nothing is missed that was written between the last claim
and the wait, by this process or by another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime

from operations.errors import StorageError
from storage.session import Engine, Topic

_BREATH = 0.05
"""Seconds before one returns for what is due already: another may hold it, and would be asked in a circle."""

Now = Callable[[], datetime]
Earliest = Callable[[], Awaitable[datetime | None]]


class Waiting:
    """Waits for work on `topic`; `earliest` tells when some falls due, None when nothing will."""

    def __init__(self, engine: Engine, topic: Topic, now: Now, earliest: Earliest) -> None:
        self._engine = engine
        self._topic = topic
        self._now = now
        self._earliest = earliest

    async def wait(self, seconds: float) -> None:
        """Return when there may be work, at the latest after `seconds`, also while the database is down."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while True:
            ring = self._engine.bell(self._topic).next_ring
            await self._engine.attend()
            due_in = await self._seconds_until_due()
            left = end - loop.time()
            if due_in <= 0:
                await asyncio.sleep(min(_BREATH, max(left, 0)))
                return
            pause = min(left, due_in, self._engine.poll_seconds)
            if left <= 0 or await _is_set_within(ring, pause):
                return

    async def _seconds_until_due(self) -> float:
        due = None
        with suppress(StorageError):
            due = await self._earliest()
        if due is None:
            return self._engine.poll_seconds
        return (due - self._now()).total_seconds()


async def _is_set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()
