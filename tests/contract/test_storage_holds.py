"""What a lock or a closed window holds back is not claimed, and nobody turns in a circle over it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from operations.deployment.rollout import RolloutKind, RolloutState, TargetLock
from storage.database import Database
from tests.contract.databases import add_rollout
from tests.factories import ALICE, BOB, NOON

pytest_plugins = ("tests.contract.database_fixtures",)

HOUR = timedelta(hours=1)
CLOSED = frozenset({"myapp/prod"})


async def lock(database: Database, **changes: object) -> None:
    plain = {"project": "myapp", "environment": "prod", "actor": BOB, "at": NOON, "until": None}
    async with database.store.transaction() as tx:
        await tx.locks.put(TargetLock(**{**plain, "reason": "", **changes}))  # type: ignore[arg-type]  # checked by the dataclass


async def claims(
    database: Database, *, now: datetime = NOON, closed: frozenset[str] = frozenset()
) -> bool:
    """Whether a worker gets something."""
    queue = database.rollout_queue
    return await queue.claim("worker", now, now + HOUR, closed=closed) is not None


async def test_a_lock_of_somebody_else_holds_it_back(database: Database) -> None:
    await add_rollout(database)
    await lock(database)

    assert not await claims(database)


async def test_a_lock_of_the_requester_does_not(database: Database) -> None:
    await add_rollout(database)
    await lock(database, actor=ALICE)

    assert await claims(database)


async def test_a_lock_elsewhere_does_not(database: Database) -> None:
    await add_rollout(database)
    await lock(database, environment="staging")

    assert await claims(database)


async def test_a_lock_that_has_ended_does_not(database: Database) -> None:
    await add_rollout(database)
    await lock(database, until=NOON + HOUR)

    assert not await claims(database)
    assert await claims(database, now=NOON + HOUR)


async def test_a_closed_target_holds_it_back(database: Database) -> None:
    await add_rollout(database)

    assert not await claims(database, closed=CLOSED)
    assert await claims(database, closed=frozenset({"myapp/staging", "other/prod"}))


@pytest.mark.parametrize("passing", [{"emergency": True}, {"kind": RolloutKind.ROLLBACK}])
async def test_emergencies_and_ways_back_pass(
    database: Database, passing: dict[str, object]
) -> None:
    await add_rollout(database, **passing)
    await lock(database)

    assert await claims(database, closed=CLOSED)


async def test_what_is_under_way_is_taken_over_all_the_same(database: Database) -> None:
    await add_rollout(database, state=RolloutState.RUNNING)
    await lock(database)

    assert await claims(database, closed=CLOSED)


async def test_others_go_on_meanwhile(database: Database) -> None:
    await add_rollout(database)
    other = await add_rollout(database, project="other")

    found = await database.rollout_queue.claim("worker", NOON, NOON + HOUR, closed=CLOSED)

    assert found is not None
    assert found.id == other.id


@pytest.mark.parametrize("by_lock", [True, False])
async def test_a_worker_sleeps_on_what_is_held_back(database: Database, by_lock: bool) -> None:
    await add_rollout(database)
    if by_lock:
        await lock(database, at=datetime.now(UTC))
    loop = asyncio.get_running_loop()
    begun = loop.time()

    await database.rollout_queue.wait(0.4, closed=frozenset() if by_lock else CLOSED)

    assert loop.time() - begun >= 0.39


async def test_all_that_is_queued_is_listed_and_nothing_else(database: Database) -> None:
    queued = await add_rollout(database)
    await add_rollout(database, project="other", state=RolloutState.PENDING_APPROVAL)
    await add_rollout(database, project="third", state=RolloutState.RUNNING)

    async with database.store.snapshot() as tx:
        assert [each.id for each in await tx.rollouts.queued()] == [queued.id]
