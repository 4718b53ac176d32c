"""Listening: aiohttp's own server, with our answer to what is not HTTP, and an end to those who say nothing.

What is not HTTP never becomes a request, so it passes `boundary` by: aiohttp would answer it in plain text,
and log it as an error of ours with what the caller sent, token included.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus

from aiohttp import web

from handlers.http.headers import mark
from handlers.http.problems import problem
from operations.redaction import clean

_LOG = logging.getLogger("hms.http")
_SILENT_SECONDS = 30.0
"""So long a connection may take until its first request has come, the body apart."""
_SHUTDOWN_SECONDS = 1.0


@asynccontextmanager
async def open_server(
    application: web.Application,
    host: str,
    port: int,
    *,
    new_id: Callable[[], str],
    silent_seconds: float = _SILENT_SECONDS,
) -> AsyncIterator[int]:
    """Listen; yields the port, which is a free one when 0 was asked for. Raises OSError."""
    runner = web.AppRunner(application, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        server = runner.server
        if server is None:
            raise RuntimeError("a runner that is set up has a server")
        listener = await asyncio.get_running_loop().create_server(
            lambda: _Connection(server, new_id, silent_seconds), host, port, backlog=128
        )
        try:
            yield listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
    finally:
        await runner.cleanup()


class _Connection(web.RequestHandler):
    """One caller's connection."""

    __slots__ = ("_new_id", "_silence", "_silent_seconds")

    def __init__(
        self, server: web.Server, new_id: Callable[[], str], silent_seconds: float
    ) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            server,
            loop=loop,
            access_log=None,  # type: ignore[arg-type]  # aiohttp's own way to have none
        )
        self._new_id = new_id
        self._silent_seconds = silent_seconds
        self._silence: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for its first request."""
        super().connection_made(transport)
        loop = asyncio.get_running_loop()
        self._silence = loop.call_later(self._silent_seconds, self.force_close)

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is gone."""
        self.hear()
        super().connection_lost(exc)

    def hear(self) -> None:
        """It has asked for something: from now on the request's own deadline holds."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer to what is not HTTP; all else that comes here is a bug, which aiohttp logs."""
        if status != HTTPStatus.BAD_REQUEST or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        _LOG.info("not HTTP: %s", type(exc).__name__)
        why = clean((message or "").partition(":")[0], limit=100).rstrip(".")
        answer = problem(status, f"This is not HTTP as it should be: {why}.")
        answer.force_close()
        return mark(answer, self._new_id())


def heard(request: web.Request) -> None:
    """Tell the caller's connection that a request has come."""
    if isinstance(request.protocol, _Connection):
        request.protocol.hear()
