"""What an answer to a change at Forge means, and that a change is sent once."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from bot.clock import SystemClock
from operations.errors import (
    OutcomeUnknown,
    ProviderError,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from providers.forge.api import ForgeApi
from providers.forge.budget import Budget, Errand
from providers.specs import ForgeSpec

SPEC = ForgeSpec(provider="forge", organization="acme", server=123, site=456)


class OneAnswer:
    """A server with one answer to everything; `asked` counts."""

    def __init__(self, status: int, body: str) -> None:
        self.asked = 0
        self._status = status
        self._body = body

    async def handle(self, request: web.Request) -> web.Response:
        """The answer."""
        self.asked += 1
        headers = {"Location": "/elsewhere"} if 300 <= self._status < 400 else {}
        return web.Response(status=self._status, text=self._body, headers=headers)


@asynccontextmanager
async def forge_api(base_url: str) -> AsyncIterator[ForgeApi]:
    """The client, with a budget that nobody exhausts."""
    clock = SystemClock()
    budget = Budget(clock=clock, per_minute=6000)
    api = ForgeApi(token="secret", base_url=base_url, budget=budget, clock=clock, deadline=3.0)
    yield api
    await api.close()


@asynccontextmanager
async def answering(status: int, body: str = "{}") -> AsyncIterator[tuple[OneAnswer, ForgeApi]]:
    """A server and the client of it."""
    server = OneAnswer(status, body)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with forge_api(f"http://127.0.0.1:{runner.addresses[0][1]}/api") as api:
        yield server, api
    await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (202, OutcomeUnknown),
        (302, ProviderRejected),
        (401, ProviderUnauthorized),
        (403, ProviderUnauthorized),
        (404, ProviderRejected),
        (422, ProviderRejected),
        (429, ProviderUnavailable),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (503, ProviderUnavailable),
    ],
)
async def test_an_answer_to_a_deployment_says_whether_it_happened(
    status: int, error: type[ProviderError]
) -> None:
    async with answering(status, "not json") as (server, api):
        with pytest.raises(error):
            await api.deploy(SPEC)

        assert server.asked == 1


async def test_a_server_that_is_not_there_was_told_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    async with forge_api(f"http://127.0.0.1:{port}/api") as api:
        with pytest.raises(ProviderUnavailable):
            await api.deploy(SPEC)


async def test_a_read_is_tried_twice() -> None:
    async with answering(502) as (server, api):
        with pytest.raises(ProviderUnavailable):
            await api.deployments(SPEC)

        assert server.asked == 2


async def test_a_throttled_read_is_not_repeated() -> None:
    async with answering(429) as (server, api):
        with pytest.raises(ProviderUnavailable):
            await api.deployments(SPEC)

        assert server.asked == 1


async def test_an_answer_of_an_unknown_shape_is_told() -> None:
    async with answering(200, '{"data": "something else"}') as (_, api):
        with pytest.raises(ProviderRejected, match="shape"):
            await api.deployments(SPEC)


async def test_what_forge_says_is_passed_on() -> None:
    async with answering(422, '{"message": "The site is not installed."}') as (_, api):
        with pytest.raises(ProviderRejected, match="The site is not installed"):
            await api.deploy(SPEC)


async def test_a_deployment_that_is_gone_is_none() -> None:
    async with answering(404) as (_, api):
        assert await api.deployment(SPEC, 1, Errand.URGENT) is None
