"""Mail and other ways in real processes: with Slack down from the start, people hear of an alert."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from tests.contract.databases import run_sql
from tests.integration.processes import World, free_port, open_world
from tests.mail_server import mail_server
from tests.slack_stand_in import listening, until

_WATCHED = {"name": "page", "target": "web/staging", "every": "1s", "timeout": "1s", "failures": 2}
_THREE_MINUTES_LATER = "UPDATE notices SET created_at = created_at - 180000000"


def _configure(world: World, **sections: object) -> None:
    path = world.directory / "hms.yaml"
    config: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**config, **sections}), encoding="utf-8")


async def test_an_alert_reaches_people_by_two_ways_while_slack_is_down(tmp_path: Path) -> None:
    paged: list[Mapping[str, str]] = []

    async def page(request: web.Request) -> web.Response:
        paged.append(await request.json())
        return web.Response()

    service = web.Application()
    service.router.add_post("/s3cr3t-path", page)
    async with (
        open_world(tmp_path, {"web": "staging"}) as world,
        mail_server() as mail,
        listening(service) as url,
    ):
        check = {**_WATCHED, "url": f"http://127.0.0.1:{free_port()}/healthz"}
        smtp = f"smtp://127.0.0.1:{mail.port}"
        _configure(
            world,
            checks=[check],
            email={"smtp": smtp, "from": "hms@a.test", "to": ["ops@a.test"], "on": ["digest"]},
            notify=[{"name": "pager", "url_env": "PAGER_URL", "on": ["alert"]}],
        )
        world.slack.is_down = True
        bot = world.spawn(PAGER_URL=f"{url.replace('http', 'json', 1)}/s3cr3t-path")
        await until(lambda: bool(paged), 20)
        assert paged[0]["title"] == "Failing: page · web/staging (A-1)"
        assert mail.taken == []

        await until(lambda: "chat.postMessage" in world.slack.calls, 10)
        run_sql(world.database_url, _THREE_MINUTES_LATER)
        await until(lambda: bool(mail.taken), 30)
        (taken,) = mail.taken
        assert taken.message["Subject"] == "Failing: page · web/staging (A-1)"

        world.slack.is_down = False
        await until(lambda: bool(world.slack.messages), 30)
        assert await bot.terminate() == 0
        assert (len(paged), len(mail.taken)) == (1, 1)
        assert "s3cr3t" not in bot.said


async def test_what_is_missing_for_it_is_told_at_the_start_with_all_else(tmp_path: Path) -> None:
    async with open_world(tmp_path, {"web": "staging"}) as world:
        _configure(
            world,
            email={"smtp": "smtp://hms@mail.test", "from": "hms@a.test", "to": ["ops@a.test"]},
            notify=[{"name": "pager", "url_env": "PAGER_URL"}, {"name": "team", "url_env": "TEAM"}],
        )
        bot = world.spawn(SLACK_BOT_TOKEN="", TEAM="unheard-of://s3cr3t")

        assert await bot.ended() == 2
        for name in ("SLACK_BOT_TOKEN", "HMS_SMTP_PASSWORD", "PAGER_URL", "TEAM"):
            assert f"{name}: is not" in bot.said
        assert "s3cr3t" not in bot.said
