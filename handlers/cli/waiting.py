"""Waiting for a rollout's end: looks at the database, and carries the rollout out if no bot does."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from handlers.cli.screens import Screen
from handlers.cli.services import CliServices
from operations.deployment.rollout import Rollout, RolloutState
from operations.deployment.start_time import is_scheduled, is_too_late
from operations.deployment.voting import has_expired
from operations.errors import OperationError, StorageError

_PATIENCE = timedelta(seconds=30)
"""How long the database may be away before waiting is given up."""


async def await_end(services: CliServices, rollout_id: int, screen: Screen) -> Rollout:
    """Return the ended rollout. Raises StorageError when the database stays away."""
    try:
        async with asyncio.TaskGroup() as group:
            carrying = group.create_task(_carry(services, rollout_id), name=f"carry D-{rollout_id}")
            ended = await _watch(services, rollout_id, screen)
            carrying.cancel()
    except BaseExceptionGroup as problems:
        raise _first(problems) from problems
    return ended


async def _carry(services: CliServices, rollout_id: int) -> None:
    """Begin again after trouble: `_watch` decides when enough is enough."""
    while True:
        try:
            await services.carry_out(rollout_id)
        except OperationError:
            await services.clock.sleep(services.poll_seconds)
        else:
            return


async def _watch(services: CliServices, rollout_id: int, screen: Screen) -> Rollout:
    seen_at = services.clock.now()
    while True:
        try:
            rollout = await _look(services, rollout_id)
        except StorageError as exc:
            if services.clock.now() - seen_at > _PATIENCE:
                raise
            screen.trouble(exc.message)
        else:
            seen_at = services.clock.now()
            screen.show(rollout)
            if rollout.has_ended:
                return rollout
        await services.clock.sleep(services.poll_seconds)


async def _look(services: CliServices, rollout_id: int) -> Rollout:
    """The rollout as it is; without a bot, nobody else would end one that expired."""
    inquiries = services.deployments.inquiries
    rollout = (await inquiries.show(rollout_id)).rollout
    now = services.clock.now()
    is_open = rollout.state is RolloutState.PENDING_APPROVAL and has_expired(rollout, now)
    if is_open or (is_scheduled(rollout) and is_too_late(rollout, now)):
        await services.deployments.decisions.expire_due()
        rollout = (await inquiries.show(rollout_id)).rollout
    return rollout


def _first(problems: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error inside, however deep."""
    first = problems.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
