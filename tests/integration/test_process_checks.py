"""Checks in real processes: several bots ask each once, and an alert outlives the one that raised it."""

from __future__ import annotations

import json
from pathlib import Path

from aiohttp import web

from tests.integration.processes import World, free_port, open_world
from tests.slack_blocks import labels
from tests.slack_stand_in import listening, until


def _watch(world: World, url: str) -> None:
    """Add a check of an address to the configuration."""
    path = world.directory / "hms.yaml"
    config = json.loads(path.read_text(encoding="utf-8"))
    check = {"name": "page", "target": "web/staging", "url": url, "every": "1s", "timeout": "1s"}
    config["checks"] = [{**check, "failures": 2, "recoveries": 1}]
    path.write_text(json.dumps(config), encoding="utf-8")


async def test_two_bots_tell_an_alert_once_and_the_one_that_is_left_its_end(tmp_path: Path) -> None:
    is_well = False

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=200 if is_well else 503)

    page = web.Application()
    page.router.add_get("/healthz", answer)
    async with open_world(tmp_path, {"web": "staging"}) as world, listening(page) as url:
        _watch(world, f"{url}/healthz")
        first, second = await world.start(), await world.start()
        card = await world.card_says("Failing: page · web/staging: answered 503, wanted 200")
        assert labels(card.blocks) == ["Acknowledge", "Silence 1h", "Resolve"]
        first.kill()  # it may have posted the card and not yet noted so
        world.let_claims_end()
        is_well = True
        await world.told_once("Well again: page")
        listed = await world.cli("monitor", "list")
        assert (listed.returncode, "page" in listed.stdout) == (0, True)
        assert len(world.slack.cards()) == 1
        assert await second.terminate(10) == 0


async def test_the_command_line_tells_what_a_bot_found_and_bots_heed_what_it_says(
    tmp_path: Path,
) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        _watch(world, f"http://127.0.0.1:{free_port()}/healthz")
        await world.start()
        card = await world.card_says("Failing: page · web/staging: refused the connection")
        assert (await world.cli("monitor", "list")).returncode == 1

        assert (await world.cli("ack", "A-1")).returncode == 0
        await until(lambda: "alice looks after it" in card.text, 10)
        assert (await world.cli("monitor", "stop", "web")).returncode == 0
        listed = await world.cli("monitor", "list", "--json")
        assert listed.returncode == 0
        assert json.loads(listed.stdout)["checks"][0]["stopped_by"] == "U01ALICE"
