"""`POST /slack/events`: Slack in HTTP mode. Bolt verifies the signature; what trips it is refused before."""

from __future__ import annotations

import re

from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

PATH = "/slack/events"
BODY_LIMIT = 1024 * 1024
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)


class SlackEvents:
    """The route's handler: `application.router.add_post(http.PATH, SlackEvents(app).handle)`."""

    def __init__(self, app: AsyncApp) -> None:
        self._app = app

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """401 without a valid signature of the last five minutes, 413 over 1 MiB."""
        # Bolt answers 500 to a timestamp that is no number.
        if not _TIMESTAMP.fullmatch(request.headers.get("X-Slack-Request-Timestamp", "")):
            return web.json_response({"error": "invalid request"}, status=401)
        body = await request.clone(client_max_size=BODY_LIMIT).read()
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            return web.json_response({"error": "invalid request"}, status=401)
        answer = await self._app.async_dispatch(
            AsyncBoltRequest(
                body=text, query=request.query_string, headers=dict(request.headers.items())
            )
        )
        return await to_aiohttp_response(answer)
