"""A rollout that went wrong is an error of its target, once, and alerts nobody a second time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.failures import FailedRollouts
from operations.deployment.rollout import Rollout
from operations.monitoring.errors.group import GroupQuery, GroupReport
from operations.monitoring.errors.triage import Triage
from operations.outbox import NoticeKind
from tests.central_log import make_triage
from tests.factories import ALICE, NEW
from tests.fakes_deployment import CANNOT_PULL, FAILURE
from tests.workshops import Engine, open_engine

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """Rollouts to myapp/staging fail, and what served before is brought back."""
    async with open_engine(tmp_path) as opened:
        opened.failures = FailedRollouts()
        opened.provider.scripts[NEW.artifact] = FAILURE
        yield opened


def triage_of(engine: Engine) -> Triage:
    return make_triage(engine.database, engine.deployments.inquiries, engine.clock)


async def listed(engine: Engine) -> Sequence[GroupReport]:
    return await triage_of(engine).list(GroupQuery())


async def fail(engine: Engine) -> Rollout:
    return await engine.carry_out(await engine.ask())


async def test_it_is_an_error_of_its_target_with_its_reason_and_its_name(engine: Engine) -> None:
    rollout = await fail(engine)

    [report] = await listed(engine)
    group = report.group
    assert group.target_name == "myapp/staging"
    assert group.title == f"Rollout failed and was rolled back: {CANNOT_PULL.summary}"
    assert (group.count, group.first_release, sum(report.hours)) == (1, "1.1", 1)
    [sample] = (await triage_of(engine).show(group.id)).samples
    assert sample.source == "hms-sys"
    assert sample.message.splitlines()[1:] == [
        CANNOT_PULL.reason,
        f"{rollout.name}: 1.1 → myapp/staging",
    ]


async def test_what_goes_wrong_in_the_same_way_is_one_group(engine: Engine) -> None:
    await fail(engine)
    await fail(engine)

    [report] = await listed(engine)
    assert report.group.count == 2


async def test_what_goes_wrong_in_another_way_is_another_group(engine: Engine) -> None:
    await fail(engine)
    other = replace(CANNOT_PULL, summary="The new pods crash")
    engine.provider.scripts[NEW.artifact] = [replace(FAILURE[-1], failure=other)]
    await fail(engine)

    assert len(await listed(engine)) == 2


async def test_what_goes_well_and_what_is_cancelled_is_no_error(engine: Engine) -> None:
    engine.provider.scripts.clear()
    await engine.carry_out(await engine.ask())
    waiting = await engine.ask()
    await engine.deployments.decisions.cancel(waiting.id, ALICE)

    assert await listed(engine) == []


async def test_checks_of_the_error_rate_count_it_not(engine: Engine) -> None:
    await fail(engine)

    counted = await triage_of(engine).count("myapp", "staging", 5 * MINUTE)

    assert counted.count == 0


async def test_nobody_is_told_of_new_errors_in_its_thread_nor_in_that_of_what_serves(
    engine: Engine,
) -> None:
    engine.provider.scripts.clear()
    live = await engine.carry_out(await engine.ask())
    engine.provider.scripts[NEW.artifact] = FAILURE
    failed = await fail(engine)
    now = engine.clock.now() + MINUTE

    notices = await engine.database.notice_queue.claim("test", now, now + MINUTE, limit=50)

    assert {notice.subject for notice in notices} == {live.name, failed.name}
    assert NoticeKind.ERRORS not in {notice.kind for notice in notices}
