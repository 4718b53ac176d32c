"""One answer to a check: a page's, a port's, or the provider's own view."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from aiohttp import web

from operations.deployment.ports import TargetHealth
from operations.deployment.target import Target
from operations.errors import (
    OperationError,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.monitoring.check import Check, CheckKind, Outcome
from providers.probe import has_run_out, why_not_connected
from providers.prober import CheckProber
from tests.factories import make_catalog
from tests.fakes_deployment import ScriptedProvider
from tests.unit.operations.monitoring.lookouts import SECOND, SteppedClock, make_check
from tests.unit.providers.certificates import make_certificate, serving_context


class Platform(ScriptedProvider):
    """A provider whose health a test decides."""

    def __init__(self) -> None:
        super().__init__()
        self.health: TargetHealth | OperationError | None = None

    async def status(self, target: Target) -> TargetHealth:
        """What the test says; nothing at all when it says nothing."""
        if self.health is None:
            await asyncio.Event().wait()
        if isinstance(self.health, OperationError):
            raise self.health
        assert self.health is not None
        return self.health


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
async def prober(clock: SteppedClock, platform: Platform) -> AsyncIterator[CheckProber]:
    """As it is built in production."""
    made = CheckProber({"k8s": platform}, make_catalog(), clock)
    yield made
    await made.close()


@pytest.fixture
async def page() -> AsyncIterator[str]:
    """A server with a page for each kind of answer, which counts its connections."""
    runner = web.AppRunner(_pages(), shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def _pages() -> web.Application:
    seen: set[object] = set()

    async def healthy(request: web.Request) -> web.Response:
        return web.Response(text="fine")

    async def broken(request: web.Request) -> web.Response:
        return web.Response(status=503)

    async def moved(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/healthy"})

    async def silent(request: web.Request) -> web.Response:
        await asyncio.sleep(5)
        return web.Response()

    async def fresh(request: web.Request) -> web.Response:
        peer = request.transport and request.transport.get_extra_info("peername")
        known = peer in seen
        seen.add(peer)
        return web.Response(status=500 if known else 204)

    async def rude(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    app = web.Application()
    for handler in (healthy, broken, moved, silent, fresh, rude):
        app.router.add_get(f"/{handler.__name__}", handler)
    return app


def at(url: str, **changes: object) -> Check:
    return make_check(**{"url": url, "timeout": timedelta(seconds=2), **changes})


async def judged(prober: CheckProber, check: Check) -> tuple[str, str]:
    seen = await prober.ask(check)
    return seen.outcome.value, seen.detail


@pytest.mark.parametrize(
    ("path", "expect", "outcome", "detail"),
    [
        ("healthy", 200, "ok", "answered 200"),
        ("broken", 503, "ok", "answered 503"),
        ("broken", 200, "failing", "answered 503, wanted 200"),
        ("moved", 200, "failing", "answered 302, wanted 200; redirects are not followed"),
        ("moved", 302, "ok", "answered 302"),
        ("rude", 200, "failing", "broke off: ServerDisconnectedError"),
    ],
)
async def test_a_page_is_judged_by_its_status(
    page: str, prober: CheckProber, path: str, expect: int, outcome: str, detail: str
) -> None:
    assert await judged(prober, at(f"{page}/{path}", expect=expect)) == (outcome, detail)


async def test_silence_is_not_waited_for_longer_than_the_check_allows(
    page: str, prober: CheckProber
) -> None:
    check = at(f"{page}/silent", timeout=timedelta(milliseconds=200))

    assert await judged(prober, check) == ("failing", "no answer within 0.2 s")


async def test_each_question_has_a_connection_of_its_own(page: str, prober: CheckProber) -> None:
    check = at(f"{page}/fresh", expect=204)

    outcomes = [(await prober.ask(check)).outcome for _ in range(3)]

    assert outcomes == [Outcome.OK] * 3


async def test_a_closed_port_refuses(prober: CheckProber) -> None:
    address = f"127.0.0.1:{free_port()}"

    refused = ("failing", "refused the connection")
    assert await judged(prober, at(f"http://{address}/")) == refused
    assert await judged(prober, at(f"tcp://{address}", kind=CheckKind.TCP)) == refused


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.mark.parametrize("url", ["", "ftp://example.com/"])
async def test_a_page_that_cannot_be_asked_is_an_error(prober: CheckProber, url: str) -> None:
    assert await judged(prober, at(url)) == ("error", "the URL cannot be asked")


@pytest.mark.parametrize("url", ["http://[", "http://a b/", f"http://{'a' * 70}.example/"])
async def test_a_host_that_no_name_can_be_is_no_bug(prober: CheckProber, url: str) -> None:
    assert (await prober.ask(at(url))).outcome in {Outcome.FAILING, Outcome.ERROR}


async def test_an_open_port_is_well(page: str, prober: CheckProber) -> None:
    check = at(page.replace("http:", "tcp:"), kind=CheckKind.TCP)

    assert await judged(prober, check) == ("ok", "accepts connections")


@pytest.mark.parametrize(
    "url", ["tcp://db", "tcp://:5432", "tcp://db:99999", "tcp://[", "", f"tcp://{'a' * 70}:1"]
)
async def test_a_port_that_cannot_be_asked_is_an_error(prober: CheckProber, url: str) -> None:
    outcome, _ = await judged(prober, at(url, kind=CheckKind.TCP))

    assert outcome == "error"


async def test_the_answer_s_time_and_span_are_told(
    page: str, platform: Platform, clock: SteppedClock, prober: CheckProber
) -> None:
    begun = clock.now()

    class Ticking(Platform):
        async def status(self, target: Target) -> TargetHealth:
            clock.time += 2 * SECOND
            return health("healthy")

    ticking = CheckProber({"k8s": Ticking()}, make_catalog(), clock)
    seen = await ticking.ask(make_check(kind=CheckKind.TARGET, url=""))
    await ticking.close()

    assert (seen.at, seen.took) == (begun + 2 * SECOND, 2 * SECOND)


def health(state: str, detail: str = "", desired: int = 2, healthy: int = 2) -> TargetHealth:
    return TargetHealth(
        version="1.0", artifact="a", desired=desired, healthy=healthy, state=state, detail=detail
    )


@pytest.mark.parametrize(
    ("told", "outcome", "detail"),
    [
        (health("healthy"), "ok", "2 of 2 healthy"),
        (health("healthy", "deployment 7 finished", -1, -1), "ok", "deployment 7 finished"),
        (health("degraded", healthy=1), "failing", "degraded: 1 of 2 healthy"),
        (health("down", "in maintenance mode", -1, -1), "failing", "down: in maintenance mode"),
        (
            health("deploying", healthy=1),
            "inconclusive",
            "a rollout is under way: 1 of 2 healthy",
        ),
        (
            health("deploying", "deployment 8 is deploying", -1, -1),
            "inconclusive",
            "a rollout is under way: deployment 8 is deploying",
        ),
        (
            health("deploying", healthy=0),
            "failing",
            "nothing serves while it deploys: 0 of 2 healthy",
        ),
        (
            health("unknown", "never deployed", -1, -1),
            "inconclusive",
            "could not ask: never deployed",
        ),
        (ProviderUnavailable("ECS throttles."), "inconclusive", "could not ask: ECS throttles."),
        (
            ProviderUnauthorized("Forge refuses the token=abcdefgh."),
            "inconclusive",
            "could not ask: Forge refuses the token=[redacted]",
        ),
        (ProviderRejected("There is no such service."), "error", "There is no such service."),
    ],
    ids=lambda given: given.state if isinstance(given, TargetHealth) else None if given else "none",
)
async def test_the_provider_s_view_is_judged(
    platform: Platform,
    prober: CheckProber,
    told: TargetHealth | OperationError,
    outcome: str,
    detail: str,
) -> None:
    platform.health = told

    check = make_check(kind=CheckKind.TARGET, url="")
    assert await judged(prober, check) == (outcome, detail)


async def test_a_provider_that_does_not_answer_is_no_failure_of_the_target(
    prober: CheckProber,
) -> None:
    check = make_check(kind=CheckKind.TARGET, url="", timeout=timedelta(milliseconds=50))

    assert await judged(prober, check) == (
        "inconclusive",
        "could not ask: no answer within 0.05 s",
    )


async def test_a_target_that_is_not_configured_is_an_error(prober: CheckProber) -> None:
    check = make_check(kind=CheckKind.TARGET, url="", project="gone")

    outcome, detail = await judged(prober, check)

    assert (outcome, detail) == ("error", "There is no project “gone”.")


async def test_cancelling_is_not_swallowed(page: str, prober: CheckProber) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await prober.ask(at(f"{page}/silent"))


def os_error(number: int) -> OSError:
    return OSError(number, "made up")


def chained(*inner: OSError) -> httpx.ConnectError:
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = ExceptionGroup("each address", list(inner))
    return error


@pytest.mark.parametrize(
    ("error", "words", "is_ours"),
    [
        (os_error(errno.EMFILE), "this machine has run out of connections", True),
        (chained(os_error(errno.EADDRNOTAVAIL)), "this machine has run out of connections", True),
        (
            chained(os_error(errno.EADDRNOTAVAIL), os_error(errno.EHOSTUNREACH)),
            "cannot be connected to",
            False,
        ),
        (chained(os_error(errno.ENETUNREACH)), "this machine has no way there", False),
        (
            chained(os_error(errno.ENETUNREACH), os_error(errno.ECONNREFUSED)),
            "refused the connection",
            False,
        ),
        (chained(socket.gaierror(socket.EAI_NONAME, "no")), "its name is not known", False),
        (chained(OSError("no number")), "cannot be connected to", False),
    ],
)
def test_the_asked_is_not_blamed_for_what_is_missing_here(
    error: Exception, words: str, is_ours: bool
) -> None:
    assert (why_not_connected(error), has_run_out(error)) == (words, is_ours)


Serve = Callable[[timedelta], str]


@pytest.fixture
async def serve_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Serve]:
    """Starts a page whose certificate ends so long from the machine's now, trusted by who asks next."""
    runner = web.AppRunner(_pages(), shutdown_timeout=0.05)
    await runner.setup()
    ports: list[socket.socket] = []
    async with asyncio.TaskGroup() as group:

        def serve(span: timedelta) -> str:
            files = make_certificate(tmp_path, datetime.now(UTC) + span)
            monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
            context = serving_context(files)
            listening = socket.create_server(("127.0.0.1", 0))
            ports.append(listening)
            group.create_task(web.SockSite(runner, listening, ssl_context=context).start())
            return f"https://127.0.0.1:{listening.getsockname()[1]}/healthy"

        yield serve
    await runner.cleanup()


async def judged_tls(
    serve_tls: Serve, span: timedelta, ahead: timedelta = timedelta(0)
) -> tuple[str, str]:
    url = serve_tls(span)
    clock = SteppedClock()
    clock.time = datetime.now(UTC) + ahead
    trusting = CheckProber({}, make_catalog(), clock)
    try:
        return await judged(trusting, at(url))
    finally:
        await trusting.close()


async def test_a_certificate_that_lasts_is_well(serve_tls: Serve) -> None:
    assert await judged_tls(serve_tls, timedelta(days=30)) == ("ok", "answered 200")


async def test_a_certificate_that_ends_soon_is_told_before_it_does(serve_tls: Serve) -> None:
    verdict = await judged_tls(
        serve_tls, timedelta(days=30, minutes=1), timedelta(days=27, hours=20)
    )

    assert verdict == ("failing", "its certificate ends in 2 d 4 h")


async def test_a_certificate_that_has_ended_is_told_as_that(serve_tls: Serve) -> None:
    verdict = await judged_tls(serve_tls, -timedelta(days=1))

    assert verdict == ("failing", "its certificate has expired")


async def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    serve_tls: Serve, prober: CheckProber
) -> None:
    """The prober has asked before anybody vouched."""
    await prober.ask(at(f"http://127.0.0.1:{free_port()}/"))
    verdict = await judged(prober, at(serve_tls(timedelta(days=30))))

    assert verdict == ("failing", "its certificate is not trusted")


async def test_a_server_that_speaks_no_tls_is_told(page: str, prober: CheckProber) -> None:
    verdict = await judged(prober, at(page.replace("http:", "https:")))

    assert verdict == ("failing", "TLS failed")
