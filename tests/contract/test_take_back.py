"""A card's Roll back takes back what the card shows and nothing newer; tried on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from operations.deployment.rollout import Phase, Rollout, RolloutKind, RolloutState
from operations.deployment.service import Deployments
from operations.errors import StaleDecision, StorageError
from storage.database import Database
from tests.contract.databases import add_rollout, read_rollout, save_rollout
from tests.factories import ALICE, NEW, NOON, OLD, make_catalog
from tests.fakes_deployment import ScriptedProvider
from tests.workshops import ShiftedClock, make_deployments

pytest_plugins = ("tests.contract.database_fixtures",)

NEWER = replace(NEW, version="1.2", artifact="acme/myapp@sha256:ccc", pin="sha256:ccc")
MINUTE = timedelta(minutes=1)


def over(database: Database) -> Deployments:
    return make_deployments(make_catalog(), ScriptedProvider(), database, None, ShiftedClock())


async def a_live_one(database: Database) -> Rollout:
    """What the card with the button shows: 1.1 took the place of 1.0."""
    return await add_rollout(database, release=NEW, previous=OLD, state=RolloutState.SUCCEEDED)


async def test_what_serves_is_taken_back(database: Database) -> None:
    live = await a_live_one(database)

    asked = await over(database).requests.take_back(live.id, ALICE)

    assert (asked.rollout.kind, asked.rollout.release) == (RolloutKind.ROLLBACK, OLD)
    assert asked.rollout.reason == f"takes {live.name} back"


async def test_what_waits_for_the_target_gives_way(database: Database) -> None:
    live = await a_live_one(database)
    newer = await add_rollout(database, release=NEWER, previous=NEW)

    asked = await over(database).requests.take_back(live.id, ALICE)

    assert [each.id for each in asked.superseded] == [newer.id]


async def test_nothing_is_taken_back_while_something_newer_is_on_its_way(
    database: Database,
) -> None:
    live = await a_live_one(database)
    newer = await add_rollout(database, release=NEWER, previous=NEW, state=RolloutState.RUNNING)

    with pytest.raises(StaleDecision, match=f"{newer.name} .* is on its way"):
        await over(database).requests.take_back(live.id, ALICE)


async def test_a_release_that_goes_live_at_the_same_moment_is_not_taken_back(
    database: Database,
) -> None:
    deployments = over(database)
    for _ in range(10):
        live = await a_live_one(database)
        newer = await add_rollout(database, release=NEWER, previous=NEW, state=RolloutState.RUNNING)
        done = replace(newer, state=RolloutState.SUCCEEDED, phase=Phase.DONE, ended_at=NOON)

        async with asyncio.TaskGroup() as group:
            group.create_task(save_rollout(database, done))
            asked = group.create_task(_refusal(deployments, live))

        assert newer.name in asked.result()


async def test_of_a_worker_that_begins_and_a_click_one_wins(database: Database) -> None:
    deployments = over(database)
    for _ in range(10):
        live = await a_live_one(database)
        newer = await add_rollout(database, release=NEWER, previous=NEW)

        async with asyncio.TaskGroup() as group:
            claimed = group.create_task(
                database.rollout_queue.claim("worker", NOON, NOON + MINUTE, only=newer.id)
            )
            asked = group.create_task(_refusal(deployments, live))

        was_taken_back = not asked.result()
        found = await read_rollout(database, newer.id)
        assert was_taken_back == (found.state is RolloutState.CANCELLED)
        assert was_taken_back == (claimed.result() is None)
        await _clear(database, newer)


async def _refusal(deployments: Deployments, rollout: Rollout) -> str:
    """Press Roll back; why it was refused, "" when it was not."""
    try:
        await deployments.requests.take_back(rollout.id, ALICE)
    except StaleDecision as exc:
        return exc.message
    except StorageError as exc:
        raise AssertionError("the click met a fault of the database") from exc
    return ""


async def _clear(database: Database, newer: Rollout) -> None:
    """Nothing active and nothing waiting for the next round."""
    async with database.store.transaction() as tx:
        waiting = await tx.rollouts.waiting(newer.project, newer.environment)
        active = await tx.rollouts.active(newer.project, newer.environment)
        for each in [*waiting, *([active] if active else [])]:
            ended = replace(each, state=RolloutState.CANCELLED, phase=Phase.DONE, ended_at=NOON)
            await tx.rollouts.save(ended)
