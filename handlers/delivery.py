"""Takes due notices of one route from the outbox and settles each: told, or put off, never dropped.

The same for every route; what telling means is the route's own (`tell`). One that could not be told is
postponed with a pause that grows; one that was refused is tried again hourly in the end, and logged.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from handlers.subjects import UnknownSubject
from operations.clock import Clock
from operations.errors import (
    OperationError,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
    StorageError,
)
from operations.guard import Guard
from operations.outbox import Notice, NoticeQueue, PostedMessage

_LOG = logging.getLogger("hms.delivery")
_STOP_SECONDS = 5.0
_HOUR_SECONDS = 3600.0

Tell = Callable[[Notice], Awaitable[PostedMessage | None]]
"""Returns where the message stands when that is news. Raises NotYet, UnknownSubject, OperationError."""

Told = Callable[[Notice, PostedMessage | None], Awaitable[None]]
"""What the route does when it is settled that a notice was told."""


class NotYet(Exception):
    """There is no turn for so many seconds: the notice is to be put off, and its claim given back."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no turn for {seconds:.1f} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Tempo:
    """`at_once` notices are delivered together. A claim lasts `claim_seconds`; nothing waits that long.

    A refused notice is tried again after `refused_seconds`, and from the `patience`-th try on hourly.
    """

    at_once: int = 16
    idle_seconds: float = 5.0
    claim_seconds: float = 30.0
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 60.0
    refused_seconds: float = 60.0
    patience: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """Where notices are taken from. `owner` names this process in claims."""

    owner: str
    route: str
    queue: NoticeQueue
    clock: Clock
    guard: Guard


class Delivery:
    """The worker of one route."""

    def __init__(
        self, counter: Counter, tell: Tell, tempo: Tempo, told: Told | None = None
    ) -> None:
        self._owner = counter.owner
        self._route = counter.route
        self._queue = counter.queue
        self._clock = counter.clock
        self._guard = counter.guard
        self._tell = tell
        self._told = told
        self._tempo = tempo
        self._slots = asyncio.Semaphore(tempo.at_once)

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is handed back."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._slots.acquire()
                notice = await self._next()
                group.create_task(self._deliver(notice), name=self._name(notice))

    async def _next(self) -> Notice:
        while True:
            now = self._clock.now()
            until = now + timedelta(seconds=self._tempo.claim_seconds)
            try:
                claimed = await self._queue.claim(
                    self._owner, now, until, limit=1, route=self._route
                )
                if claimed:
                    return claimed[0]
                await self._queue.wait(self._tempo.idle_seconds, route=self._route)
            except StorageError as exc:
                _LOG.warning("cannot look for notices: %s", exc.message)
                await self._clock.sleep(self._tempo.idle_seconds)

    async def _deliver(self, notice: Notice) -> None:
        name = self._name(notice)
        try:
            reference = await self._guard(name, lambda: self._settle(notice))
            if reference:
                bug = ProviderRejected(f"An error inside HMS-SYS ({reference}).")
                await self._guard(name, lambda: self._postpone(notice, bug))
        finally:
            self._slots.release()

    async def _settle(self, notice: Notice) -> None:
        try:
            await self._settle_stored(notice)
        except StorageError as exc:
            # The claim runs out by itself, and the next one to claim it is told that it is uncertain.
            _LOG.warning("%s waits for the database: %s", self._name(notice), exc.message)

    async def _settle_stored(self, notice: Notice) -> None:
        try:
            posted = await self._tell(notice)
        except asyncio.CancelledError:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._queue.postpone(notice, self._clock.now(), "stopped", uncertain=True)
            raise
        except NotYet as turn:
            until = self._clock.now() + timedelta(seconds=turn.seconds)
            await self._insist(lambda: self._queue.postpone(notice, until, "", uncertain=False))
            return
        except UnknownSubject:
            _LOG.warning("%s is not known any more: dropped", self._name(notice))
            posted = None
        except OperationError as exc:
            await self._postpone(notice, exc)
            return
        await self._insist(lambda: self._queue.delivered(notice, posted))
        if self._told is not None:
            await self._told(notice, posted)

    async def _postpone(self, notice: Notice, exc: OperationError) -> None:
        pause = self._pause_after(notice, exc)
        lost = isinstance(exc, OutcomeUnknown)
        level = logging.ERROR if _is_lasting(exc) else logging.INFO
        _LOG.log(level, "%s waits %.0f s: %s", self._name(notice), pause, exc.message)
        until = self._clock.now() + timedelta(seconds=pause)
        error = f"{exc.message} {exc.hint}".strip()
        await self._insist(lambda: self._queue.postpone(notice, until, error, uncertain=lost))

    def _pause_after(self, notice: Notice, exc: OperationError) -> float:
        tempo = self._tempo
        if _is_lasting(exc):
            return tempo.refused_seconds if notice.attempts < tempo.patience else _HOUR_SECONDS
        if isinstance(exc, ProviderUnavailable) and exc.retry_after:
            return exc.retry_after
        doubled = tempo.first_pause_seconds * 2.0 ** min(notice.attempts, 16)
        return min(tempo.longest_pause_seconds, doubled)

    async def _insist(self, store: Callable[[], Awaitable[None]]) -> None:
        """The other side has been told; losing that would tell it twice, so a busy database is asked again.

        Stopped in the midst, it is stored once more: both stores may be repeated, and a claim that nobody
        settled would hold the notice back until it runs out.
        """
        try:
            for _ in range(4):
                try:
                    await store()
                except StorageError:
                    await self._clock.sleep(self._tempo.first_pause_seconds)
                else:
                    return
            await store()
        except asyncio.CancelledError:
            async with asyncio.timeout(_STOP_SECONDS):
                await store()
            raise

    def _name(self, notice: Notice) -> str:
        return f"{self._route} {notice.subject} {notice.kind}"


def _is_lasting(exc: OperationError) -> bool:
    return isinstance(exc, ProviderRejected | ProviderUnauthorized)
