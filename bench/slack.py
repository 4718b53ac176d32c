"""A Slack that takes what a bot under load says, and counts it.

The tests' stand-in weighs every block of every answer, which would be measured instead of the bot. This one
knows the few calls that a loaded bot makes; any other is refused and kept in `unexpected`.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

BOT_TOKEN = "xoxb-made-up"
_PATIENCE = 30.0


class Workspace:
    """`answers` are what was told to askers, in acks or through a response_url, by that address's name."""

    def __init__(self) -> None:
        self.url = ""
        self.calls: Counter[str] = Counter()
        self.answers: dict[str, str] = {}
        self.unexpected: list[str] = []
        self._numbers = itertools.count(1)
        self._awaited = 0
        self._are_there = asyncio.Event()

    @property
    def api_url(self) -> str:
        """Base of the Web API."""
        return f"{self.url}/api/"

    def make_response_url(self) -> tuple[str, str]:
        """A new address for one answer: its name, and the whole of it."""
        name = f"r{next(self._numbers)}"
        return name, f"{self.url}/respond/{name}"

    async def until_answered(self, count: int) -> float:
        """Wait until so many answers have come in all; returns for how many seconds, raises TimeoutError."""
        begun = time.perf_counter()
        self._awaited, self._are_there = count, asyncio.Event()
        self._look()
        async with asyncio.timeout(_PATIENCE):
            await self._are_there.wait()
        return time.perf_counter() - begun

    def hear_ack(self, name: str, body: bytes) -> None:
        """A command may be answered in its acknowledgement."""
        text = json.loads(body or b"{}").get("text")
        if text:
            self.answers[name] = str(text)
            self._look()

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        """One request of the bot's."""
        _, kind, name = request.path.split("/", 2)
        body = await request.read()
        if kind == "respond" and name not in self.answers:
            self.answers[name] = str(json.loads(body)["text"])
            self._look()
            return web.Response(text="ok")
        if kind == "api" and name in _ANSWERS:
            self.calls[name] += 1
            stamp = f"{next(self._numbers)}.000000"
            return web.json_response({"ok": True, "ts": stamp, **_ANSWERS[name]})
        self.unexpected.append(request.path)
        return web.json_response({"ok": False, "error": "unknown_method"})

    def _look(self) -> None:
        if len(self.answers) >= self._awaited:
            self._are_there.set()


_ANSWERS: dict[str, dict[str, str]] = {
    "auth.test": {"team": "Acme", "team_id": "T01", "user_id": "U00HMS", "bot_id": "B00HMS"},
    "chat.postMessage": {"channel": "C01GEN"},
    "chat.update": {"channel": "C01GEN"},
}


@asynccontextmanager
async def open_workspace(workspace: Workspace | None = None) -> AsyncIterator[Workspace]:
    """A workspace on a free port of loopback; raises RuntimeError at the end if something was refused."""
    workspace = workspace or Workspace()
    runner = web.ServerRunner(web.Server(workspace.serve, access_log=None))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.2)
    await site.start()
    workspace.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield workspace
    finally:
        await runner.cleanup()
    if workspace.unexpected:
        raise RuntimeError(f"The bot asked Slack for {set(workspace.unexpected)}.")
