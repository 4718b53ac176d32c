"""What this process logs as an error becomes an event, and storing it never makes another."""

from __future__ import annotations

import asyncio
import io
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from bot.logs import configure_logging
from bot.own_errors import OwnErrors, unheard
from bot.supervision import Supervisor
from operations.errors import StorageError, StorageUnavailable
from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.group import GroupDetail
from tests.unit.operations.monitoring.errors.logbook import Logbook, open_logbook, until

SECRET = "correct horse battery"


@pytest.fixture(autouse=True)
def _logging() -> None:
    """As it is in production."""
    configure_logging("info", "json", False, stream=io.StringIO())


@pytest_asyncio.fixture
async def book(tmp_path: Path) -> AsyncIterator[Logbook]:
    async with open_logbook(tmp_path) as opened:
        yield opened


@asynccontextmanager
async def listening(own: OwnErrors) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(own.run())
        await until(lambda: own in logging.getLogger().handlers)
        try:
            yield
        finally:
            task.cancel()
    assert own not in logging.getLogger().handlers


async def first_group(book: Logbook) -> GroupDetail:
    async with asyncio.timeout(5):
        while not await book.groups():  # noqa: ASYNC110 -- what is waited for is in the database
            await asyncio.sleep(0.002)
    return await book.triage.show(1)


async def test_an_error_that_is_logged_becomes_an_event(book: Logbook) -> None:
    async with listening(OwnErrors(book.intake, book.clock, [SECRET])):
        structlog.get_logger("hms.jobs").warning("only a warning")
        structlog.get_logger("hms.jobs").error(f"it broke {SECRET}", job="digest")
        detail = await first_group(book)

    group = detail.report.group
    [sample] = detail.samples
    assert (group.target_name, group.title, group.count) == (
        "HMS-SYS/bot",
        "it broke [redacted]",
        1,
    )
    assert (sample.source, sample.fields["job"]) == ("hms-sys", "digest")
    assert sample.fields["logger"] == "hms.jobs"


async def test_a_bug_is_an_event_with_its_stack(book: Logbook) -> None:
    async def work() -> None:
        raise ZeroDivisionError(SECRET)

    async with listening(OwnErrors(book.intake, book.clock, [SECRET])):
        await Supervisor(book.clock)("worker", work)
        detail = await first_group(book)

    [sample] = detail.samples
    assert detail.report.group.title == "ZeroDivisionError: task failed"
    assert "in work" in sample.fields["stack"]
    assert SECRET not in str(sample)


async def test_records_of_libraries_count_too(book: Logbook) -> None:
    async with listening(OwnErrors(book.intake, book.clock)):
        try:
            raise KeyError("x")
        except KeyError:
            logging.getLogger("asyncio").exception("task %s died", "a-1")
        detail = await first_group(book)

    assert detail.report.group.title == "KeyError: task a-1 died"


async def test_what_writing_events_logs_makes_no_event(book: Logbook) -> None:
    own = OwnErrors(book.intake, book.clock)

    async def write() -> None:
        structlog.get_logger("hms.events").error("cannot write")
        raise ZeroDivisionError

    async with listening(own):
        async with asyncio.TaskGroup() as group:
            group.create_task(Supervisor(book.clock)("events", unheard(write)))
        structlog.get_logger("hms.jobs").error("another")
        detail = await first_group(book)

    assert detail.report.group.title == "another"


async def test_errors_wait_while_nothing_can_be_stored(book: Logbook) -> None:
    class Downtime:
        """An intake that is down the first time."""

        def __init__(self) -> None:
            self.calls = 0

        async def take(self, events: list[LogEvent]) -> None:
            self.calls += 1
            if self.calls == 1:
                raise StorageUnavailable("down")
            await book.take(*events)

    down = Downtime()
    async with listening(OwnErrors(down, book.clock)):  # type: ignore[arg-type]  # of an intake only this is used
        for _ in range(1000):
            logging.getLogger("hms.jobs").error("again")
        detail = await first_group(book)

    assert down.calls >= 2
    assert detail.report.group.count == 200


async def test_no_more_wait_however_long_nothing_can_be_stored(book: Logbook) -> None:
    class Outage:
        """While it fails, as much is logged again."""

        def __init__(self) -> None:
            self.calls = 0

        async def take(self, events: list[LogEvent]) -> None:
            self.calls += 1
            if self.calls > 5:
                return await book.take(*events)
            Context().run(log_many)  # as another task would
            raise StorageUnavailable("down")

    def log_many() -> None:
        for _ in range(1000):
            logging.getLogger("hms.jobs").error("again")

    async with listening(OwnErrors(Outage(), book.clock)):  # type: ignore[arg-type]  # of an intake only this is used
        log_many()
        detail = await first_group(book)

    assert detail.report.group.count == 200


async def test_one_that_the_database_refuses_holds_no_other_up(book: Logbook) -> None:
    class Picky:
        """An intake over a database that cannot keep one of them."""

        async def take(self, events: list[LogEvent]) -> None:
            if any(event.message == "poison" for event in events):
                raise StorageError("refused")
            await book.take(*events)

    async with listening(OwnErrors(Picky(), book.clock)):  # type: ignore[arg-type]  # of an intake only this is used
        for message in ("one", "poison", "other"):
            logging.getLogger("hms.jobs").error(message)
        await first_group(book)
        async with asyncio.timeout(5):
            while len(await book.groups()) < 2:  # noqa: ASYNC110 -- what is waited for is in the database
                await asyncio.sleep(0.002)

    assert sorted(group.title for group in await book.groups()) == ["one", "other"]


async def test_a_record_that_cannot_be_read_is_left_out(book: Logbook) -> None:
    own = OwnErrors(book.intake, book.clock)
    unreadable = {"msg": "%d apples", "args": ("none",), "levelno": logging.ERROR}
    async with listening(own):
        own.handle(logging.makeLogRecord(unreadable))
        logging.getLogger("hms.jobs").error("another")
        detail = await first_group(book)

    assert detail.report.group.title == "another"
