"""Many rollouts in one cluster cost few calls, and nobody depends on the one who asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from operations.deployment.ports import StartOrder
from operations.deployment.progress import Handle, Verdict
from operations.deployment.target import Target
from tests.contract.world_ecs import CLUSTER, REPOSITORY, EcsWorld, ecs_target, open_world

FLEET = 100
CALLS_A_ROUND = 12


@pytest.fixture
async def world() -> AsyncIterator[EcsWorld]:
    async with open_world(pace=0.3) as opened:
        yield opened


async def ship(world: EcsWorld, target: Target, version: str) -> Handle:
    release = (await world.provider.resolve(target, version)).release
    started = await world.provider.start(
        StartOrder(
            target=target,
            release=release,
            key=f"D-{target.spec.title}",
            cause="fleet",
            intended_at=datetime.now(UTC),
        )
    )
    return started.handle


async def test_a_hundred_rollouts_are_read_ten_services_a_call(world: EcsWorld) -> None:
    names = [f"s{number}" for number in range(FLEET)]
    for name in names:
        world.ecs.add_service(CLUSTER, name, REPOSITORY, "1.0", 1)
    one = ecs_target(world.ecs, names[0])
    handle = await ship(world, one, "1.3-slow")
    everyone = asyncio.Barrier(FLEET + 1)

    async def follow_one(name: str) -> None:
        mine = {**handle, "service": name, "serviceDeploymentArn": ""}
        stream = world.provider.follow(ecs_target(world.ecs, name), mine)
        async for _ in stream:
            await everyone.wait()
            break

    before = world.ecs.calls["DescribeServices"]
    async with asyncio.timeout(30), asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(follow_one(name))
        await everyone.wait()
    # The first follower may read alone before the others have come, so there are at most two rounds.
    assert world.ecs.calls["DescribeServices"] - before <= CALLS_A_ROUND + 1


async def test_the_others_go_on_when_the_one_who_reads_is_cancelled(world: EcsWorld) -> None:
    handle = await ship(world, world.target, EcsWorld.good)

    async def follow() -> Verdict | None:
        async for seen in world.provider.follow(world.target, handle):
            if seen.verdict is not None:
                return seen.verdict
        return None

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        first = group.create_task(follow())
        others = [group.create_task(follow()) for _ in range(3)]
        await asyncio.sleep(0.1)
        first.cancel()

    assert [task.result() for task in others] == [Verdict.SUCCEEDED] * 3
