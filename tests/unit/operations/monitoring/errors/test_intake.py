"""Taking events: what is committed is answered, what cannot be is said, and nobody suffers for others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest
import pytest_asyncio

from operations.errors import (
    LeaseLost,
    Overloaded,
    StorageError,
    StorageUnavailable,
    VersionConflict,
)
from operations.monitoring.errors.event import Level
from operations.monitoring.errors.intake import IntakeSettings
from operations.monitoring.errors.ports import Store, Transaction
from operations.monitoring.errors.repeats import BatchKey
from tests.factories import ALICE, NOON
from tests.unit.operations.monitoring.errors.logbook import (
    Logbook,
    make_event,
    open_logbook,
    running,
    until,
)


@pytest_asyncio.fixture
async def book(tmp_path: Path) -> AsyncIterator[Logbook]:
    async with open_logbook(tmp_path) as opened:
        yield opened


class CountingStore:
    """Counts transactions; refuses the first few when a test says so."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.begun = 0
        self.refusals: list[StorageError] = []
        self.refuses: Callable[[Transaction], StorageError | None] = lambda tx: None
        self.gate = asyncio.Event()
        self.gate.set()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        await self.gate.wait()
        self.begun += 1
        async with self._store.transaction() as tx:
            yield tx
            if self.refusals:
                raise self.refusals.pop(0)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Transaction]:
        async with self._store.snapshot() as tx:
            yield tx


class LosingStore(CountingStore):
    """Commits, and then its answer is lost, as often as a test says."""

    lost = 1

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with self._store.transaction() as tx:
            yield tx
        if self.lost:
            self.lost -= 1
            raise StorageUnavailable("The connection broke.")


async def guard_bugs(name: str, work: Callable[[], Awaitable[None]]) -> str:
    """As the supervisor does."""
    try:
        await work()
    except ZeroDivisionError:
        return "ref1"
    return ""


async def stored_messages(book: Logbook) -> set[str]:
    return {group.title for group in await book.groups()}


async def test_what_was_taken_is_committed(book: Logbook) -> None:
    await book.take(make_event(), make_event(message="disk full", fields={}))

    assert await stored_messages(book) == {"TimeoutError: no answer", "disk full"}


async def test_a_batch_whose_answer_was_lost_after_its_commit_counts_once_when_it_is_sent_again(
    book: Logbook,
) -> None:
    key = BatchKey("api:ci", "batch-7", "hash")
    intake = book.new_intake(store=LosingStore(book.database.store))
    async with running(intake):
        with pytest.raises(StorageUnavailable):
            await intake.take([make_event()] * 3, key=key)
        was_fresh = await intake.take([make_event()] * 3, key=key)

    assert not was_fresh
    assert (await book.only_group()).count == 3


async def test_what_goes_along_is_in_the_same_transaction(book: Logbook) -> None:
    async def also(tx: Transaction) -> None:
        raise LeaseLost("Another reads this source.")

    with pytest.raises(LeaseLost):
        await book.intake.take([make_event()], also=also)

    assert await book.groups() == []


async def test_no_events_at_all_still_bring_along_what_goes_along(book: Logbook) -> None:
    done: list[bool] = []

    async def also(tx: Transaction) -> None:
        done.append(True)

    await book.intake.take([], also=also)

    assert done == [True]


async def test_those_who_wait_together_share_a_transaction(book: Logbook) -> None:
    store = CountingStore(book.database.store)
    store.gate.clear()
    intake = book.new_intake(store=store)
    async with running(intake), asyncio.TaskGroup() as group:
        group.create_task(intake.take([make_event()]))
        await until(lambda: intake.waiting == 1)
        await asyncio.sleep(0.01)  # the first is on its way
        for number in range(50):
            group.create_task(intake.take([make_event(message=f"m{number}")]))
        await until(lambda: intake.waiting == 51)
        await asyncio.sleep(0.01)
        store.gate.set()

    assert store.begun == 2
    assert sum(group.count for group in await book.groups()) == 51


async def test_one_that_cannot_be_stored_takes_no_other_down(book: Logbook) -> None:
    store = CountingStore(book.database.store)
    store.gate.clear()
    intake = book.new_intake(store=store, guard=guard_bugs)
    outcomes: dict[str, str] = {}

    async def refused(tx: Transaction) -> None:
        raise StorageError("The database refused.")

    async def broken(tx: Transaction) -> None:
        raise ZeroDivisionError

    async def take(name: str, also: Callable[[Transaction], Awaitable[None]] | None) -> None:
        try:
            await intake.take([make_event(message=name, fields={})], also=also)
            outcomes[name] = "stored"
        except StorageError as exc:
            outcomes[name] = exc.message

    async with running(intake), asyncio.TaskGroup() as group:
        for name, also in {"a": None, "b": refused, "c": broken, "d": None}.items():
            group.create_task(take(name, also))
        await until(lambda: intake.waiting == 4)
        store.gate.set()

    assert outcomes == {
        "a": "stored",
        "b": "The database refused.",
        "c": "The events could not be stored (reference ref1).",
        "d": "stored",
    }
    assert await stored_messages(book) == {"a", "d"}


async def test_one_whom_another_got_ahead_of_tries_again(book: Logbook) -> None:
    store = CountingStore(book.database.store)
    store.refusals = [VersionConflict("Another one.")] * 2
    intake = book.new_intake(store=store)
    async with running(intake):
        await intake.take([make_event()])

    assert (await book.only_group()).count == 1


async def test_a_database_that_is_down_is_said_and_not_asked_for_each(book: Logbook) -> None:
    store = CountingStore(book.database.store)
    store.gate.clear()
    store.refusals = [StorageUnavailable("It is down.")] * 9
    intake = book.new_intake(store=store)
    heard: list[str] = []

    async def take() -> None:
        try:
            await intake.take([make_event()])
        except StorageUnavailable as exc:
            heard.append(exc.message)

    async with running(intake), asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(take())
        await until(lambda: intake.waiting == 3)
        store.gate.set()

    assert heard == ["It is down."] * 3
    assert store.begun <= 2
    assert await book.groups() == []


@pytest.mark.parametrize(
    "settings", [IntakeSettings(waiting_events=10), IntakeSettings(waiting_bytes=6_000)]
)
async def test_more_than_can_wait_is_refused_at_once(
    book: Logbook, settings: IntakeSettings
) -> None:
    intake = book.new_intake(settings=settings)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(intake.take([make_event()] * 10))
        await until(lambda: intake.waiting == 10)

        with pytest.raises(Overloaded) as caught:
            await intake.take([make_event()] * 5)

        assert caught.value.retry_after > 0
        async with running(intake):
            await waiting
            await intake.take([make_event()])

    assert (await book.only_group()).count == 11


async def test_one_batch_larger_than_the_room_is_not_refused_for_ever(book: Logbook) -> None:
    intake = book.new_intake(settings=IntakeSettings(waiting_events=10, together=5))
    async with running(intake):
        await intake.take([make_event()] * 30)

    assert (await book.only_group()).count == 30


async def test_who_waits_when_the_bot_stops_hears_that_nothing_was_stored(book: Logbook) -> None:
    store = CountingStore(book.database.store)
    store.gate.clear()
    intake = book.new_intake(store=store)

    async def take() -> None:
        with pytest.raises(StorageUnavailable):
            await intake.take([make_event()])

    async with asyncio.TaskGroup() as group, running(intake):
        for _ in range(3):
            group.create_task(take())
        await until(lambda: intake.waiting == 3)
        await asyncio.sleep(0.01)
    with pytest.raises(StorageUnavailable):
        await intake.take([make_event()])

    assert await book.groups() == []
    assert intake.waiting == 0


async def test_one_who_gave_up_leaves_no_event_behind(book: Logbook) -> None:
    intake = book.new_intake()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await intake.take([make_event()])
    assert intake.waiting == 0

    async with running(intake):
        await intake.take([make_event(message="other")])

    assert await stored_messages(book) == {"TimeoutError: other"}


async def test_it_begins_again_after_it_was_stopped(book: Logbook) -> None:
    intake = book.new_intake()
    for _ in range(2):
        async with running(intake):
            await asyncio.sleep(0)
            await intake.take([make_event()])

    assert (await book.only_group()).count == 2


async def test_nobody_knowing_what_runs_keeps_no_error_out(book: Logbook) -> None:
    book.releases.is_down = True

    await book.take(make_event())

    assert (await book.only_group()).last_release == ""


async def test_events_that_are_no_errors_make_no_group(book: Logbook) -> None:
    await book.take(make_event(level=Level.WARNING))

    assert await book.groups() == []


async def test_ill_treated_text_is_stored_safely(book: Logbook) -> None:
    nasty = "\x1b[31mboom\x00 \ud800 <!channel> *x* password=hunter22 \u202e" + "y" * 1_000_000
    fields = {f"k{n}": "v" * 100_000 for n in range(50)}
    event = make_event(
        message=nasty,
        fields={**fields, "type": "X", "stack": "s" * 2_000_000, "db_password": "hunter22"},
    )

    await book.take(event)

    [sample] = (await book.triage.show(1)).samples
    text = sample.message + "".join(f"{k}{v}" for k, v in sample.fields.items())
    assert sample.message.startswith("boom  <!channel> *x* password=[redacted]")
    assert "hunter22" not in text
    assert text.isprintable() or "\n" in text
    assert len(sample.message.encode()) <= 4096
    assert len(sample.fields) == 20
    assert sample.fields["type"] == "X"
    assert len(sample.fields["stack"].encode()) <= 16 * 1024
    assert all(len(v.encode()) <= 2048 for k, v in sample.fields.items() if k != "stack")


@pytest.mark.parametrize(
    "claimed", ["1970-01-01T00:00:00+00:00", "2026-11-23T12:06:00+00:00", "9999-12-31T23:59:59+00:00",
                "0001-01-01T00:00:00+14:00"]
)  # fmt: skip
async def test_a_time_that_cannot_be_becomes_the_time_of_receipt(
    book: Logbook, claimed: str
) -> None:
    await book.take(make_event(at=datetime.fromisoformat(claimed)))

    [sample] = (await book.triage.show(1)).samples
    assert sample.at == NOON
    assert sample.fields["claimed_time"] == claimed


async def test_a_group_that_a_person_acts_on_meanwhile_loses_nothing(book: Logbook) -> None:
    await book.take(make_event())

    async with asyncio.TaskGroup() as group:
        group.create_task(book.triage.resolve(1, ALICE))
        for _ in range(20):
            group.create_task(book.take(make_event()))

    assert (await book.only_group()).count == 21
