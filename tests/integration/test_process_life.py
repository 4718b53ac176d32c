"""The bot as a process: how it starts, refuses to start, bears a lost Slack, and stops."""

from __future__ import annotations

import signal
import socket
import sqlite3
from contextlib import closing
from pathlib import Path

import aiohttp

from operations.deployment.rollout import Phase, RolloutState
from tests.factories import BOB
from tests.integration.processes import open_world
from tests.slack_stand_in import until

LIVE, PENDING = RolloutState.SUCCEEDED, RolloutState.PENDING_APPROVAL


async def test_sigterm_hands_a_running_rollout_to_the_next_process(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        world.kubernetes.pace = 0.3
        bot = await world.start()
        await world.say(bot, "deploy web staging 1.1")
        await world.reaches("web", Phase.FOLLOWING)
        assert await bot.terminate(10) == 0
        assert not (await world.rollout("web")).has_ended
        await world.start()
        await world.reaches("web", LIVE, seconds=10)
        await world.told_once("Live: web 1.1 → staging")
        assert world.patches("web") == 1


async def test_sigterm_lets_an_acknowledged_command_be_answered(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "prod"}) as world:
        bot = await world.start()
        with closing(sqlite3.connect(tmp_path / "hms.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")  # nobody can write: the command has to wait
            assert await world.send(bot, world.command("deploy web prod 1.1")) == 200
            bot.process.send_signal(signal.SIGTERM)
            await until(lambda: '"stopping"' in bot.said, 5)
            assert world.slack.private == []
            other.execute("ROLLBACK")
        assert await bot.ended(10) == 0
        assert ["waits for approval" in answer.text for answer in world.slack.private] == [True]
        assert (await world.rollout("web")).state is PENDING


async def test_a_refused_token_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        bot = world.spawn(SLACK_BOT_TOKEN="xoxb-of-somebody-else")
        assert await bot.ended(8) == 2
        assert "Slack does not accept SLACK_BOT_TOKEN: invalid_auth." in bot.said
        assert "Traceback" not in bot.said
        assert "xoxb-of-somebody-else" not in bot.said
        assert world.slack.calls == ["auth.test"]


async def test_a_taken_port_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = str(other.getsockname()[1])
            bot = world.spawn(HMS_PORT=port)
            assert await bot.ended(8) == 2
        assert port in bot.said
        assert "in use" in bot.said
        assert "Traceback" not in bot.said


async def test_a_rollout_goes_on_while_slack_is_down(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        world.kubernetes.pace = 0.3
        bot = await world.start()
        await world.say(bot, "deploy web staging 1.1")
        card = await world.card_says("web 1.1 → staging")
        world.slack.is_down = True
        await world.reaches("web", LIVE)
        assert "Live" not in card.text
        world.slack.is_down = False
        assert await world.told_once("Live: web 1.1 → staging") is card
        assert [words for words in card.history if words.startswith("Live")] == []
        assert len(world.slack.cards()) == 1


async def test_a_bot_starts_while_slack_is_down(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "prod"}) as world:
        world.slack.is_down = True
        bot = world.spawn()

        async def is_alive() -> bool:
            try:
                async with world.session.get(f"{bot.url}/healthz") as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        await until(is_alive, 20)
        async with world.session.get(f"{bot.url}/readyz") as answer:
            assert answer.status == 503
        world.slack.is_down = False
        await world.say(bot, "deploy web prod 1.1")
        await world.card_says("Waiting for approval: web 1.1 → prod")


async def test_requests_that_slack_did_not_sign_are_refused(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        bot = await world.start()
        body = world.command("deploy web staging 1.1")
        assert await world.send(bot, body, secret="another secret") == 401
        assert await world.send(bot, body, age=301) == 401
        assert await world.send(bot, body, age=-301) == 401
        async with world.session.post(f"{bot.url}/slack/events", data=body) as answer:
            assert answer.status == 401
        assert await world.send(bot, world.command("status", BOB)) == 200
        await until(lambda: bool(world.slack.private), 10)
        assert {answer.user for answer in world.slack.private} == {BOB.id}
        assert world.patches("web") == 0
