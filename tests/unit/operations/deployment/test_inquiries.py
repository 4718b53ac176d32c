from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from operations.deployment.rollout import HistoryQuery
from operations.errors import Blocked, UnknownRollout, UnknownTarget
from tests.factories import ALICE, BOB
from tests.workshops import Engine, open_engine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with open_engine(tmp_path) as opened:
        yield opened


async def test_history_is_newest_first(engine: Engine) -> None:
    first, second = await engine.ask(), await engine.ask(environment="prod")

    page = await engine.deployments.inquiries.history(HistoryQuery())

    assert [rollout.id for rollout in page.rollouts] == [second.id, first.id]


async def test_history_is_found_in_any_case(engine: Engine) -> None:
    rollout = await engine.ask()

    page = await engine.deployments.inquiries.history(
        HistoryQuery(project="MYAPP", environment="Staging")
    )

    assert [found.id for found in page.rollouts] == [rollout.id]


async def test_history_of_an_unknown_project_is_refused(engine: Engine) -> None:
    with pytest.raises(UnknownTarget):
        await engine.deployments.inquiries.history(HistoryQuery(project="nothing"))


async def test_a_rollout_is_shown_with_its_timeline(engine: Engine) -> None:
    rollout = await engine.carry_out(await engine.ask())

    report = await engine.deployments.inquiries.show(rollout.id)

    assert report.timeline[0].actor == ALICE
    assert report.timeline[-1].detail["state"] == "succeeded"


async def test_only_what_went_live_last_on_its_target_is_live(engine: Engine) -> None:
    former = await engine.carry_out(await engine.ask("1.1"))
    newest = await engine.carry_out(await engine.ask("1.0"))
    inquiries = engine.deployments.inquiries

    assert await inquiries.serving([former]) == {newest.id}
    assert not (await inquiries.show(former.id)).serves
    assert (await inquiries.show(newest.id)).serves


async def test_an_unknown_rollout_is_refused(engine: Engine) -> None:
    with pytest.raises(UnknownRollout):
        await engine.deployments.inquiries.show(1)


async def test_the_fleet_tells_what_serves_in_peoples_words(engine: Engine) -> None:
    await engine.carry_out(await engine.ask("1.1"))

    reports = await engine.deployments.inquiries.status("myapp")

    staging = next(r for r in reports if r.target.environment == "staging")
    assert staging.health is not None
    assert staging.health.version == "1.1"
    assert staging.last is not None


async def test_why_tells_what_stands_in_the_way(engine: Engine) -> None:
    await engine.deployments.locking.lock("myapp", "prod", BOB, reason="quarter end")

    why = await engine.deployments.inquiries.why("myapp", "prod", ALICE)

    assert [type(obstacle) for obstacle in why.answer.obstacles] == [Blocked]


async def test_log_lines_are_cleaned(engine: Engine) -> None:
    assert list(await engine.deployments.inquiries.logs("myapp", "prod")) == ["GET / 200"]


async def test_a_lock_is_lifted_by_its_holder(engine: Engine) -> None:
    await engine.deployments.locking.lock("myapp", "prod", BOB)

    lifted = await engine.deployments.locking.unlock("myapp", "prod", BOB)

    assert lifted.actor == BOB
    with pytest.raises(Blocked):
        await engine.deployments.locking.unlock("myapp", "prod", BOB)
