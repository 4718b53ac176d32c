"""Starts a local Slack: a workspace with a web page, by the `local-slack` program.

It is a program of its own and answers on every interface of the machine, without checking tokens: a
sandbox for one's own machine, nothing else.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from sandbox.processes import stop_process

BOT_TOKEN = "xoxb-test-token"
APP_TOKEN = "xapp-test-token"

# SHA-256 of the programs of version 0.1.8 that were looked at; others are started as npm delivers them.
_KNOWN = {
    "local-slack-linux-x64": "3332007b797969d835f694b463ac526f7ef1fc66afac93f950f585105fe4815f",
}

_WORKSPACE = {
    "workspace": {"name": "HMS Sandbox", "domain": "hms-sandbox", "teamId": "T01TEST"},
    "app": {
        "appId": "A01APP",
        "botUserId": "U0BOT",
        "botName": "hms",
        "botToken": BOT_TOKEN,
        "appToken": APP_TOKEN,
        "signingSecret": "sandbox-signing-secret",
        "mode": "socket",
    },
    "users": [
        {"id": "U01ALICE", "name": "alice", "real_name": "Alice Anderson", "tz": "UTC"},
        {"id": "U02BOB", "name": "bob", "real_name": "Bob Brown", "tz": "UTC"},
        {"id": "U03CAROL", "name": "carol", "real_name": "Carol Clark", "tz": "UTC"},
    ],
    "channels": [
        {"id": "C01GEN", "name": "deploys", "members": ["U01ALICE", "U02BOB", "U03CAROL", "U0BOT"]},
        {"id": "C02OPS", "name": "ops", "members": ["U01ALICE", "U02BOB", "U03CAROL", "U0BOT"]},
    ],
}


@dataclass(frozen=True, slots=True)
class LocalSlack:
    """`url` is the page; `api_url` what a bot is told."""

    url: str
    pid: int

    @property
    def api_url(self) -> str:
        """Base of the Web API."""
        return f"{self.url}/api/"


@asynccontextmanager
async def open_local_slack(program: Path, state: Path, port: int) -> AsyncIterator[LocalSlack]:
    """Run the program until the block ends. Raises RuntimeError when it does not come up."""
    command = _prepare(program, state, port)
    with (state / "slack.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            slack = LocalSlack(f"http://localhost:{port}", process.pid)
            if not await _is_up(slack, process):
                raise RuntimeError(f"The local Slack did not come up: see {state / 'slack.log'}.")
            yield slack
        finally:
            await stop_process(process)


def _prepare(program: Path, state: Path, port: int) -> list[str]:
    _check(program)
    config = state / "slack.yaml"
    config.write_text(json.dumps(_WORKSPACE, indent=2), encoding="utf-8")  # JSON is YAML
    return [str(program.resolve()), "--config", str(config), "--port", str(port)]


def _check(program: Path) -> None:
    known = _KNOWN.get(program.parent.parent.name)
    if not program.is_file():
        raise RuntimeError(
            f"There is no local Slack at {program}: run `make demo`, which fetches it."
        )
    if known and hashlib.sha256(program.read_bytes()).hexdigest() != known:
        raise RuntimeError(f"{program} is not the program that was pinned; it is not started.")


async def _is_up(slack: LocalSlack, process: asyncio.subprocess.Process) -> bool:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2)) as session:
        for _ in range(100):
            if process.returncode is not None:
                return False
            try:
                async with session.get(f"{slack.url}/_control/state") as answer:
                    if answer.status == 200:
                        return True
            except (aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.1)
    return False
