"""Records of other systems' alerts go some time after their end, and nothing else does, on both databases."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest_asyncio

from operations.monitoring.check import CheckRecord, CheckState, Flip
from operations.monitoring.retention import ENDED_KEPT, STEP, Retention
from operations.monitoring.vendors import VendorAlert, VendorAlerts
from storage.database import Database
from tests.factories import NOON
from tests.unit.operations.monitoring.lookouts import NoRollouts, SteppedClock, make_check

pytest_plugins = ("tests.contract.database_fixtures",)

FIRING = VendorAlert(
    source="alertmanager",
    key="disk",
    name="Disk is full",
    project="myapp",
    environment="prod",
    is_firing=True,
    reason="97 %",
    since=NOON,
)
ENDED = replace(FIRING, is_firing=False)


@dataclass(frozen=True)
class Post:
    """Where other systems' alerts come in, at a time that the test sets."""

    database: Database
    clock: SteppedClock
    vendors: VendorAlerts

    async def hear(self, *said: VendorAlert) -> None:
        await self.vendors.receive(said)

    async def sweep(self, after: timedelta = ENDED_KEPT) -> None:
        self.clock.time = NOON + after
        await Retention(self.database.check_purges, self.clock).sweep()

    async def records(self) -> list[str]:
        async with self.database.store.snapshot() as tx:
            return [record.check_id for record in await tx.checks.all()]

    async def alerts(self) -> int:
        async with self.database.store.snapshot() as tx:
            return len(await tx.alerts.open())


@pytest_asyncio.fixture
async def post(database: Database) -> Post:
    clock = SteppedClock()
    vendors = VendorAlerts(
        store=database.store, surroundings=NoRollouts(), clock=clock, channel="C01ALERTS"
    )
    return Post(database, clock, vendors)


async def test_one_that_ended_long_ago_is_forgotten_with_its_flips(post: Post) -> None:
    await post.hear(FIRING, ENDED)

    await post.sweep()
    assert await post.records() == ["alertmanager:disk"]

    await post.sweep(ENDED_KEPT + timedelta(seconds=1))
    assert await post.records() == []
    async with post.database.store.snapshot() as tx:
        assert await tx.checks.flips("alertmanager:disk") == []


async def test_one_that_fires_stays_however_old(post: Post) -> None:
    await post.hear(FIRING)

    await post.sweep(2 * ENDED_KEPT)

    assert await post.records() == ["alertmanager:disk"]


async def test_its_last_end_counts(post: Post) -> None:
    await post.hear(FIRING, ENDED)
    post.clock.time = NOON + timedelta(days=50)
    again = replace(FIRING, since=post.clock.time)
    await post.hear(again, replace(again, is_firing=False))

    await post.sweep(timedelta(days=100))

    assert await post.records() == ["alertmanager:disk"]


async def test_one_that_was_forgotten_can_be_raised_again(post: Post) -> None:
    await post.hear(FIRING, ENDED)
    await post.sweep(2 * ENDED_KEPT)

    await post.hear(replace(FIRING, since=post.clock.time))

    assert await post.alerts() == 1


async def test_our_own_checks_stay(post: Post) -> None:
    check = make_check()
    await post.database.check_queue.schedule([check], NOON)
    async with post.database.store.transaction() as tx:
        record = CheckRecord(check_id=check.id, state=CheckState.OK)
        await tx.checks.save(record)
        await tx.checks.flipped(
            Flip(check_id=check.id, old=CheckState.UNKNOWN, new=CheckState.OK, reason="", at=NOON)
        )

    await post.sweep(2 * ENDED_KEPT)

    assert await post.records() == [check.id]


async def test_there_may_be_more_than_go_in_one_step(post: Post) -> None:
    records = [CheckRecord(check_id=f"v:{n}", state=CheckState.OK) for n in range(STEP + 5)]
    async with post.database.store.transaction() as tx:
        for record in records:
            await tx.checks.save(record)
            await tx.checks.flipped(
                Flip(
                    check_id=record.check_id,
                    old=CheckState.FAILING,
                    new=CheckState.OK,
                    reason="",
                    at=NOON,
                )
            )

    await post.sweep(2 * ENDED_KEPT)

    assert await post.records() == []
