"""Of two people who lock one target at the same moment, one is told whose it is; on both databases."""

from __future__ import annotations

import asyncio

from operations.actor import Actor
from operations.deployment.service import Deployments
from operations.errors import NotPermitted
from storage.database import Database
from tests.factories import ALICE, BOB, make_catalog, make_target
from tests.fakes_deployment import ScriptedProvider
from tests.workshops import ShiftedClock, make_deployments

pytest_plugins = ("tests.contract.database_fixtures",)

CATALOG = make_catalog(make_target(admins=frozenset({"U03CAROL"})))


async def is_locked_by(deployments: Deployments, actor: Actor) -> bool:
    """Whether they were told yes."""
    try:
        await deployments.locking.lock("myapp", "prod", actor)
    except NotPermitted:
        return False
    return True


async def test_one_lock_has_one_holder(database: Database) -> None:
    clock = ShiftedClock()
    deployments = make_deployments(CATALOG, ScriptedProvider(), database, None, clock)
    for _ in range(10):
        async with asyncio.TaskGroup() as group:
            asked = {
                actor: group.create_task(is_locked_by(deployments, actor)) for actor in (ALICE, BOB)
            }
        (holder,) = (actor for actor, told in asked.items() if told.result())
        async with database.store.snapshot() as tx:
            lock = await tx.locks.get("myapp", "prod", clock.now())
        assert lock is not None
        assert lock.actor == holder
        await deployments.locking.unlock("myapp", "prod", holder)
