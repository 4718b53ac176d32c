"""What stands on many targets at once: what is being carried out, and what went live last."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from operations.deployment.release import Release
from operations.deployment.rollout import Phase, Rollout, RolloutState
from storage.database import Database
from tests.contract.databases import add_rollout, save_rollout
from tests.contract.test_storage_imports import old_rollout
from tests.factories import NEW, NOON

pytest_plugins = ("tests.contract.database_fixtures",)

LIVE, PROD, STAGING = RolloutState.SUCCEEDED, ("myapp", "prod"), ("myapp", "staging")


async def became(
    database: Database,
    state: RolloutState,
    version: str,
    environment: str = "prod",
    **changes: object,
) -> Rollout:
    """One more rollout, which got so far."""
    release: Release = replace(NEW, version=version)
    rollout = await add_rollout(database, release=release, environment=environment, **changes)
    ended = None if state is RolloutState.RUNNING else NOON + timedelta(minutes=2)
    phase = Phase.FOLLOWING if ended is None else Phase.DONE
    return await save_rollout(
        database, replace(rollout, state=state, phase=phase, started_at=NOON, ended_at=ended)
    )


async def versions(database: Database, *places: tuple[str, str]) -> set[tuple[str, str]]:
    async with database.store.snapshot() as tx:
        return {(found.place[1], found.version) for found in await tx.standings.among(places)}


async def test_what_went_live_last_stands_on_each_target(database: Database) -> None:
    await became(database, LIVE, "9.9")
    await became(database, LIVE, "1.0")
    await became(database, RolloutState.FAILED, "2.0")
    await became(database, LIVE, "3.0", "staging")
    await became(database, LIVE, "4.0", "test")

    assert await versions(database, PROD, STAGING) == {("prod", "1.0"), ("staging", "3.0")}


async def test_what_is_being_carried_out_stands_beside_it(database: Database) -> None:
    live = await became(database, LIVE, "1.0")
    active = await became(database, RolloutState.RUNNING, "1.1")
    await became(database, RolloutState.RUNNING, "1.1", "staging")

    async with database.store.snapshot() as tx:
        found = {standing.name: standing for standing in await tx.standings.among([PROD])}

    assert set(found) == {live.name, active.name}
    assert (found[active.name].started_at, found[active.name].ended_at) == (NOON, None)
    assert found[live.name].ended_at == NOON + timedelta(minutes=2)
    assert found[live.name].channel == "C01GEN"


async def test_what_another_tool_shipped_and_what_only_waits_stands_nowhere(
    database: Database,
) -> None:
    await database.imports.add([old_rollout(1)])
    await add_rollout(database)

    assert await versions(database, PROD) == set()
    assert await versions(database) == set()
