"""What goes wrong on the way: one component, one call or one subject must not hold up the others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from bot.clock import SystemClock
from operations.actor import SYSTEM
from operations.audit import AuditEvent
from operations.errors import StorageError
from operations.integration.webhooks.calling import Calling, Switchboard
from operations.integration.webhooks.delivery import Delivery, DeliveryState
from operations.integration.webhooks.feeding import Describe, Feeding
from operations.integration.webhooks.listener import Listener
from operations.integration.webhooks.ports import Caller
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.slack_stand_in import until as come_true

CLOCK = SystemClock()


class Taking:
    """Takes every call, and its time for it."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.bodies: list[str] = []
        self._seconds = seconds

    async def call(self, delivery: Delivery, body: str) -> None:
        """One call."""
        await asyncio.sleep(self._seconds)
        self.bodies.append(body)


class Silent:
    """Never answers."""

    def __init__(self) -> None:
        self.waiting = 0

    async def call(self, delivery: Delivery, body: str) -> None:
        """Until it is given up by the one who calls."""
        self.waiting += 1
        await asyncio.Event().wait()


class Broken:
    """Has a bug."""

    async def call(self, delivery: Delivery, body: str) -> None:
        """Nothing that is expected."""
        raise KeyError("bug")


async def catching_guard(name: str, work: Callable[[], Awaitable[None]]) -> str:
    """As the supervisor's: a bug becomes a reference."""
    try:
        await work()
    except KeyError:
        return "0badc0de"
    return ""


async def describe(subject: str) -> Mapping[str, object] | None:
    return {"id": subject}


async def happen(database: Database, *events: AuditEvent) -> None:
    async with database.store.transaction() as tx:
        for event in events:
            await tx.audit.add(event)


def event(subject: str, *, ago: timedelta = timedelta(0)) -> AuditEvent:
    return AuditEvent(at=CLOCK.now() - ago, actor=SYSTEM, action="rollout.started", subject=subject)


@asynccontextmanager
async def calling(
    database: Database,
    callers: Mapping[str, Caller],
    say: Describe = describe,
    idle_seconds: float = 0.02,
) -> AsyncIterator[None]:
    """Components that are known and called within the block."""
    async with database.store.transaction() as tx:
        for name in callers:
            await tx.feeds.place(name)
    listeners = {name: Listener(name, reads=True) for name in callers}
    board = Switchboard(
        feeding=Feeding(list(listeners.values()), database.store, CLOCK, say),
        queue=database.delivery_queue,
        listeners=listeners,
        callers=callers,
        clock=CLOCK,
        guard=catching_guard,
        idle_seconds=idle_seconds,
    )
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(Calling(board).run())
        yield
        task.cancel()


async def test_one_that_never_answers_does_not_hold_up_the_others(tmp_path: Path) -> None:
    silent, taking = Silent(), Taking()
    async with (
        await open_sqlite(tmp_path) as database,
        calling(database, {"a-silent": silent, "b-taking": taking}),
    ):
        await happen(database, *(event(f"D-{n}") for n in range(1, 21)))

        await come_true(lambda: len(taking.bodies) == 20)

    assert silent.waiting < 20


async def test_what_follows_does_not_wait_for_the_next_look(tmp_path: Path) -> None:
    taking = Taking(seconds=0.05)
    async with (
        await open_sqlite(tmp_path) as database,
        calling(database, {"hms-dev": taking}, idle_seconds=1.0),
    ):
        await happen(database, *(event("D-1") for _ in range(10)))
        begun = asyncio.get_running_loop().time()

        await come_true(lambda: len(taking.bodies) == 10)

        assert asyncio.get_running_loop().time() - begun < 4


async def test_a_subject_that_cannot_be_read_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async def unreadable(subject: str) -> Mapping[str, object] | None:
        if subject == "D-1":
            raise StorageError("D-1 cannot be read by this version.")
        return {"id": subject}

    taking = Taking()
    async with (
        await open_sqlite(tmp_path) as database,
        calling(database, {"hms-dev": taking}, unreadable),
    ):
        await happen(database, event("D-1"), event("D-2"))

        await come_true(lambda: len(taking.bodies) == 2)

    assert any('"rollout": null' in body for body in taking.bodies)


async def test_a_bug_counts_as_a_try_and_its_reference_is_kept(tmp_path: Path) -> None:
    async with (
        await open_sqlite(tmp_path) as database,
        calling(database, {"hms-dev": Broken()}),
    ):
        await happen(database, event("D-1"))

        await come_true(lambda: was_tried(database))


async def was_tried(database: Database) -> bool:
    found = await database.delivery_queue.list("hms-dev", DeliveryState.PENDING, limit=5)
    return [(each.attempts, each.last_error) for each in found] == [
        (1, "an error inside HMS-SYS (0badc0de)")
    ]


async def test_a_text_that_no_encoding_takes_is_sent_all_the_same(tmp_path: Path) -> None:
    async def halves(subject: str) -> Mapping[str, object] | None:
        return {"id": subject, "message": "half \ud83d of one"}

    taking = Taking()
    async with (
        await open_sqlite(tmp_path) as database,
        calling(database, {"hms-dev": taking}, halves),
    ):
        await happen(database, event("D-1"), event("D-2"))

        await come_true(lambda: len(taking.bodies) == 2)

    assert all(body.encode() for body in taking.bodies)


async def test_one_that_comes_back_after_long_is_not_told_of_what_is_over(tmp_path: Path) -> None:
    taking = Taking()
    async with (
        await open_sqlite(tmp_path) as database,
        calling(database, {"hms-dev": taking}),
    ):
        await happen(database, event("D-1", ago=timedelta(days=30)), event("D-2"))

        await come_true(lambda: len(taking.bodies) == 1)

    assert '"D-2"' in taking.bodies[0]
