"""What is in a page, how long it took, and where it leads on to."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web

from operations.monitoring.check import Check, Redirects
from providers.addresses import Address, is_public
from providers.pages import READ_BYTES, Passage
from providers.patterns import TooSlow, is_found
from providers.prober import CheckProber
from tests.factories import make_catalog
from tests.unit.operations.monitoring.lookouts import SECOND, SteppedClock, make_check
from tests.unit.providers.certificates import make_certificate, serving_context

LOOPBACK = ip_address("127.0.0.1")


@dataclass
class Streets:
    """Names that exist for a test only, and addresses that count as public in it."""

    names: dict[str, list[Address]] = field(default_factory=dict)
    public: set[Address] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def resolve(self, host: str, port: int) -> list[Address]:
        """As the test says."""
        self.asked.append(host)
        if host not in self.names:
            raise OSError("nobody knows it")
        return self.names[host]

    def is_public(self, address: Address) -> bool:
        """As the test says, or as it is."""
        return address in self.public or is_public(address)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def streets() -> Streets:
    return Streets()


@pytest.fixture
async def prober(clock: SteppedClock, streets: Streets) -> AsyncIterator[CheckProber]:
    """With names of its own."""
    passage = Passage(resolve=streets.resolve, is_public=streets.is_public)
    made = CheckProber({}, make_catalog(), clock, passage)
    yield made
    await made.close()


Answer = Callable[[], web.Response]


@dataclass
class Site:
    """A server whose pages a test writes."""

    url: str = ""
    pages: dict[str, Answer] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        """One page; what nobody wrote is a bug of the test."""
        self.hosts.append(request.host)
        return self.pages[request.path]()

    def page(self, path: str, answer: Answer) -> str:
        """Its address."""
        self.pages[path] = answer
        return self.url + path

    def text(self, path: str, text: str) -> str:
        """A page with words."""
        return self.page(path, lambda: web.Response(text=text))

    def moved(self, path: str, where: str) -> str:
        """A page that leads on."""
        return self.page(path, lambda: web.Response(status=302, headers={"Location": where}))

    @property
    def port(self) -> str:
        """Where it listens."""
        return self.url.rpartition(":")[2]


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Site]:
    """On a free port of loopback."""
    site = Site()
    app = web.Application()
    app.router.add_get("/{path:.*}", site.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    scheme = "https" if context else "http"
    site.url = f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"
    yield site
    await runner.cleanup()


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """With no pages yet."""
    async with serving() as made:
        yield made


def at(url: str, **changes: object) -> Check:
    """A check of a page."""
    return make_check(**{"url": url, "timeout": timedelta(seconds=2), **changes})


async def judged(prober: CheckProber, check: Check) -> tuple[str, str]:
    """The answer in short."""
    seen = await prober.ask(check)
    return seen.outcome.value, seen.detail


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ("ready", ("ok", "answered 200")),
        (r"re\w+y$", ("ok", "answered 200")),
        ("steady", ("failing", "answered 200, but not what was wanted")),
    ],
)
async def test_what_is_in_a_page_is_judged(
    site: Site, prober: CheckProber, body: str, answer: tuple[str, str]
) -> None:
    assert await judged(prober, at(site.text("/", "all ready"), body=body)) == answer


async def test_only_the_beginning_of_a_page_is_read(site: Site, prober: CheckProber) -> None:
    within = site.text("/within", "x" * (READ_BYTES - 3) + "end")
    beyond = site.text("/beyond", "x" * (READ_BYTES - 2) + "end" + "x" * 5_000_000)

    assert (await judged(prober, at(within, body="end")))[0] == "ok"
    assert (await judged(prober, at(beyond, body="end")))[0] == "failing"


@pytest.mark.parametrize("kind", ["text/plain; charset=utf-8", "text/plain; charset=klingon", ""])
async def test_what_is_no_text_is_read_all_the_same(
    site: Site, prober: CheckProber, kind: str
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    url = site.page("/", lambda: web.Response(body=b"\xff\x00 ready \xfe", headers=headers))

    assert await judged(prober, at(url, body="ready")) == ("ok", "answered 200")


async def test_a_compressed_page_is_not_unpacked(site: Site, prober: CheckProber) -> None:
    """It may be a thousand times as long."""
    url = site.page(
        "/", lambda: web.Response(body=b"\x1f\x8b ready", headers={"Content-Encoding": "gzip"})
    )

    assert await judged(prober, at(url, body="ready")) == (
        "failing",
        "answered compressed, which was not asked for",
    )


async def test_a_pattern_that_takes_for_ever_is_an_error(site: Site, prober: CheckProber) -> None:
    url = site.text("/", "a" * 60 + "b")

    assert await judged(prober, at(url, body="(a+)+$")) == (
        "error",
        "the pattern takes too long on this page",
    )


def test_after_a_pattern_that_took_too_long_the_next_one_works() -> None:
    with pytest.raises(TooSlow):
        is_found("(a+)+$", "a" * 60 + "b")

    assert is_found("b$", "a" * 60 + "b")


async def test_a_slow_answer_is_a_failing_one(
    site: Site, prober: CheckProber, clock: SteppedClock
) -> None:
    def slowly() -> web.Response:
        clock.time += 3 * SECOND
        return web.Response()

    url = site.page("/", slowly)

    assert await judged(prober, at(url, slower_than=2 * SECOND)) == (
        "failing",
        "took 3.0 s, wanted 2 s at most",
    )
    assert await judged(prober, at(url, slower_than=3 * SECOND)) == ("ok", "answered 200")


async def test_a_wrong_answer_is_not_called_slow(
    site: Site, prober: CheckProber, clock: SteppedClock
) -> None:
    def slowly() -> web.Response:
        clock.time += 3 * SECOND
        return web.Response(status=503)

    check = at(site.page("/", slowly), slower_than=SECOND)

    assert await judged(prober, check) == ("failing", "answered 503, wanted 200")


async def test_anywhere_is_followed_when_the_check_says_so(site: Site, prober: CheckProber) -> None:
    site.text("/end", "here")
    url = site.moved("/start", "/end")

    assert await judged(prober, at(url, redirects=Redirects.ANY, body="here")) == (
        "ok",
        "answered 200",
    )


@pytest.mark.parametrize("expect", [200, 302])
async def test_what_was_wanted_is_not_followed(
    site: Site, prober: CheckProber, expect: int
) -> None:
    site.page("/end", lambda: web.Response(status=404))
    url = site.moved("/start", "/end")

    outcome, _ = await judged(prober, at(url, redirects=Redirects.ANY, expect=expect))

    assert outcome == ("ok" if expect == 302 else "failing")


async def test_a_circle_has_an_end(site: Site, prober: CheckProber) -> None:
    url = site.moved("/round", "/round")

    assert await judged(prober, at(url, redirects=Redirects.ANY)) == (
        "failing",
        "redirects more than 5 times",
    )
    assert len(site.hosts) == 6


NOT_FOLLOWED = "redirects to an address that is not public, where it is not followed"


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1"]
)
async def test_a_private_address_is_not_followed(
    site: Site, prober: CheckProber, streets: Streets, address: str
) -> None:
    streets.names["inside.example"] = [ip_address("93.184.216.34"), ip_address(address)]
    url = site.moved("/start", "http://inside.example/latest/meta-data")

    assert await judged(prober, at(url, redirects=Redirects.PUBLIC)) == ("failing", NOT_FOLLOWED)
    assert len(site.hosts) == 1


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "[::1]"])
async def test_other_ways_to_write_a_private_address_are_seen_through(
    site: Site, clock: SteppedClock, host: str
) -> None:
    """By the system's own names."""
    prober = CheckProber({}, make_catalog(), clock)
    url = site.moved("/start", f"http://{host}:{site.port}/end")

    verdict = await judged(prober, at(url, redirects=Redirects.PUBLIC))
    await prober.close()

    assert verdict == ("failing", NOT_FOLLOWED)


async def test_the_connection_goes_to_the_address_that_was_judged(
    site: Site, prober: CheckProber, streets: Streets
) -> None:
    """The name is looked up once: whoever answers for it cannot change their mind in between."""
    streets.names["pages.example"] = [LOOPBACK]
    streets.public.add(LOOPBACK)
    site.text("/end", "here")
    url = site.moved("/start", f"http://user:pw@pages.example:{site.port}/end")

    assert await judged(prober, at(url, redirects=Redirects.PUBLIC, body="here")) == (
        "ok",
        "answered 200",
    )
    assert streets.asked == ["pages.example"]
    assert site.hosts[-1] == f"pages.example:{site.port}"


async def test_each_hop_is_judged(site: Site, prober: CheckProber, streets: Streets) -> None:
    streets.names |= {"pages.example": [LOOPBACK], "inside.example": [ip_address("10.0.0.1")]}
    streets.public.add(LOOPBACK)
    site.moved("/second", "http://inside.example/")
    url = site.moved("/start", f"http://pages.example:{site.port}/second")

    assert await judged(prober, at(url, redirects=Redirects.PUBLIC)) == ("failing", NOT_FOLLOWED)


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("ftp://pages.example/", "redirects to what is no page"),
        ("file:///etc/passwd", "redirects to what is no address"),
        ("http://nowhere.example/", "redirects to a name that is not known"),
    ],
)
async def test_what_cannot_be_followed_is_told(
    site: Site, prober: CheckProber, where: str, why: str
) -> None:
    url = site.moved("/start", where)

    assert await judged(prober, at(url, redirects=Redirects.PUBLIC)) == ("failing", why)


async def test_the_name_is_what_a_certificate_is_judged_by(
    site: Site,
    clock: SteppedClock,
    streets: Streets,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Though the connection is made to an address."""
    files = make_certificate(tmp_path, datetime.now(UTC) + timedelta(days=30), "pages.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    clock.time = datetime.now(UTC)
    streets.names = {"pages.example": [LOOPBACK], "others.example": [LOOPBACK]}
    streets.public.add(LOOPBACK)
    passage = Passage(resolve=streets.resolve, is_public=streets.is_public)
    prober = CheckProber({}, make_catalog(), clock, passage)
    async with serving(serving_context(files)) as secure:
        secure.text("/end", "here")
        good = site.moved("/good", f"https://pages.example:{secure.port}/end")
        bad = site.moved("/bad", f"https://others.example:{secure.port}/end")

        verdicts = [
            await judged(prober, at(url, redirects=Redirects.PUBLIC)) for url in (good, bad)
        ]
    await prober.close()

    assert verdicts == [("ok", "answered 200"), ("failing", "its certificate is not trusted")]


PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8"]
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2001:0:a00:1::",
    "2002:a00:1::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_addresses_that_only_some_can_reach(address: str) -> None:
    """Private, of this machine, of the link, of a cloud's own services; also in another's clothes."""
    assert not is_public(ip_address(address))
