"""The running bot: one TaskGroup with Slack, HTTP, workers, checks and the schedule; signals; shutdown.

On SIGTERM intake stops first, what was acknowledged is answered, rollouts are handed over by giving their
leases back, and the process ends within ten seconds; a kill at any moment loses nothing either.
"""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import replace
from functools import partial

import structlog
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from bot.bootstrap import Services, open_services
from bot.clock import SystemClock
from bot.config import Config
from bot.doctor import examine_running
from bot.heartbeat import heartbeat
from bot.http import HttpSide, build_http
from bot.letters import build_letters
from bot.metering import Meters, trace_slack
from bot.metrics import Metrics
from bot.routes import Couriers
from bot.schedule import Loop, running_jobs
from bot.settings import Settings
from bot.shipments import Shipments
from bot.vitals import Organs, Vitals
from bot.webhooks import build_webhooks, open_callers
from handlers.http.app import build_http_app
from handlers.http.health import Health
from handlers.http.metrics import metrics as metrics_route
from handlers.http.server import open_server
from handlers.slack.app import SlackParts, SlackSide, build_slack, client_session, web_client
from handlers.slack.digest_cards import DigestParts
from handlers.slack.doctor import Examining
from handlers.slack.groups import SlackMembers
from handlers.slack.http import SlackEvents
from handlers.slack.socket import SocketConnection, check_tokens
from operations.errors import ProviderUnavailable

_LOG = structlog.get_logger("hms.runtime")
_DRAIN_SECONDS = 3.0
_RECONNECT_SECONDS = 5.0
_DEAF_SECONDS = 120.0
"""A connection that lasted this long was a real one: its end is not a Slack that is down at our start."""


async def serve(settings: Settings, config: Config, couriers: Couriers) -> None:
    """Run until SIGTERM or SIGINT. `couriers` deliver on the ways beside Slack.

    Raises ProviderUnauthorized when Slack refuses a token, OSError when the port is taken, SettingsError
    for secrets of components that cannot be used.
    """
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(client_session(trace_slack(metrics)))
        client = web_client(_text(settings.slack_bot_token), settings.slack_api_url, session)
        members = SlackMembers(client, SystemClock())
        services = await stack.enter_async_context(
            open_services(settings, config, members, Meters(metrics))
        )
        letters = build_letters(config, couriers, services)
        http = build_http(config, services)
        callers = open_callers(config, services.clock, stack)
        webhooks = build_webhooks(config, callers, services)
        services = replace(
            services,
            loops=[*services.loops, *letters.loops, *webhooks.loops],
            jobs=[*services.jobs, *letters.jobs, *http.jobs, *webhooks.jobs],
        )
        examining = partial(examine_running, settings, config, services, client)
        bot = Bot(settings, services, client, metrics, http, examining)
        await bot.run()


class Bot:
    """One process of the bot: built from services, run once."""

    def __init__(
        self,
        settings: Settings,
        services: Services,
        client: AsyncWebClient,
        metrics: Metrics,
        http: HttpSide,
        examining: Examining,
    ) -> None:
        self._settings = settings
        self._services = services
        self._client = client
        self._http_side = http
        self._is_accepted = False
        self._why_not = ""
        self._stop = asyncio.Event()
        self._side = build_slack(
            SlackParts(
                deployments=services.deployments,
                alerting=services.monitoring.alerting,
                triage=services.errors.triage,
                digests=DigestParts(
                    digests=services.digests.digests,
                    painter=services.digests.painter,
                    native_charts=services.digests.native_charts,
                ),
                queue=services.database.notice_queue,
                clock=services.clock,
                guard=services.supervisor,
                capabilities={n: p.capabilities for n, p in services.providers.items()},
                owner=services.owner,
                shipments=Shipments(services.commits, services.catalog),
                addresses={check.id: check.url for check in services.monitoring.checks},
                examining=examining,
                tickets=services.tickets,
            ),
            client=client,
            signing_secret=_text(settings.slack_signing_secret),
        )
        self._socket = _socket(settings, self._side, services)
        self._vitals = _vitals(services, self._socket, metrics)

    async def run(self) -> None:
        """Start everything, wait for a signal, stop everything."""
        await self._check_token()
        with _signals(self._stop):
            async with self._http() as port, self._jobs(), asyncio.TaskGroup() as group:
                tasks = self._start(group)
                _settle_memory()
                _LOG.info("ready", host=self._settings.host, port=port)
                await self._stop.wait()
                _LOG.info("stopping")
                await self._stop_intake()
                for task in tasks:
                    task.cancel()

    async def _check_token(self) -> None:
        """A token that is refused ends the process at once; a Slack that is down is waited for."""
        try:
            await check_tokens(self._client)
            self._is_accepted = True
        except ProviderUnavailable as exc:
            self._why_not = exc.message
            _LOG.warning("Slack has not accepted the token yet", why=exc.message)

    def _start(self, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
        keep = self._services.supervisor.keep
        loops = [
            *self._services.loops,
            Loop("notices", self._side.notices.run),
            Loop("lag", self._vitals.lag.run),
        ]
        tasks = [group.create_task(keep(loop.name, loop.run), name=loop.name) for loop in loops]
        if not self._is_accepted:
            tasks.append(group.create_task(self._await_acceptance(), name="acceptance"))
        if self._socket is not None:
            tasks.append(group.create_task(self._listen(self._socket), name="socket"))
        return tasks

    async def _listen(self, connection: SocketConnection) -> None:
        """Connect, again and again while Slack is down; a socket gone deaf ends the process."""
        while True:
            begun = self._services.clock.now()
            try:
                await connection.run()
            except ProviderUnavailable as exc:
                if (self._services.clock.now() - begun).total_seconds() >= _DEAF_SECONDS:
                    raise
                _LOG.warning("no socket to Slack yet", why=exc.message)
            await self._services.clock.sleep(_RECONNECT_SECONDS)

    async def _await_acceptance(self) -> None:
        while not self._is_accepted:
            await self._services.clock.sleep(5)
            await self._check_token()

    async def _stop_intake(self) -> None:
        if self._socket is not None:
            await self._socket.close(_DRAIN_SECONDS)
        else:
            await self._side.boundary.drain(_DRAIN_SECONDS)

    @asynccontextmanager
    async def _http(self) -> AsyncIterator[int]:
        """Listen; yields the port, which is a free one when 0 was asked for."""
        health = Health(
            is_alive=self._is_alive,
            ping=self._services.database.ping,
            is_accepted=lambda: self._is_accepted,
            why_not=lambda: self._why_not,
        )
        route = None if self._socket else SlackEvents(self._side.app).handle
        parts = [metrics_route(self._vitals.scrape), *self._http_side.parts]
        app = build_http_app(health, route, around=self._http_side.around, parts=parts)
        new_id = self._http_side.around.new_id
        async with open_server(
            app, self._settings.host, self._settings.port, new_id=new_id
        ) as port:
            yield port

    async def _is_alive(self) -> bool:
        return self._socket is None or await self._socket.is_alive()

    def _jobs(self) -> AbstractAsyncContextManager[None]:
        jobs = list(self._services.jobs)
        if self._services.beacon is not None:
            jobs.append(heartbeat(self._services.beacon, self._vitals.trouble))
        return running_jobs(jobs, self._services.supervisor)


def _settle_memory() -> None:
    """What is there now stays to the end: going through all of it would stop everything for 50 ms."""
    gc.collect()
    gc.freeze()


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGINT)
    for number in caught:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in caught:
            loop.remove_signal_handler(number)


def _socket(settings: Settings, side: SlackSide, services: Services) -> SocketConnection | None:
    if settings.slack_app_token is None:
        return None
    return SocketConnection(
        side.app, _text(settings.slack_app_token), side.boundary, services.clock
    )


def _vitals(services: Services, connection: SocketConnection | None, metrics: Metrics) -> Vitals:
    organs = Organs(
        database=services.database,
        check_ids=[check.id for check in services.monitoring.checks],
        is_connected=connection.is_alive if connection else None,
        clock=services.clock,
    )
    return Vitals(organs, metrics)


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
