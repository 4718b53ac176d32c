"""What is kept of keyed requests, on both databases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from operations.deployment.keyed_requests import KeyedRequests, RequestKey
from operations.deployment.repeats import Repeat
from operations.deployment.requests import DeployRequest
from operations.deployment.rollout import HistoryQuery
from operations.errors import StorageError, VersionConflict
from storage.database import Database
from tests.contract.databases import make_draft
from tests.factories import ALICE, NOON, make_catalog
from tests.fakes_deployment import ScriptedProvider
from tests.workshops import ShiftedClock, make_deployments

pytest_plugins = ("tests.contract.database_fixtures",)

ASKED = Repeat(
    component="component:hms-dev",
    key="ticket-7",
    body_hash="abc",
    answer='{"id": "D-1001", "reason": "größer"}',
    rollout_id=1001,
    at=NOON,
)


async def add(database: Database, repeat: Repeat) -> None:
    async with database.store.transaction() as tx:
        await tx.repeats.add(repeat)


async def read(database: Database, component: str, key: str) -> Repeat | None:
    async with database.store.snapshot() as tx:
        return await tx.repeats.get(component, key)


async def test_what_was_never_asked_is_not_known(database: Database) -> None:
    assert await read(database, ASKED.component, ASKED.key) is None


async def test_everything_comes_back_as_it_was_added(database: Database) -> None:
    await add(database, ASKED)

    assert await read(database, ASKED.component, ASKED.key) == ASKED


async def test_keys_are_each_component_s_own(database: Database) -> None:
    await add(database, ASKED)
    await add(database, replace(ASKED, component="component:other", rollout_id=1002))

    assert await read(database, ASKED.component, ASKED.key) == ASKED


async def test_the_same_key_again_is_a_conflict_and_changes_nothing(database: Database) -> None:
    await add(database, ASKED)

    with pytest.raises(VersionConflict):
        await add(database, replace(ASKED, answer="another"))

    assert await read(database, ASKED.component, ASKED.key) == ASKED


async def test_of_two_at_once_one_rollout_is_left(database: Database) -> None:
    async def ask() -> bool:
        try:
            async with database.store.transaction() as tx:
                rollout = await tx.rollouts.add(make_draft())
                await tx.repeats.add(replace(ASKED, rollout_id=rollout.id))
        except VersionConflict:
            return False
        return True

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask()) for _ in range(4)]

    assert sorted(task.result() for task in tasks) == [False, False, False, True]
    async with database.store.snapshot() as tx:
        assert len(await tx.rollouts.waiting("myapp", "prod")) == 1


async def test_keyed_requests_at_once_make_one_rollout_and_hear_the_same(
    database: Database,
) -> None:
    clock = ShiftedClock()
    deployments = make_deployments(make_catalog(), ScriptedProvider(), database, None, clock)
    keyed = KeyedRequests(
        deployments.requests, database.store, clock, lambda rollout: f"{rollout.name}"
    )
    wish = DeployRequest(project="myapp", environment="staging", version="1.1")
    key = RequestKey("ticket-7", "abc")

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(keyed.request(wish, ALICE, key)) for _ in range(6)]

    assert len({task.result() for task in tasks}) == 1
    history = await deployments.inquiries.history(HistoryQuery(limit=20))
    assert [rollout.name for rollout in history.rollouts] == [tasks[0].result()]


async def test_old_ones_are_forgotten_and_young_ones_kept(database: Database) -> None:
    await add(database, ASKED)
    await add(database, replace(ASKED, key="young", at=NOON + timedelta(hours=1)))

    async with database.store.transaction() as tx:
        await tx.repeats.forget(NOON + timedelta(minutes=1))

    assert await read(database, ASKED.component, ASKED.key) is None
    assert await read(database, ASKED.component, "young") is not None


async def test_a_reading_transaction_adds_nothing(database: Database) -> None:
    with pytest.raises(StorageError):
        async with database.store.snapshot() as tx:
            await tx.repeats.add(ASKED)
