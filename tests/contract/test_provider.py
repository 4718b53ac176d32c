"""The one suite that every provider passes, each against its own stand-in over loopback."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol, cast

import pytest

from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Handle, Progress, Verdict
from operations.deployment.release import Release
from operations.errors import InvalidRequest, OperationError, ProviderError
from tests.contract.world_kubernetes import CLUSTERS, CONTROL_PLANE
from tests.contract.worlds import World

WORLDS = ("kubernetes", *((CONTROL_PLANE,) if CONTROL_PLANE in CLUSTERS else ()), "ecs", "forge")
PATIENCE = 20.0


class _WorldModule(Protocol):
    def open_world(self) -> AbstractAsyncContextManager[World]: ...


@pytest.fixture(params=WORLDS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    module = cast(_WorldModule, importlib.import_module(f"tests.contract.world_{request.param}"))
    async with module.open_world() as opened:
        yield opened


async def resolve(world: World, version: str) -> Release:
    return (await world.provider.resolve(world.target, version)).release


def order(world: World, release: Release, key: str = "D-1042") -> StartOrder:
    return StartOrder(
        target=world.target,
        release=release,
        key=key,
        cause=f"{key} by alice",
        intended_at=datetime.now(UTC),
    )


async def follow(world: World, handle: Handle) -> Progress:
    """The observation with the verdict."""
    async with asyncio.timeout(PATIENCE):
        async for seen in world.provider.follow(world.target, handle):
            if seen.verdict is not None:
                return seen
    raise AssertionError("the stream ended without a verdict")


async def ship(world: World, version: str, key: str = "D-1042") -> tuple[Handle, Progress]:
    started = await world.provider.start(order(world, await resolve(world, version), key))
    return started.handle, await follow(world, started.handle)


async def way_back(world: World, handle: Handle | None, previous: Release) -> RestoreOrder:
    return RestoreOrder(
        target=world.target,
        previous=previous,
        handle=handle,
        key="D-1042",
        cause="way back of D-1042",
        intended_at=datetime.now(UTC),
    )


async def test_a_version_is_resolved_to_a_pin(world: World) -> None:
    release = await resolve(world, world.good)

    assert release.version == world.good
    assert release.is_pinned


async def test_resolving_tells_what_serves_and_changes_nothing(world: World) -> None:
    resolution = await world.provider.resolve(world.target, world.good)

    assert resolution.current is not None
    assert resolution.current.version == world.first
    assert await world.changes() == 0


async def test_no_version_means_one_that_can_be_deployed(world: World) -> None:
    assert (await resolve(world, "")).version


async def test_a_version_that_is_known_not_to_exist_is_refused(world: World) -> None:
    if world.missing is None:
        pytest.skip("this platform cannot know")

    with pytest.raises(InvalidRequest):
        await resolve(world, world.missing)


async def test_a_good_version_ships_and_serves(world: World) -> None:
    _, seen = await ship(world, world.good)

    assert seen.verdict is Verdict.SUCCEEDED
    assert await world.serving() == world.good


async def test_starting_again_with_the_same_key_changes_nothing_more(world: World) -> None:
    first = order(world, await resolve(world, world.good))
    await world.provider.start(first)
    changes = await world.changes()

    again = await world.provider.start(replace(first, resumed=True))

    assert await world.changes() == changes
    assert (await follow(world, again.handle)).verdict is Verdict.SUCCEEDED


async def test_a_key_that_an_earlier_database_used_for_another_release_is_no_answer(
    world: World,
) -> None:
    if world.target.provider == "forge":
        pytest.skip("this adapter goes by time: nothing older than the intent can be its own")
    former = await resolve(world, world.first)
    await ship(world, world.good)

    started = await world.provider.start(order(world, former))
    seen = await follow(world, started.handle)

    assert seen.verdict is Verdict.SUCCEEDED
    assert await world.serving() == world.first


async def test_a_handle_is_flat_json_and_enough_to_go_on(world: World) -> None:
    started = await world.provider.start(order(world, await resolve(world, world.good)))
    stream = cast(
        AsyncGenerator[Progress, None], world.provider.follow(world.target, started.handle)
    )
    async with asyncio.timeout(PATIENCE), aclosing(stream):
        await anext(stream)

    restored = cast(Handle, json.loads(json.dumps(dict(started.handle))))

    assert (await follow(world, restored)).verdict is Verdict.SUCCEEDED


async def test_a_bad_version_fails_with_the_platforms_reason(world: World) -> None:
    _, seen = await ship(world, world.bad)

    assert seen.verdict in {Verdict.FAILED, Verdict.ROLLED_BACK}
    assert seen.failure is not None
    assert seen.failure.summary
    assert seen.failure.reason


async def test_the_former_release_comes_back_after_a_failure(world: World) -> None:
    previous = await resolve(world, world.first)
    handle, _ = await ship(world, world.bad)

    started = await world.provider.restore(await way_back(world, handle, previous))

    assert (await follow(world, started.handle)).verdict is Verdict.SUCCEEDED
    assert await world.serving() == world.first


async def test_restoring_twice_is_the_same_as_once(world: World) -> None:
    previous = await resolve(world, world.first)
    handle, _ = await ship(world, world.bad)
    back = await way_back(world, handle, previous)

    await world.provider.restore(back)
    again = await world.provider.restore(back)

    assert (await follow(world, again.handle)).verdict is Verdict.SUCCEEDED
    assert await world.serving() == world.first


async def test_a_rollout_under_way_is_stopped_where_the_platform_can(world: World) -> None:
    if not world.provider.capabilities.aborts:
        assert world.provider.capabilities.note
        return
    previous = await resolve(world, world.first)
    started = await world.provider.start(order(world, await resolve(world, world.slow)))

    back = await world.provider.restore(await way_back(world, started.handle, previous))

    assert (await follow(world, back.handle)).verdict is Verdict.SUCCEEDED
    assert await world.serving() == world.first


async def test_progress_is_told_before_the_verdict(world: World) -> None:
    started = await world.provider.start(order(world, await resolve(world, world.good)))
    seen = []
    async with asyncio.timeout(PATIENCE):
        async for progress in world.provider.follow(world.target, started.handle):
            seen.append(progress)
            if progress.verdict is not None:
                break

    assert seen[0].verdict is None
    assert seen[0].activity


async def test_what_a_slow_rollout_waits_for_can_be_explained(world: World) -> None:
    started = await world.provider.start(order(world, await resolve(world, world.slow)))

    failure = await world.provider.explain(world.target, started.handle)

    assert failure.summary


async def test_status_tells_what_serves(world: World) -> None:
    health = await world.provider.status(world.target)

    assert health.version == world.first
    assert health.state == "healthy"


async def test_logs_are_lines(world: World) -> None:
    lines = await world.provider.logs(world.target, lines=5, since=None)

    assert len(lines) <= 5
    assert all("\n" not in line for line in lines)


async def test_a_platform_that_is_down_is_our_error_with_its_cause(world: World) -> None:
    await world.break_down()

    with pytest.raises(ProviderError) as caught:
        await resolve(world, world.good)

    assert caught.value.__cause__ is not None
    await world.recover()


async def test_a_platform_that_comes_back_in_time_is_followed_to_the_end(world: World) -> None:
    started = await world.provider.start(order(world, await resolve(world, world.good)))
    await world.break_down()

    async with asyncio.TaskGroup() as group:
        following = group.create_task(follow(world, started.handle))
        for _ in range(20):
            await asyncio.sleep(0)
        await world.recover()

    assert following.result().verdict is Verdict.SUCCEEDED


async def test_errors_are_sentences_without_secrets(world: World) -> None:
    await world.break_down()

    with pytest.raises(OperationError) as caught:
        await world.provider.status(world.target)

    assert caught.value.message.endswith((".", "…", "!", "?"))
    assert "Bearer" not in caught.value.message
    await world.recover()
