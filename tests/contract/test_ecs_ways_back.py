"""Back to the former release on ECS: by its own rollback, by an update, and by a new revision."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from operations.deployment.progress import Verdict
from operations.errors import ProviderRejected
from tests.contract.world_ecs import (
    CLUSTER,
    SERVICE,
    EcsWorld,
    first_release,
    follow,
    open_world,
    start,
    way_back,
)


@pytest.fixture
async def world() -> AsyncIterator[EcsWorld]:
    async with open_world(pace=0.03) as opened:
        yield opened


@pytest.fixture(params=["with service deployments", "without service deployments"])
async def any_world(world: EcsWorld, request: pytest.FixtureRequest) -> EcsWorld:
    """The same must hold where the account may not use the service deployments API."""
    if request.param.startswith("without"):
        world.ecs.faults.deny_service_deployments()
    return world


async def test_aborting_asks_ecs_for_its_own_rollback(world: EcsWorld) -> None:
    previous = await first_release(world)
    handle = await start(world, EcsWorld.slow)

    back = await world.provider.restore(way_back(world, handle, previous))

    assert (await follow(world, back.handle)).verdict is Verdict.SUCCEEDED
    assert world.ecs.calls["StopServiceDeployment"] == 1
    assert world.ecs.calls["UpdateService"] == 1
    assert await world.serving() == "1.0"


async def test_aborting_without_that_right_updates_the_service_back(world: EcsWorld) -> None:
    world.ecs.faults.deny_service_deployments()
    previous = await first_release(world)
    handle = await start(world, EcsWorld.slow)

    back = await world.provider.restore(way_back(world, handle, previous))

    assert (await follow(world, back.handle)).verdict is Verdict.SUCCEEDED
    assert world.ecs.service(CLUSTER, SERVICE).task_definition.endswith(":1")


async def test_a_finished_rollout_goes_back_to_the_former_revision(any_world: EcsWorld) -> None:
    previous = await first_release(any_world)
    handle = await start(any_world, EcsWorld.good)
    await follow(any_world, handle)

    back = await any_world.provider.restore(way_back(any_world, handle, previous))

    assert (await follow(any_world, back.handle)).verdict is Verdict.SUCCEEDED
    assert await any_world.serving() == "1.0"
    assert any_world.ecs.calls["RegisterTaskDefinition"] == 1


async def test_the_way_back_is_found_without_a_handle(world: EcsWorld) -> None:
    previous = await first_release(world)
    await follow(world, await start(world, EcsWorld.good))

    back = await world.provider.restore(way_back(world, None, previous))

    assert (await follow(world, back.handle)).verdict is Verdict.SUCCEEDED
    assert await world.serving() == "1.0"
    assert world.ecs.calls["RegisterTaskDefinition"] == 1


async def test_a_way_back_that_nothing_needs_changes_nothing(world: EcsWorld) -> None:
    """The start was intended and never reached AWS."""
    previous = await first_release(world)

    back = await world.provider.restore(way_back(world, None, previous))

    assert (await follow(world, back.handle)).verdict is Verdict.SUCCEEDED
    assert await world.changes() == 0


async def test_a_former_revision_that_is_gone_is_made_again(world: EcsWorld) -> None:
    previous = await first_release(world)
    handle = await start(world, EcsWorld.good)
    await follow(world, handle)
    world.ecs.call("ecs", "DeregisterTaskDefinition", {"taskDefinition": f"{SERVICE}:1"})

    back = await world.provider.restore(way_back(world, handle, previous))

    assert (await follow(world, back.handle)).verdict is Verdict.SUCCEEDED
    assert await world.serving() == "1.0"
    assert world.ecs.service(CLUSTER, SERVICE).task_definition.endswith(":3")


async def test_what_somebody_else_deployed_since_is_not_undone(world: EcsWorld) -> None:
    previous = await first_release(world)
    handle = await start(world, EcsWorld.slow)
    definition = world.ecs.call("ecs", "DescribeTaskDefinition", {"taskDefinition": SERVICE})
    containers = definition["taskDefinition"]["containerDefinitions"]
    request = {"family": "other", "containerDefinitions": containers}
    other = world.ecs.call("ecs", "RegisterTaskDefinition", request)["taskDefinition"]
    theirs = other["taskDefinitionArn"]
    where = {"cluster": CLUSTER, "service": SERVICE}
    world.ecs.call("ecs", "UpdateService", {**where, "taskDefinition": theirs})

    with pytest.raises(ProviderRejected, match="another deployment took its place: other:1"):
        await world.provider.restore(way_back(world, handle, previous))

    assert world.ecs.service(CLUSTER, SERVICE).task_definition == theirs
