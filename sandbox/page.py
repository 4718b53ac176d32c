"""The page that people open: the local Slack's own, with a tour at its side and as Slack would draw it.

It shows dates (`<!date^…>`) and code blocks as their markup; a script that is added to the page draws
them. Of a picture that was uploaded it shows nothing; what passes through is given the picture's address.
All else, its sockets included, is passed through. Listens on loopback only.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

import aiohttp
from aiohttp import web

from sandbox.slack import BOT_TOKEN
from sandbox.tour import TOUR

_SCRIPT = Path(__file__).with_name("page.js")
_HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "keep-alive",
        "transfer-encoding",
        "upgrade",
    }
)
_UPLOADED = re.compile(r'"slack_file":\{"id":"(\w+)"\}')
_DRAWN = r'\g<0>,"image_url":"/uploaded/\1"'


class Page:
    """Passes requests on to the local Slack at `origin`."""

    def __init__(self, origin: str, session: aiohttp.ClientSession) -> None:
        self._origin = origin
        self._session = session
        tour = json.dumps([asdict(stop) for stop in TOUR])
        script = _SCRIPT.read_text(encoding="utf-8")
        self._script = f"<script>const TOUR = {tour};\n{script}</script></head>"

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Any request of the browser."""
        try:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._connect(request)
            if request.path.startswith("/uploaded/"):
                return await self._show(request.path.rpartition("/")[2])
            return await self._pass_on(request)
        except aiohttp.ClientError:
            return web.Response(status=502, text="The local Slack does not answer.")

    async def _pass_on(self, request: web.Request) -> web.Response:
        async with self._session.request(
            request.method,
            f"{self._origin}{request.rel_url}",
            data=await request.read(),
            headers=_without_hops(request.headers),
            allow_redirects=False,
        ) as answer:
            body = await answer.read()
            if answer.content_type == "text/html":
                body = body.replace(b"</head>", self._script.encode(), 1)
            elif answer.content_type == "application/json":
                body = _UPLOADED.sub(_DRAWN, body.decode()).encode()
            return web.Response(
                status=answer.status, body=body, headers=_without_hops(answer.headers)
            )

    async def _show(self, file: str) -> web.Response:
        """A picture that the bot uploaded; the browser has no token to ask for it."""
        token = {"Authorization": f"Bearer {BOT_TOKEN}"}
        asked = self._session.get(
            f"{self._origin}/api/files.info", params={"file": file}, headers=token
        )
        async with asked as answer:
            told = await answer.json()
        if not told.get("ok"):
            return web.Response(status=404, text="There is no such file.")
        async with self._session.get(told["file"]["url_private"], headers=token) as kept:
            return web.Response(body=await kept.read(), content_type=kept.content_type)

    async def _connect(self, request: web.Request) -> web.WebSocketResponse:
        browser = web.WebSocketResponse()
        await browser.prepare(request)
        address = f"{self._origin}{request.rel_url}"
        async with self._session.ws_connect(address) as slack, asyncio.TaskGroup() as group:
            group.create_task(_copy(browser, slack))
            group.create_task(_copy(slack, browser))
        return browser


Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _copy(source: Socket, sink: Socket) -> None:
    """Frames one way, until either side hangs up."""
    async for frame in source:
        if frame.type is aiohttp.WSMsgType.TEXT:
            await sink.send_str(_UPLOADED.sub(_DRAWN, frame.data))
        elif frame.type is aiohttp.WSMsgType.BINARY:
            await sink.send_bytes(frame.data)
    await sink.close()


def _without_hops(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}


@asynccontextmanager
async def open_page(origin: str, port: int) -> AsyncIterator[str]:
    """Serve until the block ends; yields the page's address."""
    timeout = aiohttp.ClientTimeout(total=None, connect=5)
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=True) as session:
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", Page(origin, session).answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            yield f"http://localhost:{port}"
        finally:
            await runner.cleanup()
