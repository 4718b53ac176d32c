"""Whether this process works, and what it tells of itself: for the heartbeat and for `/metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from bot.lag import LoopLag
from bot.metrics import Metrics
from operations.clock import Clock
from operations.errors import OperationError
from storage.database import Database
from storage.gauges import Figures

_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Organs:
    """What is looked at. `is_connected` is None without Socket Mode."""

    database: Database
    check_ids: Collection[str]
    is_connected: Callable[[], Awaitable[bool]] | None
    clock: Clock


class Vitals:
    """One process's."""

    def __init__(self, organs: Organs, metrics: Metrics) -> None:
        self.lag = LoopLag(metrics, organs.clock)
        self._organs = organs
        self._metrics = metrics
        self._socket = metrics.watch_socket() if organs.is_connected else None

    async def trouble(self) -> str:
        """Why nobody should rely on this process, in a few words; "": it works."""
        if self.lag.is_stuck():
            return "the event loop is stuck"
        connected = self._organs.is_connected
        if connected is not None and not await connected():
            return "the socket to Slack is not connected"
        try:
            async with asyncio.timeout(_SECONDS):
                await self._organs.database.ping()
        except (OperationError, TimeoutError):
            return "the database does not answer"
        return ""

    async def scrape(self) -> bytes:
        """Every metric, as it is now. Without the database, all but what is counted in it."""
        figures = await self._figures()
        if self._socket is not None and self._organs.is_connected is not None:
            self._socket.set(float(await self._organs.is_connected()))
        self._metrics.database.show(figures, self._organs.clock.now())
        return self._metrics.render()

    async def _figures(self) -> Figures | None:
        organs = self._organs
        try:
            async with asyncio.timeout(_SECONDS):
                return await organs.database.gauges.read(organs.check_ids, organs.clock.now())
        except (OperationError, TimeoutError):
            return None
