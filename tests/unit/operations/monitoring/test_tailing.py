"""Reading logs on: nothing twice, nothing lost, whoever is killed when; and what cannot be read."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from operations.errors import (
    LeaseLost,
    OperationError,
    Overloaded,
    ProviderUnauthorized,
    ProviderUnavailable,
    StorageError,
)
from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.log_ports import (
    LogClaim,
    LogKind,
    LogLine,
    LogPage,
    LogSource,
)
from operations.monitoring.errors.ports import Store
from operations.monitoring.errors.tailing import (
    LONGEST_WAIT,
    SILENT_FAILURE,
    Also,
    LogWorkshop,
    Tailer,
    TailSettings,
)
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import NOON
from tests.slack_stand_in import until
from tests.unit.operations.monitoring.lookouts import SteppedClock
from tests.workshops import run_plainly

SECOND = timedelta(seconds=1)
EVERY = 5 * SECOND
TRACE = ("Traceback (most recent call last):", '  File "/app/a.py", line 1, in f', "KeyError: 'x'")
BRISK = TailSettings(idle_seconds=0.001, read_seconds=0.2, store_seconds=0.2)


def make_source(name: str = "myapp") -> LogSource:
    return LogSource(
        id=f"pods:{name}/prod",
        kind=LogKind.PODS,
        project=name,
        environment="prod",
        every=EVERY,
    )


class WrittenLog:
    """A log that a test writes; the cursor is the number of lines read."""

    def __init__(self) -> None:
        self.lines: list[LogLine] = []
        self.reads = 0
        self.trouble: OperationError | None = None
        self.is_silent = False

    def write(self, *texts: str, stream: str = "web-1") -> None:
        self.lines += [LogLine(NOON, text, stream) for text in texts]

    async def read(self, source: LogSource, cursor: str, *, limit: int) -> LogPage:
        self.reads += 1
        if self.is_silent:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble
        begin = int(cursor or 0)
        end = min(len(self.lines), begin + limit)
        return LogPage(lines=self.lines[begin:end], cursor=str(end), more=end < len(self.lines))


class PlainIntake:
    """Stores nothing but what it is told also to do; `events` are those whose transaction committed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.events: list[LogEvent] = []
        self.trouble: OperationError | None = None
        self.before_commit: Callable[[], None] = lambda: None

    async def take(self, events: Sequence[LogEvent], *, also: Also | None = None) -> None:
        if self.trouble is not None:
            raise self.trouble
        async with self._store.transaction() as tx:
            if also is not None:
                await also(tx)
            self.before_commit()
        self.events += events


@dataclass
class Desk:
    """A tailer over one database."""

    database: Database
    sources: list[LogSource] = field(default_factory=lambda: [make_source()])
    clock: SteppedClock = field(default_factory=SteppedClock)
    log: WrittenLog = field(default_factory=WrittenLog)
    settings: TailSettings = BRISK
    match_seconds: float = 0.0

    def matches(self, pattern: str, line: str) -> bool:
        """In a moment, or as long as a test says."""
        time.sleep(self.match_seconds)
        return re.search(pattern, line) is not None

    def __post_init__(self) -> None:
        self.intake = PlainIntake(self.database.store)
        self.tailer = self.new_tailer()

    def new_tailer(self) -> Tailer:
        return Tailer(
            LogWorkshop(
                sources=self.sources,
                reader=self.log,
                intake=self.intake,
                store=self.database.store,
                queue=self.database.log_queue,
                clock=self.clock,
                guard=run_plainly,
                matches=self.matches,
            ),
            self.settings,
        )

    async def claim(self) -> LogClaim:
        """The one that is due."""
        queue, span = self.database.log_queue, self.settings.claim_span
        ids = [source.id for source in self.sources]
        await queue.schedule(ids, self.clock.now())
        (claim,) = await queue.claim(ids, self.clock.now(), span=span, limit=1)
        return claim

    async def read(self) -> None:
        """Read it when it is due next, as the loop does."""
        self.clock.time += EVERY
        await self.tailer.read(await self.claim())

    async def read_all(self) -> None:
        """Twice: what is last in a log may go on until it falls silent."""
        await self.read()
        await self.read()

    @property
    def messages(self) -> list[str]:
        """Of the events that were stored."""
        return [event.message for event in self.intake.events]


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def open_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with await open_sqlite(tmp_path) as database:
        yield Desk(database)


async def test_errors_of_a_log_are_handed_in(desk: Desk) -> None:
    desk.log.write("INFO fine", "ERROR no cart", "INFO fine again")

    await desk.read_all()

    assert desk.messages == ["no cart"]


async def test_a_trace_that_is_being_written_is_handed_in_whole(desk: Desk) -> None:
    desk.log.write(*TRACE[:2])
    await desk.read()
    desk.tailer = desk.new_tailer()
    desk.log.write(*TRACE[2:])

    await desk.read_all()

    (event,) = desk.intake.events
    assert event.fields["stack"] == "\n".join(TRACE)


async def test_a_kill_before_the_commit_loses_nothing_and_doubles_nothing(desk: Desk) -> None:
    desk.log.write("ERROR one", "ERROR two", "ERROR three")

    def die() -> None:
        raise asyncio.CancelledError

    desk.intake.before_commit = die
    with pytest.raises(asyncio.CancelledError):
        await desk.read()
    assert desk.messages == []
    desk.intake.before_commit = lambda: None
    desk.tailer = desk.new_tailer()
    desk.clock.time += desk.settings.claim_span

    await desk.read_all()

    assert desk.messages == ["one", "two", "three"]


async def test_a_reader_who_was_overtaken_stores_nothing(desk: Desk) -> None:
    desk.log.write("ERROR one")
    late = await desk.claim()
    desk.clock.time += desk.settings.claim_span
    await desk.tailer.read(await desk.claim())

    with pytest.raises(LeaseLost):
        await desk.tailer.read(late)
    await desk.read_all()

    assert desk.messages == ["one"]


async def test_several_readers_hand_in_each_line_once(desk: Desk) -> None:
    desk.sources[:] = [make_source(f"app{number}") for number in range(5)]
    desk.log.write(*(f"ERROR {number}" for number in range(20)), "INFO end")
    desk.settings = replace(BRISK, lines=3)

    async with asyncio.TaskGroup() as group:
        loops = [group.create_task(desk.new_tailer().run()) for _ in range(3)]
        await until(lambda: len(desk.messages) >= 100, 10)
        for loop in loops:
            loop.cancel()

    assert sorted(desk.messages) == sorted(str(number) for number in range(20) for _ in range(5))


async def test_an_intake_that_is_full_is_tried_later_and_is_no_fault_of_the_source(
    desk: Desk,
) -> None:
    desk.log.write("ERROR one", "INFO")
    desk.intake.trouble = Overloaded("too much", retry_after=3)
    await desk.read()
    assert await _due(desk) == []

    desk.intake.trouble = None
    desk.clock.time += 3 * SECOND
    (claim,) = await _due(desk)
    assert claim.failures == 0
    await desk.tailer.read(claim)

    assert desk.messages == ["one"]


async def test_a_source_that_cannot_be_read_is_tried_less_and_less_often(desk: Desk) -> None:
    desk.log.trouble = ProviderUnavailable("The cluster does not answer.")
    waits = []
    for _ in range(9):
        await desk.tailer.read(await desk.claim())
        begun = desk.clock.time
        while not (claims := await _due(desk)):
            desk.clock.time += EVERY
        waits.append(desk.clock.time - begun)
        await desk.database.log_queue.put_off(claims[0], desk.clock.time, now=desk.clock.time)

    assert waits[:4] == [EVERY, 2 * EVERY, 4 * EVERY, 8 * EVERY]
    assert waits[-1] == LONGEST_WAIT


async def test_the_platform_says_how_long_to_stay_away(desk: Desk) -> None:
    desk.log.trouble = ProviderUnavailable("Too many requests.", retry_after=60)
    await desk.read()

    desk.clock.time += 59 * SECOND
    assert await _due(desk) == []
    desk.clock.time += SECOND
    assert len(await _due(desk)) == 1


async def test_a_failure_is_logged_once_and_so_is_its_end(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hms.logs")
    desk.log.trouble = ProviderUnavailable("The cluster does not answer.")
    for _ in range(3):
        desk.clock.time += LONGEST_WAIT
        await desk.read()
    desk.log.trouble = None
    desk.clock.time += LONGEST_WAIT
    await desk.read_all()

    assert [record.getMessage() for record in caplog.records] == [
        "pods of myapp/prod cannot be read: The cluster does not answer.",
        "pods of myapp/prod is read again",
    ]


async def test_a_source_that_stays_unreadable_is_an_error_of_the_bots(desk: Desk) -> None:
    desk.log.trouble = ProviderUnauthorized("Kubernetes forbids it.")
    await desk.read()
    desk.clock.time += SILENT_FAILURE - EVERY - SECOND
    await desk.read()
    assert desk.messages == []

    desk.clock.time += LONGEST_WAIT
    await desk.read()

    (event,) = desk.intake.events
    assert (event.project, event.environment, event.source) == ("HMS-SYS", "bot", "hms-sys")
    assert event.message == (
        "Log not read since 12:00 UTC: pods of myapp/prod. Kubernetes forbids it."
    )
    assert event.fields["fingerprint"] == "log not read: pods:myapp/prod"


async def test_a_platform_that_is_silent_counts_as_a_failure(desk: Desk) -> None:
    desk.log.is_silent = True

    await desk.read()

    desk.clock.time += EVERY
    (claim,) = await _due(desk)
    assert claim.failures == 1


async def test_a_database_that_fails_leaves_the_source_to_be_read_again(desk: Desk) -> None:
    desk.log.write("ERROR one", "INFO")
    desk.intake.trouble = StorageError("down")
    with pytest.raises(StorageError):
        await desk.read()
    desk.intake.trouble = None
    desk.clock.time += desk.settings.claim_span

    await desk.read()

    assert desk.messages == ["one"]


async def test_a_log_that_has_much_to_say_is_read_on_at_once(desk: Desk) -> None:
    desk.settings = replace(BRISK, lines=2)
    desk.tailer = desk.new_tailer()
    desk.log.write(*(f"ERROR {number}" for number in range(5)))

    for _ in range(3):
        (claim,) = await _due(desk) or [await desk.claim()]
        await desk.tailer.read(claim)
    await desk.read()

    assert desk.messages == ["0", "1", "2", "3", "4"]
    assert desk.log.reads == 4


async def test_the_pattern_alone_decides_where_there_is_one(desk: Desk) -> None:
    desk.sources[:] = [replace(make_source(), pattern="payment|KeyError")]
    desk.tailer = desk.new_tailer()
    desk.log.write("ERROR other", "payment refused", *TRACE)

    await desk.read_all()

    assert desk.messages == ["payment refused", "KeyError: 'x'"]


async def test_a_pattern_that_takes_too_long_is_a_fault_of_the_source(desk: Desk) -> None:
    desk.sources[:] = [replace(make_source(), pattern="slow")]
    desk.settings = replace(BRISK, match_seconds=0.05)
    desk.match_seconds = 0.03
    desk.tailer = desk.new_tailer()
    desk.log.write(*(f"ERROR {number}" for number in range(10)))

    await desk.read()

    desk.clock.time += EVERY
    (claim,) = await _due(desk)
    assert (claim.failures, desk.messages) == (1, [])


async def test_what_waits_in_the_database_holds_no_secrets(desk: Desk) -> None:
    desk.log.write("ERROR password=hunter22")
    await desk.read()

    assert (
        "hunter22"
        not in (
            await desk.database.log_queue.claim(
                [desk.sources[0].id], desk.clock.now() + EVERY, span=EVERY, limit=1
            )
        )[0].cursor
    )


async def _due(desk: Desk) -> Sequence[LogClaim]:
    ids = [source.id for source in desk.sources]
    return await desk.database.log_queue.claim(
        ids, desk.clock.now(), span=desk.settings.claim_span, limit=10
    )
