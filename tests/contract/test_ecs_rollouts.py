"""What only ECS does: breakers, service deployments, lost answers and stopped tasks, on the stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from operations.deployment.progress import Verdict
from operations.errors import OutcomeUnknown, ProviderRejected, ProviderUnavailable
from tests.contract.world_ecs import (
    CLUSTER,
    REPOSITORY,
    SERVICE,
    EcsWorld,
    ecs_target,
    eventually,
    first_release,
    follow,
    open_world,
    order,
    start,
    text_of,
    until_primary_is_complete,
)

SERVICE_PARAMS = {"cluster": CLUSTER, "service": SERVICE}


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


@pytest.fixture
async def world_without_breaker() -> AsyncIterator[EcsWorld]:
    async with open_world(pace=0.03, breaker=False) as opened:
        yield opened


async def test_a_breakers_rollback_is_told_as_one(any_world: EcsWorld) -> None:
    seen = await follow(any_world, await start(any_world, EcsWorld.bad))

    assert seen.verdict is Verdict.ROLLED_BACK
    assert seen.failure is not None
    assert seen.failure.summary == "The image of container app cannot be pulled."
    assert "CannotPullContainerError" in seen.failure.reason
    assert "circuit breaker" in text_of(seen) or "deployment failed" in text_of(seen)


async def test_a_rollback_that_was_over_before_anyone_looked_is_no_success(
    any_world: EcsWorld,
) -> None:
    handle = await start(any_world, EcsWorld.bad)
    await until_primary_is_complete(any_world)

    assert (await follow(any_world, handle)).verdict is Verdict.ROLLED_BACK


async def test_a_crash_brings_its_exit_code_and_the_logs_tail(world: EcsWorld) -> None:
    seen = await follow(world, await start(world, "1.4-crash"))

    assert seen.failure is not None
    assert seen.failure.summary == "Container app ended with exit code 1."
    assert "KeyError: 'DATABASE_URL'" in text_of(seen)


async def test_without_a_breaker_stopped_tasks_are_the_evidence(
    world_without_breaker: EcsWorld,
) -> None:
    """ECS itself would go on for ever."""
    world = world_without_breaker
    seen = await follow(world, await start(world, EcsWorld.bad))

    assert seen.verdict is Verdict.FAILED
    assert world.ecs.service(CLUSTER, SERVICE).primary.rollout_state == "IN_PROGRESS"
    assert "CannotPullContainerError" in text_of(seen)


async def test_another_ones_deployment_in_its_place_is_unknown(any_world: EcsWorld) -> None:
    handle = await start(any_world, EcsWorld.slow)
    definition = any_world.ecs.call(
        "ecs", "DescribeTaskDefinition", {"taskDefinition": SERVICE, "include": ["TAGS"]}
    )["taskDefinition"]
    other = any_world.ecs.call(
        "ecs",
        "RegisterTaskDefinition",
        {"family": "other", "containerDefinitions": definition["containerDefinitions"]},
    )["taskDefinition"]["taskDefinitionArn"]
    any_world.ecs.call("ecs", "UpdateService", {**SERVICE_PARAMS, "taskDefinition": other})

    seen = await follow(any_world, handle)

    assert seen.verdict is Verdict.UNKNOWN
    assert "other:1" in text_of(seen)


async def test_a_deployment_that_a_person_stopped_is_cancelled(world: EcsWorld) -> None:
    handle = await start(world, EcsWorld.slow)
    world.ecs.call(
        "ecs",
        "StopServiceDeployment",
        {"serviceDeploymentArn": handle["serviceDeploymentArn"], "stopType": "ROLLBACK"},
    )

    assert (await follow(world, handle)).verdict is Verdict.CANCELLED


@pytest.mark.parametrize("operation", ["RegisterTaskDefinition", "UpdateService"])
async def test_a_lost_answer_is_unknown_and_the_change_is_found_again(
    world: EcsWorld, operation: str
) -> None:
    first = await order(world, EcsWorld.good)
    world.ecs.faults.lose_answer(operation)
    with pytest.raises(OutcomeUnknown):
        await world.provider.start(first)

    again = await world.provider.start(replace(first, resumed=True))

    assert (await follow(world, again.handle)).verdict is Verdict.SUCCEEDED
    assert world.ecs.calls["RegisterTaskDefinition"] == 1
    assert world.ecs.calls["UpdateService"] == 1


async def test_a_change_that_was_rolled_back_meanwhile_is_not_made_again(
    any_world: EcsWorld,
) -> None:
    first = await order(any_world, EcsWorld.bad)
    await any_world.provider.start(first)
    await until_primary_is_complete(any_world)

    again = await any_world.provider.start(replace(first, resumed=True))

    assert any_world.ecs.calls["UpdateService"] == 1
    assert (await follow(any_world, again.handle)).verdict is Verdict.ROLLED_BACK


async def test_throttling_is_survived(world: EcsWorld) -> None:
    first = await order(world, EcsWorld.good)
    world.ecs.faults.throttle(1)
    started = await world.provider.start(first)
    world.ecs.faults.throttle(2)

    assert (await follow(world, started.handle)).verdict is Verdict.SUCCEEDED


async def test_a_throttled_change_is_made_once_in_the_end(world: EcsWorld) -> None:
    """AWS says that it did not take it, so it is safe to ask again."""
    first = await order(world, EcsWorld.good)
    world.ecs.faults.throttle(2, "UpdateService")

    started = await world.provider.start(first)

    assert world.ecs.calls["UpdateService"] == 3
    assert (await follow(world, started.handle)).verdict is Verdict.SUCCEEDED


async def test_aws_that_stays_away_is_given_up() -> None:
    async with open_world(pace=0.03, unreachable=0.5) as world:
        handle = await start(world, EcsWorld.slow)
        world.ecs.faults.down = True

        with pytest.raises(ProviderUnavailable):
            await follow(world, handle)


@pytest.mark.parametrize("controller", ["CODE_DEPLOY", "EXTERNAL"])
async def test_a_service_of_another_controller_is_refused(world: EcsWorld, controller: str) -> None:
    world.ecs.add_service(CLUSTER, "green", REPOSITORY, "1.0", 1, controller=controller)
    target = ecs_target(world.ecs, "green")

    with pytest.raises(ProviderRejected, match=controller):
        await world.provider.resolve(target, EcsWorld.good)
    with pytest.raises(ProviderRejected, match=controller):
        await world.provider.start(replace(await order(world, EcsWorld.good), target=target))


async def test_the_new_revision_differs_in_one_image_and_our_tags(world: EcsWorld) -> None:
    def described(revision: int) -> dict[str, object]:
        answer = world.ecs.call(
            "ecs",
            "DescribeTaskDefinition",
            {"taskDefinition": f"{SERVICE}:{revision}", "include": ["TAGS"]},
        )
        return {**answer["taskDefinition"], "tags": answer["tags"]}

    first = await order(world, EcsWorld.good)
    started = await world.provider.start(first)

    old, new = described(1), described(2)
    changed = {key for key in old | new if old.get(key) != new.get(key)}
    assert changed == {"taskDefinitionArn", "revision", "containerDefinitions", "tags"}
    assert {"key": "team", "value": "platform"} in new["tags"]  # type: ignore[operator]
    assert {"key": "hms-sys:rollout", "value": "D-1042"} in new["tags"]  # type: ignore[operator]
    assert {"key": "hms-sys:version", "value": "1.1"} in new["tags"]  # type: ignore[operator]
    assert first.release.artifact in str(new["containerDefinitions"])
    assert started.summary == "Task definition myapp:2"


async def test_what_serves_after_a_rollout_is_told_by_its_version(world: EcsWorld) -> None:
    await follow(world, await start(world, EcsWorld.good))

    health = await world.provider.status(world.target)
    current = await first_release(world)

    assert (health.version, health.state) == ("1.1", "healthy")
    assert current.version == "1.1"
    assert "@sha256:" in current.artifact


async def test_logs_are_the_newest_lines_oldest_first(world: EcsWorld) -> None:
    await follow(world, await start(world, "1.4-crash"))

    lines = await world.provider.logs(world.target, lines=2, since=None)

    assert list(lines) == ["    settings = load_settings()", "KeyError: 'DATABASE_URL'"]


async def test_an_explanation_names_what_stopped_the_tasks(
    world_without_breaker: EcsWorld,
) -> None:
    world = world_without_breaker
    handle = await start(world, EcsWorld.bad)
    await eventually(lambda: bool(world.ecs.service(CLUSTER, SERVICE).stopped))

    failure = await world.provider.explain(world.target, handle)

    assert "CannotPullContainerError" in failure.reason
