"""A rollout with a time to start is claimed from then on, and not for ever; reviews and figures are read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.deployment.rollout import (
    HistoryQuery,
    Rollout,
    RolloutKind,
    RolloutState,
    Vote,
    VoteKind,
)
from operations.deployment.start_time import LATEST, is_early, is_too_late
from storage.database import Database, open_database
from tests.contract.databases import add_rollout, save_rollout
from tests.factories import ALICE, BOB, NOON

pytest_plugins = ("tests.contract.database_fixtures",)

HOUR = timedelta(hours=1)
MOMENT = timedelta(microseconds=1)


def _changed(rollout: Rollout, **changes: object) -> Rollout:
    return replace(rollout, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


async def claims(database: Database, now: datetime) -> bool:
    """Whether a worker gets something."""
    return await database.rollout_queue.claim("worker", now, now + HOUR) is not None


async def test_it_is_not_claimed_before_its_time(database: Database) -> None:
    await add_rollout(database, start_at=NOON)

    assert not await claims(database, NOON - MOMENT)
    assert await claims(database, NOON)


async def test_it_is_claimed_late_and_not_too_late(database: Database) -> None:
    await add_rollout(database, start_at=NOON)
    await add_rollout(database, environment="staging", start_at=NOON + MOMENT)

    assert await claims(database, NOON + LATEST)
    assert not await claims(database, NOON + LATEST)


async def test_one_that_was_begun_in_time_is_taken_over_whenever_its_worker_is_gone(
    database: Database,
) -> None:
    await add_rollout(database, start_at=NOON)
    assert await claims(database, NOON)

    assert await claims(database, NOON + 9 * HOUR)


async def test_those_that_missed_their_time_are_found(database: Database) -> None:
    late = await add_rollout(database, start_at=NOON)
    await add_rollout(database, environment="a", start_at=NOON + MOMENT)
    await add_rollout(database, environment="b")
    waiting = RolloutState.PENDING_APPROVAL
    await add_rollout(database, environment="c", start_at=NOON, state=waiting)

    async with database.store.snapshot() as tx:
        assert await tx.rollouts.missed(NOON) == [late]


async def test_a_worker_wakes_at_its_time(database: Database) -> None:
    start_at = datetime.now(UTC) + timedelta(seconds=0.4)
    await add_rollout(database, start_at=start_at)

    async with asyncio.timeout(5):
        while not await claims(database, datetime.now(UTC)):
            await database.rollout_queue.wait(10)
    assert datetime.now(UTC) >= start_at


async def test_nobody_turns_in_a_circle_over_one_that_is_too_late(database: Database) -> None:
    await add_rollout(database, start_at=datetime.now(UTC) - 2 * LATEST)
    loop = asyncio.get_running_loop()
    begun = loop.time()

    await database.rollout_queue.wait(0.3)

    assert loop.time() - begun >= 0.25


async def test_unreviewed_are_emergencies_that_reached_the_platform(database: Database) -> None:
    over = {"state": RolloutState.FAILED, "started_at": NOON, "ended_at": NOON}
    ended = []
    for changes in ({"emergency": True}, {"emergency": False}):
        added = await add_rollout(database, **changes)
        ended.append(await save_rollout(database, _changed(added, **over)))
    running = await add_rollout(database, emergency=True)
    await save_rollout(database, _changed(running, started_at=NOON))

    async with database.store.snapshot() as tx:
        page = await tx.rollouts.search(HistoryQuery(unreviewed=True))
        of_alice = await tx.rollouts.search(HistoryQuery(unreviewed=True, requested_by=ALICE.id))
    assert list(page.rollouts) == list(of_alice.rollouts) == ended[:1]


async def test_what_ended_is_counted_with_its_last_vote(database: Database) -> None:
    votes = tuple(
        Vote(actor=actor, kind=VoteKind.APPROVE, at=NOON + hours * HOUR)
        for hours, actor in enumerate((ALICE, BOB))
    )
    added = await add_rollout(database, kind=RolloutKind.ROLLBACK)
    over = {"state": RolloutState.SUCCEEDED, "started_at": NOON, "ended_at": NOON + 2 * HOUR}
    await save_rollout(database, _changed(added, **over, votes=votes))
    before = await add_rollout(database)
    await save_rollout(database, _changed(before, **{**over, "ended_at": NOON}))
    await add_rollout(database)

    async with database.store.snapshot() as tx:
        (past,) = await tx.rollouts.ended_since(NOON + MOMENT, "myapp")
        assert await tx.rollouts.ended_since(NOON + MOMENT, "") == [past]
        assert await tx.rollouts.ended_since(NOON, "other") == []
    assert (past.id, past.approved_at, past.kind) == (
        added.id,
        NOON + HOUR,
        RolloutKind.ROLLBACK,
    )


def test_what_is_claimed_is_neither_early_nor_too_late(
    database_url: str, runner: asyncio.Runner
) -> None:
    """The database's rule and that of `start_time` are the same one."""
    database = runner.run(open_database(database_url))
    minutes = st.integers(-70, 70).map(lambda count: timedelta(minutes=count))
    offsets = minutes | st.sampled_from([LATEST - MOMENT, LATEST, -MOMENT, timedelta(0)])

    @settings(max_examples=40, deadline=None)
    @given(st.none() | offsets)
    def holds(late: timedelta | None) -> None:
        runner.run(_agrees(database, late))

    try:
        holds()
    finally:
        runner.run(database.close())


async def _agrees(database: Database, late: timedelta | None) -> None:
    """Asked `late` after its time; the target is free again for the next one."""
    added = await add_rollout(database, start_at=None if late is None else NOON - late)
    claimed = await database.rollout_queue.claim("worker", NOON, NOON + HOUR)
    assert (claimed is not None) is not (is_early(added, NOON) or is_too_late(added, NOON))
    await save_rollout(database, _changed(claimed or added, state=RolloutState.FAILED))


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all examples of a test."""
    with asyncio.Runner() as loop:
        yield loop
