"""What the central log hears of rollouts: what runs, and what changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.releases import RolloutReleases
from operations.deployment.rollout import Rollout, RolloutState
from operations.monitoring.errors.ports import Running
from tests.workshops import Engine, open_engine

MINUTE = timedelta(minutes=1)
TOOK = timedelta(minutes=2)


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
    started = (ended or now) - TOOK if begun else None
    async with engine.database.store.transaction() as tx:
        rollout = await tx.rollouts.get(asked.id, lock=True)
        assert rollout is not None
        return await tx.rollouts.save(
            replace(rollout, state=state, started_at=started, ended_at=ended)
        )


def _releases(engine: Engine) -> RolloutReleases:
    return RolloutReleases(engine.deployments.inquiries, engine.database.store, engine.clock)


async def _running(engine: Engine, project: str = "myapp") -> Running:
    place = (project, "staging")
    return (await _releases(engine).running([place]))[place]


async def test_nothing_is_known_of_a_target_without_rollouts_or_of_none(engine: Engine) -> None:
    assert await _running(engine) == Running()
    assert await _running(engine, "HMS-SYS") == Running()


async def test_what_went_live_last_runs(engine: Engine) -> None:
    live = await _became(engine, RolloutState.SUCCEEDED, ended_ago=12 * MINUTE)
    await _became(engine, RolloutState.ROLLED_BACK, ended_ago=3 * MINUTE)
    await _became(engine, RolloutState.REJECTED, begun=False)

    assert await _running(engine) == Running(
        release=live.release.version,
        rollout="D-1001",
        channel=live.channel,
        began=live.started_at,
        since=live.ended_at,
    )


async def test_what_is_being_brought_out_counts_before_what_is_live(engine: Engine) -> None:
    await _became(engine, RolloutState.SUCCEEDED, ended_ago=12 * MINUTE)
    active = await _became(engine, RolloutState.RUNNING)

    found = await _running(engine)

    assert (found.rollout, found.began, found.since) == (
        "D-1002",
        active.started_at,
        active.started_at,
    )


async def test_what_runs_is_asked_once_in_a_moment(engine: Engine) -> None:
    releases = _releases(engine)
    place = ("myapp", "staging")
    assert await releases.running([place]) == {place: Running()}

    await _became(engine, RolloutState.RUNNING)

    assert await releases.running([place]) == {place: Running()}
    assert (await _running(engine)).rollout == "D-1001"


async def test_a_rollout_that_ended_after_the_span_is_told_at_its_start(engine: Engine) -> None:
    rollout = await _became(engine, RolloutState.SUCCEEDED, ended_ago=MINUTE)
    assert rollout.started_at is not None
    until = rollout.started_at + timedelta(seconds=1)

    [found] = await _releases(engine).changes("myapp", "staging", until - 60 * MINUTE, until)

    assert found.at == rollout.started_at


async def test_changes_of_a_span_are_told_newest_first(engine: Engine) -> None:
    await _became(engine, RolloutState.SUCCEEDED, ended_ago=90 * MINUTE)
    await _became(engine, RolloutState.SUCCEEDED, ended_ago=40 * MINUTE)
    await _became(engine, RolloutState.FAILED, ended_ago=20 * MINUTE)
    await _became(engine, RolloutState.CANCELLED, begun=False)
    await _became(engine, RolloutState.SUCCEEDED, ended_ago=MINUTE)
    now = engine.clock.now()

    found = await _releases(engine).changes(
        "myapp", "staging", now - 60 * MINUTE, now - 10 * MINUTE
    )

    assert [(change.subject, change.text.split(" ")[0]) for change in found] == [
        ("D-1003", "failed"),
        ("D-1002", "shipped"),
    ]
