"""The way into the central log: takes events, and answers when they are committed.

One loop writes; whatever waits meanwhile goes together into its next transaction, so that a commit is paid
once for many. Not the place where events are parsed: that is whoever hands them in.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from operations.clock import Clock
from operations.errors import OperationError, StorageError, StorageUnavailable, VersionConflict
from operations.guard import Guard
from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.newcomers import NEW_GROUPS
from operations.monitoring.errors.ports import Releases, Running, Store, Transaction
from operations.monitoring.errors.preparation import Entry, Preparation
from operations.monitoring.errors.recording import Ration, Writing
from operations.monitoring.errors.repeats import BatchKey, find_fresh
from operations.monitoring.errors.room import Room
from operations.monitoring.errors.tally import Target

Also = Callable[[Transaction], Awaitable[None]]

_FEW = 10
_SHORT = 8_000  # characters; few and short events are prepared at once, a thread would cost more
_ATTEMPTS = 4  # at a transaction that another keeps getting ahead of


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeSettings:
    """`waiting_events` and `waiting_bytes` bound what waits; `together` events go in one transaction.

    A single batch that is larger than any of them is taken all the same, alone.
    """

    waiting_events: int = 20_000
    waiting_bytes: int = 32 * 1024 * 1024
    together: int = 2_000
    chunk: int = 250
    retry_after: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeDesk:
    """What taking events works with. `new_groups` may begin on a target in an hour."""

    store: Store
    releases: Releases
    clock: Clock
    guard: Guard
    new_groups: int = NEW_GROUPS


@dataclass(slots=True, eq=False)
class _Batch:
    """What one caller brought, ready to be written. `done` is what the caller waits for.

    `is_fresh` becomes False for one that was taken before under its key.
    """

    entries: Sequence[Entry]
    also: Also | None
    key: BatchKey | None
    done: asyncio.Future[None]
    is_fresh: bool = True


class Intake:
    """Any number of callers, one writer."""

    def __init__(self, desk: IntakeDesk, settings: IntakeSettings | None = None) -> None:
        self._desk = desk
        self._settings = settings or IntakeSettings()
        self._room = Room(
            events=self._settings.waiting_events,
            size=self._settings.waiting_bytes,
            retry_after=self._settings.retry_after,
        )
        self._preparation = Preparation()
        self._preparing = asyncio.Lock()
        self._ration = Ration()
        self._waiting: deque[_Batch] = deque()
        self._rung = asyncio.Event()
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many events are not committed yet."""
        return self._room.events

    async def take(
        self, events: Sequence[LogEvent], *, also: Also | None = None, key: BatchKey | None = None
    ) -> bool:
        """Returns when the events, and what `also` does, are committed in one transaction.

        False when a batch with its key was taken before: then nothing is done. Raises Refused when that
        one was another, Overloaded when too much is waiting, StorageError when they could not be stored,
        and what `also` raises. Who stops waiting does not know whether they were.
        """
        with self._room.place(events):
            entries = await self._prepare(events)
            if self._is_closed:
                raise _stopping()
            batch = _Batch(entries, also, key, asyncio.get_running_loop().create_future())
            self._waiting.append(batch)
            self._rung.set()
            try:
                await batch.done
            finally:
                if batch in self._waiting:
                    self._waiting.remove(batch)
            return batch.is_fresh

    async def run(self) -> None:
        """Write until cancelled; who still waits then hears StorageUnavailable."""
        self._is_closed = False
        try:
            while True:
                await self._rung.wait()
                self._rung.clear()
                while self._waiting:
                    await self._commit(self._next())
        finally:
            self._is_closed = True
            while self._waiting:
                _end(self._waiting.popleft(), _stopping())

    async def _prepare(self, events: Sequence[LogEvent]) -> list[Entry]:
        """In chunks, and one caller at a time: threads would only take turns at the interpreter."""
        prepare, now = self._preparation.prepare, self._desk.clock.now()
        entries: list[Entry] = []
        async with self._preparing:
            if len(events) <= _FEW and not _are_long(events):
                return prepare(events, now)
            for begin in range(0, len(events), self._settings.chunk):
                chunk = events[begin : begin + self._settings.chunk]
                entries += await asyncio.to_thread(prepare, chunk, now)
        return entries

    def _next(self) -> list[_Batch]:
        batches = [self._waiting.popleft()]
        number = len(batches[0].entries)
        while self._waiting and number + len(self._waiting[0].entries) <= self._settings.together:
            batches.append(self._waiting.popleft())
            number += len(batches[-1].entries)
        return batches

    async def _commit(self, batches: Sequence[_Batch]) -> None:
        """One that cannot be stored must not take the others along: then each is tried alone."""
        try:
            trouble = await self._store(batches)
            if trouble is None or len(batches) == 1 or isinstance(trouble, StorageUnavailable):
                for batch in batches:
                    _end(batch, trouble)
                return
            for batch in batches:
                _end(batch, await self._store([batch]))
        finally:
            for batch in batches:
                _end(batch, _stopping())

    async def _store(self, batches: Sequence[_Batch]) -> OperationError | None:
        """None, or why not. A bug, which may be in what a caller also does, is logged by the guard."""
        trouble: OperationError | None = None

        async def store() -> None:
            nonlocal trouble
            try:
                await self._write(batches)
            except OperationError as exc:
                trouble = exc

        reference = await self._desk.guard("events", store)
        if reference:
            return StorageError(f"The events could not be stored (reference {reference}).")
        return trouble

    async def _write(self, batches: Sequence[_Batch]) -> None:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._write_once(batches)
            except VersionConflict:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _write_once(self, batches: Sequence[_Batch]) -> None:
        running = await self._running([entry for batch in batches for entry in batch.entries])
        now = self._desk.clock.now()
        async with self._desk.store.transaction() as tx:
            fresh = await _weed(tx, batches, now)
            writing = Writing(tx, self._ration, now, running, self._desk.new_groups)
            await writing.write([entry for batch in fresh for entry in batch.entries])
            for batch in fresh:
                if batch.also is not None:
                    await batch.also(tx)
        self._ration.use(writing.kept)

    async def _running(self, entries: Sequence[Entry]) -> Mapping[Target, Running]:
        """Errors are stored also when nobody can say what runs."""
        targets = {(e.event.project, e.event.environment) for e in entries if e.grouping}
        try:
            return await self._desk.releases.running(targets) if targets else {}
        except OperationError:
            return {}


async def _weed(tx: Transaction, batches: Sequence[_Batch], now: datetime) -> list[_Batch]:
    """Those that were not taken before."""
    if any(batch.key for batch in batches):
        found = await find_fresh(tx.batch_keys, [batch.key for batch in batches], now)
        for batch, is_fresh in zip(batches, found, strict=True):
            batch.is_fresh = is_fresh
    return [batch for batch in batches if batch.is_fresh]


def _end(batch: _Batch, trouble: OperationError | None) -> None:
    """Tell the caller, unless they know, or do not wait any more."""
    if batch.done.done():
        return
    if trouble is None:
        batch.done.set_result(None)
    else:
        batch.done.set_exception(trouble)


def _are_long(events: Sequence[LogEvent]) -> bool:
    return sum(len(event.message) + len(event.fields.get("stack", "")) for event in events) > _SHORT


def _stopping() -> StorageUnavailable:
    return StorageUnavailable("The bot is stopping.", hint="Send the events again.")
