"""The bot as a process, watched: its metrics, its heartbeat, and a log that knows of what it speaks."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from operations.deployment.rollout import RolloutState
from tests.integration.processes import SECRET, BotProcess, World, open_world
from tests.slack_stand_in import BOT_TOKEN, listening, until

LIVE = RolloutState.SUCCEEDED
PLANTED = "AKIAIOSFODNN7EXAMPLE"


@dataclass
class Listener:
    """Whoever waits for the heartbeat."""

    url: str = ""
    beats: int = 0
    app: web.Application = field(default_factory=web.Application)

    async def hear(self, request: web.Request) -> web.Response:
        """One more beat."""
        self.beats += 1
        return web.Response()


@asynccontextmanager
async def a_listener() -> AsyncIterator[Listener]:
    listener = Listener()
    listener.app.router.add_get("/ping/kept-to-ourselves", listener.hear)
    async with listening(listener.app) as url:
        listener.url = f"{url}/ping/kept-to-ourselves"
        yield listener


def configure(world: World, **sections: object) -> None:
    """Add sections to its hms.yaml."""
    file = world.directory / "hms.yaml"
    file.write_text(json.dumps(json.loads(file.read_text()) | sections))


async def scrape(world: World, bot: BotProcess) -> str:
    async with world.session.get(f"{bot.url}/metrics") as answer:
        assert answer.status == 200
        return await answer.text()


def records(bot: BotProcess) -> list[dict[str, object]]:
    """The log: every line of it is a JSON object."""
    return [json.loads(line) for line in bot.said.splitlines()]


async def test_metrics_tell_of_a_rollout_and_of_the_calls_it_took(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        bot = await world.start()
        await world.say(bot, "deploy web staging 1.1")
        await world.told_once("Live: web 1.1 → staging")
        text = await scrape(world, bot)

    assert 'hms_rollouts{state="succeeded"} 1.0' in text
    assert 'hms_outbox_notices{route="slack"} 0.0' in text
    assert 'hms_provider_calls_total{method="start",outcome="ok",provider="k8s"} 1.0' in text
    assert 'hms_slack_calls_total{method="chat.postMessage",outcome="ok"}' in text
    assert "hms_event_loop_lag_seconds_count" in text
    assert "hms_slack_socket_up" not in text
    assert not any(word in text for word in ("web", "D-1001", "U01ALICE", "C01GEN"))


async def test_the_heart_beats_while_the_process_works_and_not_longer(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world, a_listener() as listener:
        configure(world, heartbeat={"url": listener.url, "every": "1s"})
        bot = await world.start()
        await until(lambda: listener.beats >= 2, 10)
        assert await bot.terminate() == 0
        heard = listener.beats

    assert heard >= 2
    assert "without effect" not in bot.said
    assert "kept-to-ourselves" not in bot.said


async def test_the_log_names_the_rollout_and_the_request_and_no_secret(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        world.kubernetes.pace = 0.3
        bot = await world.start()
        await world.say(bot, f"deploy web staging 1.1 --reason password={PLANTED}")
        world.slack.forget(await world.card_says("web 1.1 → staging"))
        await world.say(bot, f"show D-9999 {PLANTED}")
        await world.say(bot, "show D-9999")
        await world.reaches("web", LIVE)
        await until(world.is_quiet, 15)
        await bot.terminate()

    told = records(bot)
    gone = next(each for each in told if "is gone" in str(each["event"]))
    refused = next(each for each in told if str(each["event"]).startswith("refused"))
    assert gone["rollout"] == "D-1001"
    assert "D-1001 card" in str(gone["task"])
    assert len(str(refused["request_id"])) == 16
    for secret in (PLANTED, BOT_TOKEN, SECRET):
        assert secret not in bot.said
