"""Claiming rollouts: one worker each, oldest first, and a late one writes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from operations.deployment.rollout import Lease, Phase, Rollout, RolloutState
from operations.errors import LeaseLost
from storage.database import Database, open_database
from tests.contract.databases import PostgresServer, add_rollout, read_rollout, save_rollout
from tests.factories import NOON

pytest_plugins = ("tests.contract.database_fixtures",)

HOUR = timedelta(hours=1)


async def claim(database: Database, owner: str = "one", hours: int = 0) -> Rollout | None:
    now = NOON + hours * HOUR
    return await database.rollout_queue.claim(owner, now, now + HOUR)


async def claim_one(database: Database, owner: str = "one", hours: int = 0) -> Rollout:
    claimed = await claim(database, owner, hours)
    assert claimed is not None
    return claimed


async def test_a_queued_rollout_begins_when_it_is_claimed(database: Database) -> None:
    added = await add_rollout(database)

    claimed = await claim_one(database)

    assert claimed == replace(
        added,
        state=RolloutState.RUNNING,
        phase=Phase.STARTING,
        started_at=NOON,
        revision=2,
        lease=Lease(owner="one", number=1, until=NOON + HOUR),
    )
    assert await read_rollout(database, added.id) == claimed


async def test_nothing_is_claimed_from_an_empty_queue(database: Database) -> None:
    await add_rollout(database, state=RolloutState.PENDING_APPROVAL)
    await add_rollout(database, state=RolloutState.SUCCEEDED)

    assert await claim(database) is None


async def test_a_rollout_under_lease_is_left_alone(database: Database) -> None:
    await add_rollout(database)
    await claim_one(database)

    assert await claim(database, "two") is None


async def test_a_target_that_is_busy_keeps_its_queue_waiting(database: Database) -> None:
    first = await add_rollout(database)
    second = await add_rollout(database)
    running = await claim_one(database)
    assert running.id == first.id
    assert await claim(database) is None

    await save_rollout(database, replace(running, state=RolloutState.SUCCEEDED))

    assert (await claim_one(database)).id == second.id


async def test_another_target_does_not_wait(database: Database) -> None:
    await add_rollout(database)
    await add_rollout(database)
    elsewhere = await add_rollout(database, environment="staging")
    await claim_one(database)

    assert (await claim_one(database)).id == elsewhere.id


async def test_an_active_rollout_is_taken_over_as_it_is_when_its_lease_ends(
    database: Database,
) -> None:
    await add_rollout(database)
    first = await claim_one(database)
    followed = await save_rollout(database, replace(first, phase=Phase.FOLLOWING, handle={"a": 1}))

    second = await claim_one(database, "two", hours=1)

    lease = Lease(owner="two", number=2, until=NOON + 2 * HOUR)
    assert second == replace(followed, lease=lease)


async def test_only_considers_no_other_rollout(database: Database) -> None:
    await add_rollout(database)
    wanted = await add_rollout(database, environment="staging")
    queue = database.rollout_queue

    claimed = await queue.claim("cli", NOON, NOON + HOUR, only=wanted.id)

    assert claimed is not None
    assert claimed.id == wanted.id
    assert await queue.claim("cli", NOON, NOON + HOUR, only=wanted.id) is None


async def test_only_does_not_jump_the_target_s_queue(database: Database) -> None:
    await add_rollout(database)
    later = await add_rollout(database)

    assert await database.rollout_queue.claim("cli", NOON, NOON + HOUR, only=later.id) is None


async def test_renewing_extends_the_lease(database: Database) -> None:
    await add_rollout(database)
    held = await claim_one(database)

    await database.rollout_queue.renew(held, NOON + 3 * HOUR)

    assert await claim(database, "two", hours=2) is None
    assert (await claim_one(database, "two", hours=3)).lease is not None


async def test_renewing_a_lease_that_was_taken_over_fails(database: Database) -> None:
    await add_rollout(database)
    held = await claim_one(database)
    taken = await claim_one(database, "two", hours=1)

    with pytest.raises(LeaseLost):
        await database.rollout_queue.renew(held, NOON + 9 * HOUR)

    assert await read_rollout(database, held.id) == taken


async def test_the_same_worker_s_former_lease_is_fenced_too(database: Database) -> None:
    await add_rollout(database)
    held = await claim_one(database)
    await claim_one(database, "one", hours=1)

    with pytest.raises(LeaseLost):
        await database.rollout_queue.renew(held, NOON + 9 * HOUR)


async def test_a_released_rollout_is_claimed_at_once_with_a_higher_number(
    database: Database,
) -> None:
    await add_rollout(database)
    held = await claim_one(database)

    await database.rollout_queue.release(held)

    assert (await read_rollout(database, held.id)).lease is None
    lease = (await claim_one(database, "two")).lease
    assert lease == Lease(owner="two", number=2, until=NOON + HOUR)


async def test_releasing_a_lost_lease_changes_nothing(database: Database) -> None:
    await add_rollout(database)
    held = await claim_one(database)
    taken = await claim_one(database, "two", hours=1)

    await database.rollout_queue.release(held)

    assert await read_rollout(database, held.id) == taken


async def test_many_claims_at_once_give_each_rollout_to_one_worker(database_url: str) -> None:
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):
        for number in range(6):
            await add_rollout(here, environment=f"prod-{number % 3}")
        claimed: list[Rollout] = []

        async def work(database: Database, owner: str) -> None:
            for _ in range(3):
                if rollout := await claim(database, owner):
                    claimed.append(rollout)

        async with asyncio.TaskGroup() as group:
            for number in range(4):
                group.create_task(work(here if number % 2 else there, f"worker-{number}"))

    assert sorted(rollout.id for rollout in claimed) == [1001, 1002, 1003]
    assert all(rollout.lease and rollout.lease.number == 1 for rollout in claimed)


async def test_two_takeovers_at_once_have_one_winner(database_url: str) -> None:
    async with (
        await open_database(database_url) as here,
        await open_database(database_url) as there,
    ):
        await add_rollout(here)
        await claim_one(here)
        taken: list[Rollout | None] = []

        async def take(database: Database, owner: str) -> None:
            taken.append(await claim(database, owner, hours=1))

        async with asyncio.TaskGroup() as group:
            group.create_task(take(here, "two"))
            group.create_task(take(there, "three"))

    winners = [rollout for rollout in taken if rollout is not None]
    assert len(winners) == 1
    assert winners[0].lease is not None
    assert winners[0].lease.number == 2


async def test_a_claim_passes_over_a_row_that_somebody_holds(
    postgres_server: PostgresServer,
) -> None:
    """On PostgreSQL; on SQLite writers run one after another anyway."""
    async with await open_database(postgres_server.create()) as database:
        held = await add_rollout(database)
        free = await add_rollout(database, environment="staging")
        async with database.store.transaction() as tx:
            await tx.rollouts.get(held.id, lock=True)
            async with asyncio.timeout(5):
                assert (await claim_one(database)).id == free.id
