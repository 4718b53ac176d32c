"""An HTTP server on loopback with the knobs every HTTP stand-in has.

It refuses what it does not know: a route nobody wrote is answered 404 and kept in `unexpected`, so that a
test can tell a client that strayed from one that behaved.
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from aiohttp import web
from aiohttp.typedefs import Handler


class Loopback:
    """Knobs: `down` answers everything 503, `latency` is in seconds, `throttled` answers 429.

    `lose_answers` is how many of the next POSTs are carried out and then never answered.
    """

    def __init__(self) -> None:
        self.down = False
        self.throttled = False
        self.latency = 0.0
        self.lose_answers = 0
        self.requests: list[str] = []
        self.unexpected: list[str] = []
        self._runner: web.AppRunner | None = None
        self._origin = ""

    @property
    def origin(self) -> str:
        """Scheme, host and port; empty until it is entered."""
        return self._origin

    async def __aenter__(self) -> Self:
        @web.middleware
        async def door(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._door(request, handler)

        app = web.Application(middlewares=[door])
        app.add_routes(self.routes())
        # Clients keep connections open; waiting for them would only slow the end down.
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self._origin = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def routes(self) -> list[web.RouteDef]:
        """What is served."""
        raise NotImplementedError

    def refuse(self, request: web.Request) -> web.Response | None:
        """An answer that stands before any route: no credentials, too many requests."""
        raise NotImplementedError

    def decorate(self, response: web.StreamResponse) -> None:
        """Add headers that every answer carries."""

    async def _door(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.down:
            return message(503, "Service Unavailable")
        response = await self._answer(request, handler)
        if self.lose_answers and request.method == "POST" and response.status < 300:
            self.lose_answers -= 1
            if request.transport is not None:
                request.transport.abort()
        self.decorate(response)
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.match_info.http_exception is not None:
            self.unexpected.append(f"{request.method} {request.path}")
            return message(404, "The route could not be found.")
        refused = self.refuse(request)
        return refused if refused is not None else await handler(request)


def message(status: int, text: str) -> web.Response:
    """An error as Forge and GitHub put it: `{"message": …}`."""
    return web.json_response({"message": text}, status=status)
