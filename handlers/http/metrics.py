"""`/metrics` for Prometheus. It asks for no token, as is usual, and tells no names and no secrets."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Scrape = Callable[[], Awaitable[bytes]]
"""Everything as it is now, in Prometheus' text format. It never raises for a database that is away."""


def metrics(scrape: Scrape) -> Callable[[web.Application], None]:
    """Registers the route."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=await scrape(), headers={"Content-Type": CONTENT_TYPE})

    def register(app: web.Application) -> None:
        app.router.add_get("/metrics", answer)

    return register
