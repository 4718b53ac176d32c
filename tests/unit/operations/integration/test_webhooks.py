"""When a call is tried again; every change reaches a component once and in order, or is kept as dead."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.actor import SYSTEM
from operations.audit import AuditEvent
from operations.errors import ProviderRejected, ProviderUnavailable, StorageUnavailable
from operations.integration.webhooks.calling import Calling, Switchboard
from operations.integration.webhooks.delivery import (
    GIVEN_UP_AFTER,
    Delivery,
    DeliveryState,
    next_try,
)
from operations.integration.webhooks.feeding import Feeding
from operations.integration.webhooks.listener import Listener
from operations.integration.webhooks.ports import Store, Transaction
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.fakes_cli import open_guard
from tests.slack_stand_in import until as come_true

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
READER = Listener("hms-dev", reads=True)
ASKER = Listener("hms-dev", reads=False)
DELIVERY = Delivery(
    id=1,
    component="hms-dev",
    subject="D-1",
    type="hms.rollout.started",
    at=NOON,
    body="{}",
    made_at=NOON,
    due_at=NOON,
)


@given(st.integers(0, 200), st.timedeltas(timedelta(0), timedelta(days=4)))
def test_it_is_tried_for_three_days_and_then_given_up(attempts: int, age: timedelta) -> None:
    again = next_try(replace(DELIVERY, attempts=attempts), NOON + age)

    if again is None:
        assert age > GIVEN_UP_AFTER - timedelta(hours=2)
    else:
        assert timedelta(seconds=5) <= again - (NOON + age) <= timedelta(hours=2)
        assert again <= NOON + GIVEN_UP_AFTER


def test_pauses_grow() -> None:
    pauses = [next_try(replace(DELIVERY, attempts=n), NOON) for n in range(8)]

    assert pauses == sorted(pauses, key=str)
    assert len(set(pauses)) == 7


class JumpingClock:
    """Time goes on when somebody sleeps; everybody else gets a turn meanwhile."""

    def __init__(self) -> None:
        self._now = NOON

    def now(self) -> datetime:
        """The time it is made to be."""
        return self._now

    async def sleep(self, seconds: float) -> None:
        """It is so much later."""
        self._now += timedelta(seconds=seconds)
        await asyncio.sleep(0)


@dataclass
class Receiver:
    """Takes calls, or fails as often as told."""

    troubles: list[Exception] = field(default_factory=list)
    taken: list[dict[str, object]] = field(default_factory=list)

    async def call(self, delivery: Delivery, body: str) -> None:
        """One call."""
        if self.troubles:
            raise self.troubles.pop(0)
        self.taken.append(json.loads(body))

    @property
    def heard(self) -> list[tuple[object, object]]:
        """Types and subjects in the order they came."""
        return [(call["type"], call["subject"]) for call in self.taken]


async def describe(subject: str) -> Mapping[str, object] | None:
    """Even rollouts are HMS-DEV's own."""
    number = int(subject.partition("-")[2])
    return {"id": subject, "requested_by": "component:hms-dev" if number % 2 == 0 else "U01ALICE"}


async def happen(database: Database, *changes: tuple[str, str]) -> None:
    async with database.store.transaction() as tx:
        for action, subject in changes:
            await tx.audit.add(AuditEvent(at=NOON, actor=SYSTEM, action=action, subject=subject))


async def run(
    database: Database,
    receiver: Receiver,
    clock: JumpingClock,
    until: int,
    listener: Listener = READER,
) -> None:
    """Call until so many calls are settled."""
    calling = Calling(
        Switchboard(
            feeding=Feeding([listener], database.store, clock, describe),
            queue=database.delivery_queue,
            listeners={"hms-dev": listener},
            callers={"hms-dev": receiver},
            clock=clock,
            guard=open_guard,
            idle_seconds=300,
        )
    )
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        task = group.create_task(calling.run())
        await come_true(lambda: has_settled(database, until), seconds=15)
        task.cancel()


async def has_settled(database: Database, wanted: int) -> bool:
    counts = (await database.delivery_queue.counts()).get("hms-dev", {})
    done = sum(number for state, number in counts.items() if state is not DeliveryState.PENDING)
    return done >= wanted


async def begin(database: Database) -> None:
    """The component is known from now on."""
    async with database.store.transaction() as tx:
        await tx.feeds.place("hms-dev")


async def test_every_change_is_told_once_and_in_order(tmp_path: Path) -> None:
    receiver = Receiver()
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("rollout.requested", "D-1"), ("rollout.started", "D-1"))
        await happen(database, ("lock.set", "myapp/prod"), ("alert.fired", "A-7"))

        await run(database, receiver, JumpingClock(), 3)

    assert [c for c in receiver.heard if c[1] == "D-1"] == [
        ("hms.rollout.requested", "D-1"),
        ("hms.rollout.started", "D-1"),
    ]
    assert ("hms.alert.fired", "A-7") in receiver.heard
    assert len(receiver.heard) == 3


async def test_a_call_is_a_cloud_event(tmp_path: Path) -> None:
    receiver = Receiver()
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("rollout.started", "D-1"))

        await run(database, receiver, JumpingClock(), 1)

    assert receiver.taken == [
        {
            "id": "hms-1",
            "specversion": "1.0",
            "source": "/hms-sys",
            "type": "hms.rollout.started",
            "subject": "D-1",
            "time": "2026-11-24T12:00:00Z",
            "datacontenttype": "application/json",
            "data": {
                "action": "rollout.started",
                "actor": {"id": "system", "name": "HMS-SYS"},
                "detail": {},
                "rollout": {"id": "D-1", "requested_by": "U01ALICE"},
            },
        }
    ]


@pytest.mark.parametrize("failures", [1, 6])
async def test_what_fails_is_tried_again_before_what_follows_it(
    tmp_path: Path, failures: int
) -> None:
    receiver = Receiver([ProviderUnavailable("answered 503")] * failures)
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("rollout.requested", "D-1"), ("rollout.started", "D-1"))

        await run(database, receiver, JumpingClock(), 2)

    assert [type_ for type_, _ in receiver.heard] == [
        "hms.rollout.requested",
        "hms.rollout.started",
    ]


async def test_what_is_refused_for_good_is_kept_as_dead_and_the_rest_goes_on(
    tmp_path: Path,
) -> None:
    receiver = Receiver([ProviderRejected("answered 410")])
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("rollout.requested", "D-1"), ("rollout.started", "D-1"))

        await run(database, receiver, JumpingClock(), 2)
        dead = await database.delivery_queue.list("hms-dev", DeliveryState.DEAD, limit=5)

    assert [(d.type, d.last_error) for d in dead] == [("hms.rollout.requested", "answered 410")]
    assert receiver.heard == [("hms.rollout.started", "D-1")]


async def test_three_days_without_an_answer_are_enough(tmp_path: Path) -> None:
    clock = JumpingClock()
    receiver = Receiver([ProviderUnavailable("answered 503")] * 100)
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("rollout.requested", "D-1"))

        await run(database, receiver, clock, 1)
        (dead,) = await database.delivery_queue.list("hms-dev", DeliveryState.DEAD, limit=5)

    assert dead.last_error == "answered 503"
    assert timedelta(days=2, hours=20) < dead.due_at - NOON <= timedelta(days=3)


async def test_another_process_goes_on_where_the_first_was_stopped(tmp_path: Path) -> None:
    first, second = Receiver(), Receiver()
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("rollout.requested", "D-1"))
        await run(database, first, JumpingClock(), 1)
        await happen(database, ("rollout.started", "D-1"))

        await run(database, second, JumpingClock(), 2)

    assert first.heard == [("hms.rollout.requested", "D-1")]
    assert second.heard == [("hms.rollout.started", "D-1")]


async def test_without_the_right_to_read_it_hears_of_its_own_rollouts_only(tmp_path: Path) -> None:
    receiver = Receiver()
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("rollout.requested", "D-1"), ("rollout.requested", "D-2"))
        await happen(database, ("alert.fired", "A-2"), ("error.resolved", "E-2"))
        await happen(database, ("rollout.succeeded", "D-2"))

        await run(database, receiver, JumpingClock(), 2, ASKER)

    assert receiver.heard == [("hms.rollout.requested", "D-2"), ("hms.rollout.succeeded", "D-2")]


async def test_what_is_ready_is_not_sent_when_the_right_was_taken_meanwhile(tmp_path: Path) -> None:
    receiver = Receiver()
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("rollout.requested", "D-1"), ("rollout.requested", "D-2"))
        await Feeding([READER], database.store, JumpingClock(), describe).feed()

        await run(database, receiver, JumpingClock(), 2, ASKER)
        (dead,) = await database.delivery_queue.list("hms-dev", DeliveryState.DEAD, limit=5)

    assert receiver.heard == [("hms.rollout.requested", "D-2")]
    assert (dead.subject, dead.last_error) == ("D-1", "it may not read of this any more")


async def test_a_target_s_name_is_no_rollout_s(tmp_path: Path) -> None:
    """Locks are audited under the name of their target, which may begin like a rollout's."""
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("target.locked", "Docs/prod"), ("target.locked", "D-1/prod"))

        assert await Feeding([READER], database.store, JumpingClock(), describe).feed() == 0


async def test_an_import_of_old_logs_is_no_rollout(tmp_path: Path) -> None:
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("history.imported", "history"))

        assert await Feeding([READER], database.store, JumpingClock(), describe).feed() == 0


class Failing:
    """A database whose next transactions do not come to their end."""

    def __init__(self, store: Store, times: int) -> None:
        self._store = store
        self._times = times

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Raises at the end as often as told."""
        async with self._store.transaction() as tx:
            yield tx
            if self._times:
                self._times -= 1
                raise StorageUnavailable("the disk is full")

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]:
        """As ever."""
        return self._store.snapshot()


async def test_what_could_not_be_stored_is_made_ready_the_next_time(tmp_path: Path) -> None:
    async with await open_sqlite(tmp_path) as database:
        await begin(database)
        await happen(database, ("rollout.requested", "D-1"))
        feeding = Feeding([READER], Failing(database.store, 1), JumpingClock(), describe)
        with pytest.raises(StorageUnavailable):
            await feeding.feed()

        assert await feeding.feed() == 1
