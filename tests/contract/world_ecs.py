"""ECS's world: a service of two tasks with a circuit breaker, its image in ECR."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from bot.clock import SystemClock
from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Handle, Progress
from operations.deployment.release import Release
from operations.deployment.target import Target
from providers.aws import EcsProvider
from providers.specs import EcsSpec
from sandbox.ecs import EcsStandIn

PACE = 0.08
PATIENCE = 15.0
CLUSTER, SERVICE, REPOSITORY = "main", "myapp", "acme/myapp"


class EcsWorld:
    """See World."""

    first = "1.0"
    good = "1.1"
    bad = "1.2-bad"
    slow = "1.3-slow"
    missing: str | None = "9.9"

    def __init__(self, ecs: EcsStandIn, provider: EcsProvider) -> None:
        self.ecs = ecs
        self.provider = provider
        self.target = ecs_target(ecs)

    async def serving(self) -> str:
        """The tag whose tasks run."""
        return self.ecs.serving(CLUSTER, SERVICE)

    async def changes(self) -> int:
        """Registered revisions, service updates and stopped deployments."""
        changing = ("RegisterTaskDefinition", "UpdateService", "StopServiceDeployment")
        return sum(self.ecs.calls[operation] for operation in changing)

    async def break_down(self) -> None:
        """AWS hangs up on everybody."""
        self.ecs.faults.down = True

    async def recover(self) -> None:
        """AWS is back."""
        self.ecs.faults.down = False


def ecs_target(ecs: EcsStandIn, service: str = SERVICE, **spec: object) -> Target:
    """A target on a service of the stand-in."""
    fields: dict[str, object] = {
        "provider": "aws",
        "region": ecs.region,
        "cluster": CLUSTER,
        "service": service,
        "image": REPOSITORY,
        **spec,
    }
    return Target(
        project="myapp",
        environment="prod",
        spec=EcsSpec.model_validate(fields),
        timeout=timedelta(seconds=5),
    )


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """AWS's variables, and no profile of the person who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL_ECS", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        for name, value in variables.items():
            patch.setenv(name, value)
        yield


async def eventually(condition: Callable[[], bool], *, seconds: float = 15.0) -> None:
    """Look again and again until it holds."""
    async with asyncio.timeout(seconds):
        for wait in itertools.repeat(0.01):
            if condition():
                return
            await asyncio.sleep(wait)


@asynccontextmanager
async def open_world(
    *, pace: float = PACE, breaker: bool = True, unreachable: float = 5.0
) -> AsyncIterator[EcsWorld]:
    """The stand-in with one service, and the real adapter."""
    with EcsStandIn(pace=pace) as ecs, environment(ecs.environment()):
        ecs.add_service(CLUSTER, SERVICE, REPOSITORY, EcsWorld.first, desired=2, breaker=breaker)
        for tag in (EcsWorld.good, EcsWorld.bad, EcsWorld.slow, "1.4-crash"):
            ecs.push_image(REPOSITORY, tag)
        provider = EcsProvider(
            clock=SystemClock(), poll_seconds=0.05, unreachable_seconds=unreachable
        )
        try:
            yield EcsWorld(ecs, provider)
        finally:
            await provider.close()
        assert ecs.unexpected == []


async def order(world: EcsWorld, version: str) -> StartOrder:
    """The order to ship a version."""
    release = (await world.provider.resolve(world.target, version)).release
    return StartOrder(
        target=world.target,
        release=release,
        key="D-1042",
        cause="D-1042 by alice",
        intended_at=datetime.now(UTC),
    )


async def start(world: EcsWorld, version: str) -> Handle:
    """Ship a version; what to follow."""
    return (await world.provider.start(await order(world, version))).handle


async def follow(world: EcsWorld, handle: Handle) -> Progress:
    """The observation with the verdict."""
    async with asyncio.timeout(PATIENCE):
        async for seen in world.provider.follow(world.target, handle):
            if seen.verdict is not None:
                return seen
    raise AssertionError("the stream ended without a verdict")


async def until_primary_is_complete(world: EcsWorld) -> None:
    """Wait until ECS is done, be it with the former version."""

    def is_complete() -> bool:
        return world.ecs.service(CLUSTER, SERVICE).primary.rollout_state == "COMPLETED"

    await eventually(is_complete)


def way_back(world: EcsWorld, handle: Handle | None, previous: Release) -> RestoreOrder:
    """The order to bring a release back."""
    return RestoreOrder(
        target=world.target,
        previous=previous,
        handle=handle,
        key="D-1042",
        cause="way back",
        intended_at=datetime.now(UTC),
    )


async def first_release(world: EcsWorld) -> Release:
    """What serves now."""
    current = (await world.provider.resolve(world.target, "")).current
    assert current is not None
    return current


def text_of(seen: Progress) -> str:
    """All that is told of a failure."""
    assert seen.failure is not None
    return "\n".join((seen.failure.summary, seen.failure.reason, *seen.failure.evidence))
