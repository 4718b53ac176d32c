"""Which rollout an alert names."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.surroundings import RolloutSurroundings
from operations.deployment.rollout import Rollout, RolloutState
from tests.workshops import Engine, open_engine

HALF_AN_HOUR = timedelta(minutes=30)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """myapp/staging, which takes rollouts without votes."""
    async with open_engine(tmp_path) as opened:
        yield opened


async def _became(
    engine: Engine, state: RolloutState, *, ended_ago: timedelta | None = None, begun: bool = True
) -> Rollout:
    """One more rollout of myapp/staging that got so far."""
    asked = await engine.ask()
    now = engine.clock.now()
    ended = now - ended_ago if ended_ago is not None else None
    started = (ended or now) - timedelta(minutes=2) if begun else None
    async with engine.database.store.transaction() as tx:
        rollout = await tx.rollouts.get(asked.id, lock=True)
        assert rollout is not None
        return await tx.rollouts.save(
            replace(rollout, state=state, started_at=started, ended_at=ended)
        )


async def _named(engine: Engine, environment: str = "staging", project: str = "myapp") -> str:
    since: datetime = engine.clock.now() - HALF_AN_HOUR
    surroundings = RolloutSurroundings(engine.deployments.inquiries)
    return await surroundings.rollout_at(project, environment, since)


async def test_nothing_was_ever_shipped(engine: Engine) -> None:
    assert await _named(engine) == ""


async def test_one_that_ended_a_moment_ago(engine: Engine) -> None:
    await _became(engine, RolloutState.SUCCEEDED, ended_ago=timedelta(minutes=12))
    assert await _named(engine) == "D-1001"


async def test_one_that_ended_long_ago(engine: Engine) -> None:
    await _became(engine, RolloutState.SUCCEEDED, ended_ago=timedelta(minutes=31))
    assert await _named(engine) == ""


async def test_a_failed_one_may_have_broken_it_too(engine: Engine) -> None:
    await _became(engine, RolloutState.FAILED, ended_ago=timedelta(minutes=1))
    assert await _named(engine) == "D-1001"


async def test_one_that_never_started_has_touched_nothing(engine: Engine) -> None:
    await _became(engine, RolloutState.SUCCEEDED, ended_ago=timedelta(minutes=5))
    await _became(engine, RolloutState.CANCELLED, ended_ago=timedelta(minutes=1), begun=False)
    assert await _named(engine) == "D-1001"


async def test_what_is_under_way_goes_before_what_has_ended(engine: Engine) -> None:
    await _became(engine, RolloutState.SUCCEEDED, ended_ago=timedelta(minutes=5))
    await _became(engine, RolloutState.RUNNING)
    assert await _named(engine) == "D-1002"


async def test_what_goes_on_elsewhere_is_not_named(engine: Engine) -> None:
    await _became(engine, RolloutState.RUNNING)
    assert await _named(engine, "prod") == ""


async def test_a_target_that_is_not_configured(engine: Engine) -> None:
    assert await _named(engine, "prod", "HMS-SYS") == ""
