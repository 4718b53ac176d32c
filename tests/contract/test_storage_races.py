"""Two who act on one target at once, on both databases: one after another, and each is answered."""

from __future__ import annotations

import asyncio

import pytest

from operations.deployment.requests import DeployRequest, Requested
from operations.deployment.rollout import Rollout, RolloutState
from operations.deployment.service import Deployments
from operations.errors import StaleDecision
from storage.database import Database
from tests.factories import ALICE, BOB, make_catalog
from tests.fakes_deployment import ScriptedProvider
from tests.workshops import ShiftedClock, make_deployments

pytest_plugins = ("tests.contract.database_fixtures",)

WISH = DeployRequest(project="myapp", environment="prod", version="1.1")


@pytest.fixture
def deployments(database: Database) -> Deployments:
    return make_deployments(make_catalog(), ScriptedProvider(), database, None, ShiftedClock())


async def test_of_several_requests_at_once_only_the_newest_waits(
    database: Database, deployments: Deployments
) -> None:
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(deployments.requests.request(WISH, ALICE)) for _ in range(6)]

    newest = max(task.result().rollout.id for task in asked)
    async with database.store.snapshot() as tx:
        assert [r.id for r in await tx.rollouts.waiting("myapp", "prod")] == [newest]


async def test_a_request_and_an_approval_at_once_are_both_answered(
    database: Database, deployments: Deployments
) -> None:
    for _ in range(5):
        former = (await deployments.requests.request(WISH, ALICE)).rollout

        newer, decided = await _at_once(deployments, former)

        assert newer.rollout.state is RolloutState.PENDING_APPROVAL
        assert [r.id for r in newer.superseded] == [former.id]
        assert decided is None or decided.state is RolloutState.QUEUED


async def _at_once(deployments: Deployments, former: Rollout) -> tuple[Requested, Rollout | None]:
    """The newer request, and the approved rollout unless the request came first."""

    async def approve() -> Rollout | None:
        try:
            return await deployments.decisions.approve(former.id, BOB)
        except StaleDecision:
            return None

    async with asyncio.TaskGroup() as group:
        asked = group.create_task(deployments.requests.request(WISH, ALICE))
        decided = group.create_task(approve())
    return asked.result(), decided.result()
