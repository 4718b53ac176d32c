"""`/healthz`: restart me when this fails. `/readyz`: send me no work while this fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from operations.errors import OperationError

_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """`is_alive` is the socket's own state in Socket Mode; `ping` asks the database and raises.

    `why_not` says why Slack has not accepted the token yet.
    """

    is_alive: Callable[[], Awaitable[bool]]
    ping: Callable[[], Awaitable[None]]
    is_accepted: Callable[[], bool]
    why_not: Callable[[], str] = lambda: "the token was not accepted yet"

    async def answer_alive(self, request: web.Request) -> web.Response:
        """200 while the process serves and, in Socket Mode, its socket is alive."""
        alive = await self.is_alive()
        return _answer("slack", "" if alive else "the socket is not connected")

    async def answer_ready(self, request: web.Request) -> web.Response:
        """200 when the database answers and Slack accepted the token."""
        if not self.is_accepted():
            return _answer("slack", self.why_not())
        try:
            async with asyncio.timeout(_SECONDS):
                await self.ping()
        except (OperationError, TimeoutError):
            return _answer("database", "no answer")
        return _answer("database", "")


def _answer(part: str, trouble: str) -> web.Response:
    body = {"status": "trouble", part: trouble} if trouble else {"status": "ok"}
    return web.json_response(body, status=503 if trouble else 200)
