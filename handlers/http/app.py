"""The bot's one aiohttp application and its routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from aiohttp import web

from handlers.http.boundary import BoundarySettings, boundary
from handlers.http.health import Health

Handle = Callable[[web.Request], Awaitable[web.StreamResponse]]
Register = Callable[[web.Application], None]
"""Adds routes: the API's, the hooks', the metrics'."""

BODY_LIMIT = 1024 * 1024


def build_http_app(
    health: Health,
    slack: Handle | None = None,
    *,
    around: BoundarySettings,
    parts: Sequence[Register] = (),
) -> web.Application:
    """`slack` is the handler of signed requests; None in Socket Mode, where Slack never calls us."""
    app = web.Application(client_max_size=BODY_LIMIT, middlewares=[boundary(around)])
    app.router.add_get("/healthz", health.answer_alive)
    app.router.add_get("/readyz", health.answer_ready)
    if slack is not None:
        app.router.add_post("/slack/events", slack)
    for register in parts:
        register(app)
    return app
