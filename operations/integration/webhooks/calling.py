"""The loop that calls components: feeds, claims what is due, calls, and settles each call."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from operations.clock import Clock
from operations.errors import ProviderError, ProviderRejected, ProviderUnavailable, StorageError
from operations.guard import Guard
from operations.integration.webhooks.delivery import Delivery, next_try
from operations.integration.webhooks.feeding import Feeding
from operations.integration.webhooks.listener import Listener
from operations.integration.webhooks.ports import Caller, DeliveryQueue
from operations.redaction import clean

_LOG = logging.getLogger("hms.webhooks")
_CLAIM = timedelta(seconds=60)
_STOP_SECONDS = 3.0
_LOST_RIGHT = "it may not read of this any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchboard:
    """What calling works with. `listeners` and `callers` by component, the same ones.

    `at_once` calls of each component may be under way: one that never answers holds up no other.
    """

    feeding: Feeding
    queue: DeliveryQueue
    listeners: Mapping[str, Listener]
    callers: Mapping[str, Caller]
    clock: Clock
    guard: Guard
    at_once: int = 4
    idle_seconds: float = 0.5


class Calling:
    """Every replica runs one."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._free = dict.fromkeys(board.callers, board.at_once)
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Call until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                delivery = await self._next()
                self._free[delivery.component] -= 1
                group.create_task(self._settle_guarded(delivery), name=f"call {delivery.event_id}")

    async def _next(self) -> Delivery:
        while True:
            self._ended.clear()
            try:
                await self._board.feeding.feed()
                if claimed := await self._claim():
                    return claimed[0]
            except StorageError as exc:
                _LOG.warning("cannot look for calls to components: %s", exc.message)
            await self._rest()

    async def _claim(self) -> Sequence[Delivery]:
        free = [component for component, slots in self._free.items() if slots > 0]
        if not free:
            return []
        now = self._board.clock.now()
        return await self._board.queue.claim(free, now, now + _CLAIM, limit=1)

    async def _rest(self) -> None:
        """Until it is time to look again, or until a call has ended: its successor waits for that."""
        async with asyncio.TaskGroup() as group:
            asleep = group.create_task(self._board.clock.sleep(self._board.idle_seconds))
            woken = group.create_task(self._ended.wait())
            await asyncio.wait({asleep, woken}, return_when=asyncio.FIRST_COMPLETED)
            asleep.cancel()
            woken.cancel()

    async def _settle_guarded(self, delivery: Delivery) -> None:
        guard, name = self._board.guard, f"call {delivery.event_id}"
        try:
            if reference := await guard(name, lambda: _stored(self._settle(delivery))):
                # A failure like any other, or it would be tried again at every end of its claim.
                bug = ProviderUnavailable(f"an error inside HMS-SYS ({reference})")
                await guard(name, lambda: _stored(self._fail(delivery, bug)))
        finally:
            self._free[delivery.component] += 1
            self._ended.set()

    async def _settle(self, delivery: Delivery) -> None:
        board = self._board
        event = json.loads(delivery.body)
        if not board.listeners[delivery.component].hears(event["data"]):
            await board.queue.give_up(delivery, _LOST_RIGHT)
            return
        body = json.dumps({"id": delivery.event_id, **event})
        try:
            await board.callers[delivery.component].call(delivery, body)
        except asyncio.CancelledError:
            with suppress(StorageError, TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await board.queue.give_back(delivery)
            raise
        except ProviderError as exc:
            await self._fail(delivery, exc)
            return
        await board.queue.delivered(delivery, board.clock.now())

    async def _fail(self, delivery: Delivery, exc: ProviderError) -> None:
        error = clean(exc.message, limit=300)
        again = next_try(delivery, self._board.clock.now())
        if again is None or isinstance(exc, ProviderRejected):
            _LOG.error("%s to %s is given up: %s", delivery.type, delivery.component, error)
            await self._board.queue.give_up(delivery, error)
            return
        _LOG.info("%s to %s waits: %s", delivery.type, delivery.component, error)
        await self._board.queue.put_off(delivery, again, error)


async def _stored(settling: Awaitable[None]) -> None:
    """A claim that could not be settled runs out by itself; the component knows the call by its id."""
    try:
        await settling
    except StorageError as exc:
        _LOG.warning("a call to a component is not settled: %s", exc.message)
