"""The HTTP side of a real process: what programs send arrives in Slack's messages, the log and history."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from operations.deployment.rollout import RolloutState
from tests.integration.processes import ROOT, BotProcess, World, open_world
from tests.scenario.counter import digest
from tests.slack_stand_in import until

TOKEN = "made-up-token-of-hms-dev"
HOOK = "made-up-token-of-a-hook"
ALERT = {
    "status": "firing",
    "labels": {"alertname": "HighLatency", "project": "myapp", "environment": "staging"},
    "annotations": {"summary": "p99 over 2 s"},
    "startsAt": "2026-11-24T12:00:00Z",
    "fingerprint": "f3a1c2",
}


@dataclass
class Program:
    """HMS-DEV, as a bot knows it."""

    world: World
    bot: BotProcess

    async def call(
        self, method: str, path: str, body: object = None
    ) -> tuple[int, dict[str, object]]:
        """One request with its token."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with self.world.session.request(
            method, f"{self.bot.url}{path}", json=body, headers=headers
        ) as answer:
            return answer.status, await answer.json(content_type=None)


@asynccontextmanager
async def open_program(tmp_path: Path) -> AsyncIterator[Program]:
    async with open_world(tmp_path, {"myapp": "staging"}) as world:
        file = tmp_path / "hms.yaml"
        config = json.loads(file.read_text())
        rights = ["read", "events", "deploy:staging"]
        config["components"] = {"hms-dev": {"token_sha256": digest(TOKEN), "may": rights}}
        config["hooks"] = {"alertmanager": {"token_sha256": digest(HOOK)}}
        file.write_text(json.dumps(config))
        yield Program(world, await world.start())


async def test_a_program_ships_and_follows_it_to_its_end(tmp_path: Path) -> None:
    async with open_program(tmp_path) as program:
        wish = {
            "project": "myapp",
            "environment": "staging",
            "version": "1.1",
            "reason": "ticket 7",
            "external_id": "HMS-7",
        }
        status, rollout = await program.call("POST", "/api/v1/rollouts", wish)
        assert (status, rollout["external_id"]) == (202, "HMS-7")

        async def is_live() -> bool:
            _, now = await program.call("GET", f"/api/v1/rollouts/{rollout['id']}")
            return now["state"] == RolloutState.SUCCEEDED

        await until(is_live, 15)
        await program.world.told_once("Live: myapp 1.1 → staging")


async def test_what_a_program_reports_is_a_group_of_errors(tmp_path: Path) -> None:
    async with open_program(tmp_path) as program:
        event = {
            "project": "myapp",
            "environment": "staging",
            "level": "error",
            "message": "no answer from 10.0.0.3, token=abcdefgh12",
            "time": "1970-01-01T00:00:00Z",
        }
        status, told = await program.call("POST", "/api/v1/events", [event, event])
        _, found = await program.call("GET", "/api/v1/errors")

        assert (status, told) == (202, {"accepted": 2})
        groups = found["groups"]
        assert isinstance(groups, list)
        assert [(g["project"], g["level"], g["count"]) for g in groups] == [("myapp", "error", 2)]
        assert "abcdefgh12" not in json.dumps(found)
        assert not groups[0]["first_seen"].startswith("1970")


async def test_an_alert_of_another_system_is_told_in_slack(tmp_path: Path) -> None:
    async with open_program(tmp_path) as program:
        path = f"/hooks/alertmanager/{HOOK}"
        for _ in range(2):
            status, _ = await program.call("POST", path, {"version": "4", "alerts": [ALERT]})
            assert status == 202

        await program.world.card_says("HighLatency")
        cards = [m for m in program.world.slack.cards("C01GEN") if "HighLatency" in m.text]
        assert len(cards) == 1
        assert HOOK not in program.bot.said


def commands_of_the_page() -> list[str]:
    """What the page of the HTTP API says to type, one command each."""
    section = (ROOT / "docs/api.md").read_text().partition("\n## Try it\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", "").splitlines() if line]


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
async def test_what_the_page_of_the_api_says_to_type_works(tmp_path: Path) -> None:
    async with open_program(tmp_path) as program:
        lines = [
            line
            for line in commands_of_the_page()
            if not line.startswith(("HMS=", "TOKEN=", "HOOK="))
        ]
        assert len(lines) >= 5
        environment = {
            "PATH": os.environ["PATH"],
            "HMS": program.bot.url,
            "TOKEN": TOKEN,
            "HOOK": HOOK,
        }
        for line in lines:
            assert await run(line, environment) == 0, line


async def run(line: str, environment: dict[str, str]) -> int:
    process = await asyncio.create_subprocess_exec(
        "sh",
        "-euc",
        line.replace("curl ", "curl --fail-with-body "),
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(10):
        return await process.wait()
