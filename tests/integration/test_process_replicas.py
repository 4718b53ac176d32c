"""Two bots on one PostgreSQL: each due check is asked by one of them, each alert told by one of them."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from tests.contract.databases import PostgresServer
from tests.integration.processes import World, open_world
from tests.slack_blocks import all_text
from tests.slack_stand_in import listening, until

pytest_plugins = ("tests.contract.database_fixtures",)

SECOND_CHANNEL = "C02OPS"
CHECKS = {"web": ("page", "login"), "shop": ("page",), "wiki": tuple(f"page-{n}" for n in range(9))}
"""By project; of web and shop everything fails at first."""


class Pages:
    """What is watched, and who asked when."""

    def __init__(self) -> None:
        self.is_well = False
        self.asked: dict[str, list[float]] = defaultdict(list)

    async def answer(self, request: web.Request) -> web.Response:
        """200, or 503 where things fail."""
        self.asked[request.path].append(time.monotonic())
        is_sound = self.is_well or request.path.startswith("/wiki")
        return web.Response(status=200 if is_sound else 503)


def _configure(world: World, url: str) -> None:
    path = world.directory / "hms.yaml"
    config = json.loads(path.read_text(encoding="utf-8"))
    each: Mapping[str, object] = {"every": "1s", "timeout": "1s", "failures": 2, "recoveries": 1}
    config["checks"] = [
        {"name": name, "target": f"{project}/staging", "url": f"{url}/{project}/{name}", **each}
        for project, names in CHECKS.items()
        for name in names
    ]
    config["alerts"] = {"escalation": {"after": "1s", "channel": SECOND_CHANNEL}}
    path.write_text(json.dumps(config), encoding="utf-8")


async def test_two_processes_ask_each_due_check_once_and_tell_each_alert_once(
    tmp_path: Path, postgres_server: PostgresServer
) -> None:
    pages = Pages()
    app = web.Application()
    app.router.add_get("/{project}/{name}", pages.answer)
    projects = dict.fromkeys(CHECKS, "staging")
    async with (
        open_world(tmp_path, projects, postgres_server.create()) as world,
        listening(app) as url,
    ):
        _configure(world, url)
        bots = [world.spawn(), world.spawn()]
        for bot in bots:
            await world.ready(bot)
        both = await world.card_says("web/staging")
        await until(lambda: "page" in both.text and "login" in both.text, 15)
        await world.card_says("Failing: page · shop/staging")
        # Both look every ten seconds for what nobody looks after.
        await until(lambda: len(world.slack.cards(SECOND_CHANNEL)) >= 2, 25)
        pages.asked.clear()
        begun = time.monotonic()
        await until(lambda: time.monotonic() - begun > 5, 10)
        spans = {path: len(times) for path, times in pages.asked.items()}
        watched = time.monotonic() - begun
        pages.is_well = True
        await world.told_once("Well again: page · shop/staging")
        await until(lambda: both.text.startswith("Well again: "), 15)
        await until(world.is_quiet, 15)

        assert len(spans) == sum(map(len, CHECKS.values()))
        # At its second, or up to a moment after it: with two who ask, it would be twice as often.
        assert all(1 <= count <= watched + 2 for count in spans.values()), spans
        assert len(world.slack.cards()) == 2
        assert len(world.slack.thread(both)) == 1
        assert "page, login" in both.text or "login, page" in both.text
        escalated = world.slack.cards(SECOND_CHANNEL)
        assert len(escalated) == 2
        assert all("Well again" in all_text(card.blocks) for card in escalated)
        assert world.slack.refused == []
