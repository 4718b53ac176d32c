"""One row that this version cannot read, from a newer one or damaged, must not stop the others."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import pytest

from operations.deployment.rollout import HistoryQuery, Rollout, RolloutState
from operations.errors import StorageError
from storage.database import Database
from tests.contract.databases import add_rollout, run_sql
from tests.factories import NOON

pytest_plugins = ("tests.contract.database_fixtures",)

HOUR = timedelta(hours=1)


def damage(url: str, rollout: Rollout) -> None:
    """As a version of the future may write it."""
    run_sql(url, f"UPDATE rollouts SET kind = 'ponder' WHERE id = {rollout.id}")  # noqa: S608 - a number


async def claim(database: Database) -> Rollout | None:
    return await database.rollout_queue.claim("worker", NOON, NOON + HOUR)


async def test_a_worker_passes_over_it_and_says_so_once(
    database: Database, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    strange = await add_rollout(database, project="strange")
    plain = await add_rollout(database)
    damage(database_url, strange)

    with caplog.at_level(logging.ERROR, "hms.storage"):
        found = await claim(database)
        assert await claim(database) is None

    assert found is not None
    assert found.id == plain.id
    assert [strange.name in record.message for record in caplog.records] == [True]


async def test_it_stays_as_it_is_for_who_can_read_it(database: Database, database_url: str) -> None:
    strange = await add_rollout(database, project="strange")
    damage(database_url, strange)
    await claim(database)

    run_sql(database_url, f"UPDATE rollouts SET kind = 'deploy' WHERE id = {strange.id}")  # noqa: S608 - a number
    async with database.store.snapshot() as tx:
        assert await tx.rollouts.get(strange.id) == strange


async def test_nobody_turns_in_a_circle_over_it(database: Database, database_url: str) -> None:
    damage(database_url, await add_rollout(database))
    await claim(database)
    loop = asyncio.get_running_loop()
    begun = loop.time()

    await database.rollout_queue.wait(0.4)

    assert loop.time() - begun >= 0.39


async def test_history_shows_the_others_page_by_page(database: Database, database_url: str) -> None:
    added = [await add_rollout(database, state=RolloutState.SUCCEEDED) for _ in range(4)]
    damage(database_url, added[2])

    async with database.store.snapshot() as tx:
        first = await tx.rollouts.search(HistoryQuery(limit=2))
        second = await tx.rollouts.search(HistoryQuery(limit=2, before=first.next))

    assert [each.id for each in first.rollouts] == [added[3].id]
    assert [each.id for each in second.rollouts] == [added[1].id, added[0].id]
    assert second.next is None


async def test_who_asks_for_it_hears_why_it_cannot_be_shown(
    database: Database, database_url: str
) -> None:
    strange = await add_rollout(database)
    damage(database_url, strange)

    async with database.store.snapshot() as tx:
        with pytest.raises(StorageError, match=f"{strange.name} cannot be read"):
            await tx.rollouts.get(strange.id)
