"""`kill -9` at every kind of moment: each rollout ends once, with one effect, and is told once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from operations.deployment.rollout import Phase, RolloutState
from tests.integration.processes import open_world
from tests.slack_stand_in import Said, until


class Arrivals(list[Said]):
    """Does `deed` when the first message has come in, before its sender hears of it."""

    def __init__(self, deed: Callable[[], None]) -> None:
        super().__init__()
        self._deed = deed

    def append(self, message: Said) -> None:
        """Slack has taken the message."""
        super().append(message)
        if len(self) == 1:
            self._deed()


LIVE, BACK = RolloutState.SUCCEEDED, RolloutState.ROLLED_BACK


async def test_killed_after_the_answer(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        bot = await world.start()
        assert "queued" in await world.say(bot, "deploy web staging 1.1")
        bot.kill()
        world.let_claims_end()
        await world.start()
        await world.reaches("web", LIVE)
        await world.told_once("Live: web 1.1 → staging")
        assert world.patches("web") == 1


async def test_killed_while_the_platform_is_being_told(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        bot = await world.start()
        world.kubernetes.faults.before_patch = bot.kill
        assert await world.send(bot, world.command("deploy web staging 1.1")) == 200
        await until(lambda: world.patches("web") == 1, 10)
        assert (await world.rollout("web")).phase is Phase.STARTING
        world.let_claims_end()
        await world.start()
        await world.reaches("web", LIVE)
        await world.told_once("Live: web 1.1 → staging")
        assert world.patches("web") == 1


async def test_killed_while_the_rollout_is_followed(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        world.kubernetes.pace = 0.3
        bot = await world.start()
        await world.say(bot, "deploy web staging 1.1")
        await world.reaches("web", Phase.FOLLOWING)
        bot.kill()
        world.let_claims_end()
        await world.start()
        await world.reaches("web", LIVE)
        await world.told_once("Live: web 1.1 → staging")
        assert world.patches("web") == 1


async def test_killed_on_the_way_back(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        bot = await world.start()
        await world.say(bot, "deploy web staging 1.1-bad")
        await until(lambda: world.patches("web") == 1, 10)
        world.kubernetes.faults.before_patch = bot.kill
        await until(lambda: world.patches("web") == 2, 20)
        assert (await world.rollout("web")).phase is Phase.RESTORING
        world.let_claims_end()
        await world.start()
        await world.reaches("web", BACK)
        await world.told_once("Failed and rolled back: web 1.1-bad → staging", replies=2)
        assert world.patches("web") == 2


async def test_killed_while_the_card_is_being_posted(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "prod"}) as world:
        bot = await world.start()
        world.slack.messages = Arrivals(bot.kill)
        with contextlib.suppress(aiohttp.ClientError):  # it may die before it has acknowledged
            await world.send(bot, world.command("deploy web prod 1.1"))
        await until(lambda: bot.process.poll() is not None, 10)
        assert len(world.slack.cards()) == 1
        world.let_claims_end()
        await world.start()
        await world.told_once("Waiting for approval: web 1.1 → prod", replies=0)


@pytest.mark.timeout(90)
async def test_the_lease_of_a_killed_process_ends_by_itself(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        world.kubernetes.pace = 0.3
        bot = await world.start()
        await world.say(bot, "deploy web staging 1.1")
        await world.reaches("web", Phase.FOLLOWING)
        bot.kill()
        await world.start()
        await world.reaches("web", LIVE, seconds=25)
        assert world.patches("web") == 1
