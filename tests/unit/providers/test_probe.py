"""The health probe: one answer, judged in a few words."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from operations.deployment.target import HealthRule
from providers.probe import HttpProbe


@pytest.fixture
async def page() -> AsyncIterator[str]:
    """A server with a page for each kind of health."""

    async def healthy(request: web.Request) -> web.Response:
        return web.Response(text="fine")

    async def broken(request: web.Request) -> web.Response:
        return web.Response(status=503)

    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/healthy"})

    async def silent(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await asyncio.sleep(5)
        return response

    app = web.Application()
    for handler in (healthy, broken, moved, silent, endless):
        app.router.add_get(f"/{handler.__name__}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def probe() -> AsyncIterator[HttpProbe]:
    """The probe as it is built in production."""
    made = HttpProbe()
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("path", "expect", "trouble"),
    [
        ("healthy", 200, ""),
        ("broken", 503, ""),
        ("broken", 200, "answered 503, wanted 200"),
        ("moved", 200, "answered 302, wanted 200"),
        ("moved", 302, ""),
        ("endless", 200, ""),
    ],
)
async def test_an_answer_is_judged(
    page: str, probe: HttpProbe, path: str, expect: int, trouble: str
) -> None:
    assert await probe.probe(HealthRule(url=f"{page}/{path}", expect=expect)) == trouble


async def test_silence_is_not_waited_for(page: str) -> None:
    hasty = HttpProbe(deadline=0.2)

    trouble = await hasty.probe(HealthRule(url=f"{page}/silent"))
    await hasty.close()

    assert trouble == "no answer within 0.2 s"


async def test_a_closed_port_refuses(probe: HttpProbe) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    trouble = await probe.probe(HealthRule(url=f"http://127.0.0.1:{port}/"))

    assert trouble == "refused the connection"


async def test_a_server_that_speaks_no_tls_is_told(page: str, probe: HttpProbe) -> None:
    trouble = await probe.probe(HealthRule(url=page.replace("http:", "https:")))

    assert trouble == "TLS failed"


@pytest.mark.parametrize("url", ["", "ftp://example.com/", "http://[", "http://a b/"])
async def test_a_url_that_cannot_be_asked_does_not_raise(probe: HttpProbe, url: str) -> None:
    assert await probe.probe(HealthRule(url=url))


async def test_cancelling_is_not_swallowed(page: str, probe: HttpProbe) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await probe.probe(HealthRule(url=f"{page}/silent"))
