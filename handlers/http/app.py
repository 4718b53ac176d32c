"""The bot's one aiohttp application and its routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from handlers.http.health import Health

SlackRoute = Callable[[web.Request], Awaitable[web.StreamResponse]]

BODY_LIMIT = 1024 * 1024


def build_http_app(health: Health, slack: SlackRoute | None = None) -> web.Application:
    """`slack` is the handler of signed requests; None in Socket Mode, where Slack never calls us."""
    app = web.Application(client_max_size=BODY_LIMIT)
    app.router.add_get("/healthz", health.answer_alive)
    app.router.add_get("/readyz", health.answer_ready)
    if slack is not None:
        app.router.add_post("/slack/events", slack)
    return app
