"""Waiting for a rollout through the troubles of others."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.cli.services import CliServices
from handlers.cli.waiting import await_end
from operations.deployment.requests import DeployRequest
from operations.deployment.rollout import Rollout, RolloutState
from operations.errors import StorageUnavailable
from tests.factories import ALICE
from tests.fakes_cli import LateClock, Shop


class _Screen:
    def __init__(self) -> None:
        self.states: list[RolloutState] = []
        self.troubles: list[str] = []

    def show(self, rollout: Rollout) -> None:
        self.states.append(rollout.state)

    def trouble(self, message: str) -> None:
        self.troubles.append(message)

    def close(self) -> None:
        raise AssertionError("whoever opened the screen closes it")


@asynccontextmanager
async def _asked(
    tmp_path: Path, environment: str = "staging"
) -> AsyncIterator[tuple[CliServices, Rollout]]:
    shop = Shop(path=tmp_path)
    async with shop.services(ALICE) as services:
        request = DeployRequest(project="myapp", environment=environment, version="1.1")
        requested = await services.deployments.requests.request(request, ALICE)
        yield services, requested.rollout


async def test_it_is_carried_out_and_shown_to_its_end(tmp_path: Path) -> None:
    screen = _Screen()
    async with _asked(tmp_path) as (services, rollout):
        ended = await await_end(services, rollout.id, screen)
    assert ended.state is RolloutState.SUCCEEDED
    assert screen.states[-1] is RolloutState.SUCCEEDED


async def test_trouble_while_carrying_out_is_tried_again(tmp_path: Path) -> None:
    troubles = [StorageUnavailable("busy"), StorageUnavailable("busy")]
    async with _asked(tmp_path) as (services, rollout):

        async def carry_out(rollout_id: int) -> None:
            if troubles:
                raise troubles.pop()
            await services.carry_out(rollout_id)

        ended = await await_end(replace(services, carry_out=carry_out), rollout.id, _Screen())
    assert ended.state is RolloutState.SUCCEEDED
    assert not troubles


async def test_a_question_that_is_open_for_too_long_expires_without_a_bot(tmp_path: Path) -> None:
    async with _asked(tmp_path, "prod"):
        pass
    late = Shop(path=tmp_path, clock=LateClock(timedelta(hours=2)))
    async with late.services(ALICE) as services:
        ended = await await_end(services, 1001, _Screen())
    assert ended.state is RolloutState.EXPIRED


async def test_a_database_that_goes_away_is_an_error_in_the_end(tmp_path: Path) -> None:
    """The clock jumps two hours a look, so that patience ends at once."""
    screen = _Screen()
    async with _asked(tmp_path) as (services, rollout):
        jumping = replace(services, clock=_JumpingClock(timedelta(hours=2)))
    with pytest.raises(StorageUnavailable):
        await await_end(jumping, rollout.id, screen)


async def test_a_database_that_is_away_for_a_moment_is_waited_for(tmp_path: Path) -> None:
    screen = _Screen()
    async with _asked(tmp_path) as (services, rollout):
        away = replace(services, carry_out=_never, clock=_EndingClock(after=3))
    with pytest.raises(_EnoughError):
        await await_end(away, rollout.id, screen)
    assert screen.troubles == ["The database is closed."] * 3


async def _never(rollout_id: int) -> None:
    await asyncio.Event().wait()


class _EnoughError(Exception):
    """The test has seen enough."""


class _JumpingClock(LateClock):
    def __init__(self, step: timedelta) -> None:
        super().__init__(timedelta(0))
        self._step = step

    async def sleep(self, seconds: float) -> None:
        self._by += self._step
        await super().sleep(0)


class _EndingClock(LateClock):
    """Ends the test at the wait after so many looks."""

    def __init__(self, *, after: int) -> None:
        super().__init__(timedelta(0))
        self._left = after

    async def sleep(self, seconds: float) -> None:
        self._left -= 1
        if not self._left:
            raise _EnoughError
        await super().sleep(0)
