"""Socket Mode, with the care that the SDK leaves to its user.

The SDK retries for ever: with a token that is refused, with an address whose ticket has run out, and with a
socket that has gone deaf. So tokens are tried first, a stuck connection gets a new address, and a deafness
that lasts ends the process, whose supervisor starts a fresh one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import timedelta

import aiohttp
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack.boundary import Boundary
from operations.clock import Clock
from operations.errors import ProviderUnauthorized, ProviderUnavailable
from operations.redaction import clean

_LOG = logging.getLogger("hms.slack.socket")
_REFUSED = frozenset(
    {
        "account_inactive",
        "forbidden_team",
        "invalid_auth",
        "missing_scope",
        "not_allowed_token_type",
        "not_authed",
        "token_expired",
        "token_revoked",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketSettings:
    """`stuck_seconds` without a connection: a new address is asked for. `deaf_seconds`: the process ends."""

    connect_seconds: float = 30.0
    check_seconds: float = 5.0
    stuck_seconds: float = 30.0
    deaf_seconds: float = 300.0
    ping_seconds: float = 10.0


async def check_tokens(client: AsyncWebClient, app_token: str = "") -> str:
    """The bot's workspace, by name; raises ProviderUnauthorized for a token that Slack refuses.

    `app_token` is tried too when it is given, by asking for a socket's address.
    """
    answer = await _asked("SLACK_BOT_TOKEN", client.auth_test())
    if app_token:
        await _socket_address(client, app_token)
    return str(answer.get("team") or "")


async def _socket_address(client: AsyncWebClient, app_token: str) -> str:
    answer = await _asked("SLACK_APP_TOKEN", client.apps_connections_open(app_token=app_token))
    return str(answer.get("url") or "")


async def _asked(variable: str, call: Awaitable[AsyncSlackResponse]) -> AsyncSlackResponse:
    try:
        async with asyncio.timeout(10):
            return await call
    except SlackApiError as exc:
        told = clean(str(exc.response.get("error", "")), limit=80)
        if told not in _REFUSED:
            raise ProviderUnavailable(f"Slack does not answer as it should: {told}.") from exc
        raise ProviderUnauthorized(
            f"Slack does not accept {variable}: {told or 'no reason given'}.",
            hint=f"Check {variable} under api.slack.com/apps.",
        ) from exc
    except (TimeoutError, aiohttp.ClientError, SlackClientError) as exc:
        raise ProviderUnavailable("Slack cannot be reached.") from exc


class SocketConnection:
    """One connection to Slack. `run` keeps it alive until cancelled, `close` ends it gently before that."""

    def __init__(
        self,
        app: AsyncApp,
        app_token: str,
        boundary: Boundary,
        clock: Clock,
        settings: SocketSettings | None = None,
    ) -> None:
        self._app = app
        self._app_token = app_token
        self._boundary = boundary
        self._clock = clock
        self._settings = settings or SocketSettings()
        self._handler: AsyncSocketModeHandler | None = None
        self._closing = False

    async def is_alive(self) -> bool:
        """Whether the socket itself is open and answers pings; what `/healthz` asks."""
        return self._handler is not None and await self._handler.client.is_connected()

    async def run(self) -> None:
        """Connect and watch; raises ProviderUnauthorized or ProviderUnavailable when that is hopeless."""
        await check_tokens(self._app.client)
        address = await _socket_address(self._app.client, self._app_token)
        handler = AsyncSocketModeHandler(
            self._app,
            self._app_token,
            logger=_LOG,
            ping_interval=self._settings.ping_seconds,
        )
        handler.client.wss_uri = address
        self._handler = handler
        try:
            await self._connect(handler)
            await self._watch(handler)
        finally:
            async with asyncio.timeout(5):
                await handler.close_async()  # type: ignore[no-untyped-call]  # the SDK is untyped here

    async def close(self, seconds: float) -> int:
        """Take nothing more, let what is under way be acknowledged and answered, then hang up.

        Returns how many requests were left unanswered.
        """
        self._closing = True
        handler = self._handler
        if handler is not None:
            # Else the monitor would connect again after the last disconnect.
            handler.client.auto_reconnect_enabled = False
            handler.client.default_auto_reconnect_enabled = False
        left = await self._boundary.drain(seconds)
        if handler is not None:
            await handler.client.disconnect()  # type: ignore[no-untyped-call]  # same
        return left

    async def _connect(self, handler: AsyncSocketModeHandler) -> None:
        try:
            async with asyncio.timeout(self._settings.connect_seconds):
                await handler.connect_async()  # type: ignore[no-untyped-call]  # same
        except TimeoutError as exc:
            raise ProviderUnavailable("Slack's socket cannot be reached.") from exc

    async def _watch(self, handler: AsyncSocketModeHandler) -> None:
        """Return only by an error: deaf for too long."""
        heard_at = renewed_at = self._clock.now()
        while True:
            await self._clock.sleep(self._settings.check_seconds)
            now = self._clock.now()
            if self._closing or await handler.client.is_connected():
                heard_at = renewed_at = now
                continue
            self._check_deaf(now - heard_at)
            if now - renewed_at >= timedelta(seconds=self._settings.stuck_seconds):
                _LOG.warning("the socket to Slack is stuck: asking for a new address")
                # The SDK would try the old address, whose ticket is used up, for ever.
                handler.client.wss_uri = None
                renewed_at = now

    def _check_deaf(self, span: timedelta) -> None:
        if span >= timedelta(seconds=self._settings.deaf_seconds):
            raise ProviderUnavailable(
                f"Slack's socket has been deaf for {span.total_seconds():.0f} s.",
                hint="The process ends, so that a fresh one takes over.",
            )
