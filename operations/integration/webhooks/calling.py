"""The loop that calls components: feeds, claims what is due, calls, and settles each call."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from operations.clock import Clock
from operations.errors import ProviderError, ProviderRejected, StorageError
from operations.guard import Guard
from operations.integration.webhooks.delivery import Delivery, next_try
from operations.integration.webhooks.feeding import Feeding
from operations.integration.webhooks.listener import Listener
from operations.integration.webhooks.ports import Caller, DeliveryQueue
from operations.redaction import clean

_LOG = logging.getLogger("hms.webhooks")
_CLAIM = timedelta(seconds=60)
_STOP_SECONDS = 3.0
_KEPT = timedelta(days=14)
_LOST_RIGHT = "it may not read of this any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switchboard:
    """What calling works with. `listeners` and `callers` by component, the same ones."""

    feeding: Feeding
    queue: DeliveryQueue
    listeners: Mapping[str, Listener]
    callers: Mapping[str, Caller]
    clock: Clock
    guard: Guard
    at_once: int = 8
    idle_seconds: float = 0.5


class Calling:
    """Every replica runs one."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._slots = asyncio.Semaphore(board.at_once)

    async def run(self) -> None:
        """Call until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._slots.acquire()
                delivery = await self._next()
                group.create_task(self._settle_guarded(delivery), name=f"call {delivery.event_id}")

    async def forget(self) -> None:
        """Delete calls that were taken long ago; for a job."""
        before = self._board.clock.now() - _KEPT
        while await self._board.queue.forget(before, limit=1000):
            pass

    async def _next(self) -> Delivery:
        board = self._board
        while True:
            try:
                await board.feeding.feed()
                now = board.clock.now()
                claimed = await board.queue.claim(list(board.callers), now, now + _CLAIM, limit=1)
                if claimed:
                    return claimed[0]
            except StorageError as exc:
                _LOG.warning("cannot look for calls to components: %s", exc.message)
            await board.clock.sleep(board.idle_seconds)

    async def _settle_guarded(self, delivery: Delivery) -> None:
        async def settled() -> None:
            try:
                await self._settle(delivery)
            except StorageError as exc:
                # The claim runs out by itself; the component knows the call by its id.
                _LOG.warning("%s is not settled: %s", delivery.event_id, exc.message)

        try:
            await self._board.guard(f"call {delivery.event_id}", settled)
        finally:
            self._slots.release()

    async def _settle(self, delivery: Delivery) -> None:
        board = self._board
        event = json.loads(delivery.body)
        if not board.listeners[delivery.component].hears(event["data"]):
            await board.queue.give_up(delivery, _LOST_RIGHT)
            return
        body = json.dumps({"id": delivery.event_id, **event}, ensure_ascii=False)
        try:
            await board.callers[delivery.component].call(delivery, body)
        except asyncio.CancelledError:
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
