"""From a version to a digest: ECR, other registries, and what is refused before anyone approves."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from operations.errors import InvalidRequest
from tests.contract.world_ecs import (
    CLUSTER,
    REPOSITORY,
    SERVICE,
    EcsWorld,
    ecs_target,
    open_world,
)


@pytest.fixture
async def world() -> AsyncIterator[EcsWorld]:
    async with open_world(pace=0.03) as opened:
        yield opened


async def test_a_tag_in_ecr_is_pinned_to_its_digest(world: EcsWorld) -> None:
    digest = world.ecs.push_image(REPOSITORY, "2.0")

    release = (await world.provider.resolve(world.target, "2.0")).release

    assert release.pin == digest
    assert release.artifact == f"{world.ecs.registry}/{REPOSITORY}@{digest}"


async def test_a_tag_that_was_pushed_again_is_another_artifact(world: EcsWorld) -> None:
    before = (await world.provider.resolve(world.target, "1.1")).release
    world.ecs.push_image(REPOSITORY, "1.1", content="hotfix")

    after = (await world.provider.resolve(world.target, "1.1")).release

    assert after.version == before.version
    assert after.pin != before.pin


async def test_an_unknown_tag_is_refused_with_those_that_are_known(world: EcsWorld) -> None:
    with pytest.raises(InvalidRequest, match=r"no image acme/myapp:9\.9") as caught:
        await world.provider.resolve(world.target, "9.9")

    assert "1.1" in caught.value.hint


async def test_a_digest_is_a_version_too(world: EcsWorld) -> None:
    digest = world.ecs.push_image(REPOSITORY, "2.0")

    assert (await world.provider.resolve(world.target, digest)).release.pin == digest


@pytest.mark.parametrize("version", ["1.0 && reboot", "../x", "sha256:12", "é"])
async def test_what_cannot_be_a_tag_is_refused(world: EcsWorld, version: str) -> None:
    with pytest.raises(InvalidRequest):
        await world.provider.resolve(world.target, version)


async def test_changes_tell_image_and_revision(world: EcsWorld) -> None:
    changes = (await world.provider.resolve(world.target, "1.1")).changes

    assert changes[0].startswith("image of container app: ")
    assert changes[1] == "task definition: myapp:1 → a new revision of myapp"


async def test_what_serves_is_told_with_the_digest_that_ecs_resolved(world: EcsWorld) -> None:
    """The service runs a tag; ECS itself knows what it was when the tasks were started."""
    world.ecs.push_image(REPOSITORY, "1.0", content="pushed over")

    resolution = await world.provider.resolve(world.target, "")

    assert resolution.current is not None
    assert resolution.current.version == "1.0"
    assert resolution.current.pin
    assert resolution.release == resolution.current


async def test_without_that_right_the_running_tag_is_resolved_now(world: EcsWorld) -> None:
    world.ecs.faults.deny_service_deployments()
    digest = world.ecs.push_image(REPOSITORY, "1.0", content="pushed over")

    resolution = await world.provider.resolve(world.target, "")

    assert resolution.release.pin == digest
    assert resolution.current is not None
    assert not resolution.current.is_pinned


async def test_another_registrys_tag_ships_unpinned_and_says_so(world: EcsWorld) -> None:
    world.ecs.add_service(CLUSTER, "hub", "registry.example.com/acme/hub", "1.0", 1)
    target = ecs_target(world.ecs, "hub", image=None)

    resolution = await world.provider.resolve(target, "1.1")

    assert resolution.release.artifact == "registry.example.com/acme/hub:1.1"
    assert not resolution.release.is_pinned
    assert any("mutable" in warning for warning in resolution.warnings)


async def test_a_plain_name_that_no_registry_of_ours_has_ships_unpinned(world: EcsWorld) -> None:
    release = (
        await world.provider.resolve(ecs_target(world.ecs, image="library/nginx"), "1.27")
    ).release

    assert release.artifact == "library/nginx:1.27"


async def test_a_service_without_a_breaker_is_a_warning(world: EcsWorld) -> None:
    world.ecs.add_service(CLUSTER, "plain", REPOSITORY, "1.0", 1, breaker=False)

    resolution = await world.provider.resolve(ecs_target(world.ecs, "plain"), "1.1")

    assert any("circuit breaker" in warning for warning in resolution.warnings)


async def test_a_deployment_in_progress_is_a_warning(world: EcsWorld) -> None:
    await world.provider.status(world.target)
    update = {"cluster": CLUSTER, "service": SERVICE, "forceNewDeployment": True}
    world.ecs.call("ecs", "UpdateService", update)

    resolution = await world.provider.resolve(world.target, "1.1")

    assert any("in progress" in warning for warning in resolution.warnings)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        pytest.param({"service": "nope"}, "no service nope", id="service"),
        pytest.param({"cluster": "nope"}, "no ECS cluster nope", id="cluster"),
        pytest.param({"container": "nope"}, "no container", id="container"),
    ],
)
async def test_what_is_not_there_is_named(
    world: EcsWorld, spec: dict[str, str], words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words):
        await world.provider.resolve(ecs_target(world.ecs, **spec), "1.1")
