"""The loop over logs: reads what is due, makes events of it, and hands them in with the new cursor.

Events and cursor are stored in one transaction: whatever is killed at whatever moment, a line is neither
lost nor counted twice. A source that cannot be read is tried again less and less often, and after a while
that is an error of the bot's own, so that people hear of it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from operations.clock import Clock
from operations.errors import (
    OperationError,
    Overloaded,
    ProviderError,
    ProviderUnavailable,
    Refused,
    StorageError,
)
from operations.guard import Guard
from operations.monitoring.errors.entries import events_of
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.lines import Entry
from operations.monitoring.errors.log_ports import (
    LogClaim,
    LogPage,
    LogQueue,
    LogReader,
    LogSource,
)
from operations.monitoring.errors.ports import Store, Transaction
from operations.monitoring.errors.position import Position
from operations.redaction import clean

_LOG = logging.getLogger("hms.logs")

LONGEST_WAIT = timedelta(minutes=5)
"""Between two attempts at a source that cannot be read."""
SILENT_FAILURE = timedelta(minutes=15)
"""For so long a source may be unreadable before it is an error of the bot's."""

Matches = Callable[[str, str], bool]
"""Whether a pattern matches anywhere in a line. Called where the process's signals arrive, and quick."""

_TURN_SECONDS = 0.02
"""For so long entries are looked through for a pattern before others get their turn."""

Also = Callable[[Transaction], Awaitable[None]]


class EventIntake(Protocol):
    """Where events go in."""

    async def take(self, events: Sequence[LogEvent], *, also: Also | None = None) -> object:
        """Returns when events and what `also` does are committed, in one transaction.

        Raises Overloaded when too much is waiting, StorageError.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TailSettings:
    """`at_once` sources are read together, about `lines` lines of each at a time.

    A read takes `read_seconds` at most, looking for the pattern in what it brought `match_seconds`, storing
    it `store_seconds`; a claim lasts longer than all of them together.
    """

    at_once: int = 8
    lines: int = 5000
    idle_seconds: float = 1.0
    read_seconds: float = 40.0
    match_seconds: float = 10.0
    store_seconds: float = 20.0
    claim_span: timedelta = timedelta(seconds=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogWorkshop:
    """What tailing works with."""

    sources: Sequence[LogSource]
    reader: LogReader
    intake: EventIntake
    store: Store
    queue: LogQueue
    clock: Clock
    guard: Guard
    matches: Matches


class Tailer:
    """Reads what is due; every replica runs one."""

    def __init__(self, shop: LogWorkshop, settings: TailSettings | None = None) -> None:
        self._shop = shop
        self._settings = settings or TailSettings()
        self._sources = {source.id: source for source in shop.sources}
        self._free = self._settings.at_once
        self._freed = asyncio.Event()

    async def run(self) -> None:
        """Read until cancelled. Raises StorageError only when the sources cannot be made known at all."""
        await self._shop.queue.schedule(self._sources, self._shop.clock.now())
        async with asyncio.TaskGroup() as group:
            while True:
                await self._until_free()
                limit = self._free
                claims = await self._claim(limit)
                for claim in claims:
                    self._free -= 1
                    group.create_task(self._guarded(claim), name=f"log {claim.source_id}")
                if len(claims) < limit:
                    await self._shop.clock.sleep(self._settings.idle_seconds)

    async def _until_free(self) -> None:
        while not self._free:
            self._freed.clear()
            await self._freed.wait()

    async def _claim(self, limit: int) -> Sequence[LogClaim]:
        shop, span = self._shop, self._settings.claim_span
        try:
            return await shop.queue.claim(self._sources, shop.clock.now(), span=span, limit=limit)
        except StorageError as exc:
            _LOG.warning("cannot look for due logs: %s", exc.message)
            return ()

    async def _guarded(self, claim: LogClaim) -> None:
        """A claim that is not given back, for whatever reason, runs out."""

        async def read() -> None:
            try:
                await self.read(claim)
            except StorageError as exc:
                _LOG.warning("%s will be read again: %s", claim.source_id, exc.message)

        try:
            await self._shop.guard(f"log {claim.source_id}", read)
        finally:
            self._free += 1
            self._freed.set()

    async def read(self, claim: LogClaim) -> None:
        """Read one source from where it stands, and store what came of it."""
        source = self._sources[claim.source_id]
        position = Position.load(claim.cursor)
        seconds = self._settings.read_seconds
        try:
            async with asyncio.timeout(seconds):
                page = await self._shop.reader.read(
                    source, position.cursor, limit=self._settings.lines
                )
        except TimeoutError:
            await self._fail(claim, ProviderError(f"There was no answer within {seconds:g} s."))
        except (ProviderError, Refused) as exc:
            await self._fail(claim, exc)
        else:
            await self._keep(claim, position, page)

    async def _keep(self, claim: LogClaim, position: Position, page: LogPage) -> None:
        source, now = self._sources[claim.source_id], self._shop.clock.now()
        done, after = await asyncio.to_thread(position.advance, page)
        try:
            async with asyncio.timeout(self._settings.match_seconds):
                wanted = await self._select(done, source)
        except TimeoutError:
            await self._fail(
                claim, ProviderError("Its pattern takes too long; write a simpler one.")
            )
            return
        events = await asyncio.to_thread(lambda: list(events_of(wanted, source, now)))
        cursor = await asyncio.to_thread(after.dump)
        due_at = now if page.more else now + source.every

        async def move(tx: Transaction) -> None:
            await tx.log_sources.move(claim, cursor, due_at)

        await self._store(claim, events, move)
        if claim.failures:
            _LOG.info("%s is read again", source.title)

    async def _select(self, entries: Sequence[Entry], source: LogSource) -> Sequence[Entry]:
        """Those that the source's pattern matches, in some line; all where there is none."""
        pattern, matches = source.pattern, self._shop.matches
        if pattern is None:
            return entries
        found, turn = [], time.monotonic()
        for entry in entries:
            if time.monotonic() - turn > _TURN_SECONDS:
                await asyncio.sleep(0)
                turn = time.monotonic()
            if any(matches(pattern, line) for line in entry.lines):
                found.append(entry)
        return found

    async def _store(self, claim: LogClaim, events: Sequence[LogEvent], move: Also) -> None:
        shop = self._shop
        try:
            async with asyncio.timeout(self._settings.store_seconds):
                if events:
                    await shop.intake.take(events, also=move)
                else:
                    async with shop.store.transaction() as tx:
                        await move(tx)
        except Overloaded as exc:
            later = shop.clock.now() + timedelta(seconds=exc.retry_after)
            await shop.queue.put_off(claim, later, now=shop.clock.now())
        except TimeoutError as exc:
            # It may still be stored: the claim is left to run out.
            raise StorageError("Storing what was read took too long.") from exc

    async def _fail(self, claim: LogClaim, why: OperationError) -> None:
        shop, source, now = self._shop, self._sources[claim.source_id], self._shop.clock.now()
        error = clean(why.message, limit=300)
        if not claim.failures:
            _LOG.warning("%s cannot be read: %s", source.title, error)
        due_at = now + _wait(source, claim.failures, why)
        await shop.queue.put_off(claim, due_at, error=error, now=now)
        if claim.failing_since is not None and now - claim.failing_since >= SILENT_FAILURE:
            with suppress(Overloaded):  # it is told at the next attempt then
                await shop.intake.take([_own_error(claim, source, now, error)])


def _wait(source: LogSource, failures: int, why: OperationError) -> timedelta:
    """Twice as long each time; never sooner than the platform asked for."""
    doubled: timedelta = source.every * (1 << min(failures, 10))
    asked = (why.retry_after or 0.0) if isinstance(why, ProviderUnavailable) else 0.0
    return min(LONGEST_WAIT, max(doubled, timedelta(seconds=asked)))


def _own_error(claim: LogClaim, source: LogSource, now: datetime, error: str) -> LogEvent:
    since = claim.failing_since or now
    return LogEvent(
        project="HMS-SYS",
        environment="bot",
        level=Level.ERROR,
        message=f"Log not read since {since:%H:%M} UTC: {source.title}. {error}",
        at=now,
        source="hms-sys",
        fields={"fingerprint": f"log not read: {source.id}"},
    )
