"""Asks a page: status, certificate, what is in it, and where it leads on to.

A redirect is an answer, unless the check wants it followed. To public addresses only, the name is looked
up here and the connection made to the very address that was judged, with the name kept for TLS and Host.

By aiohttp, unlike the rest of `providers`: asked a thousand pages every 30 s, httpx alone took more of a
core than all of the watching may. Whoever needs no pages imports nothing of it (see `providers.prober`).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import cast
from urllib.request import getproxies

import aiohttp
import httpx
from aiohttp.connector import Connection
from yarl import URL

from operations.clock import Clock
from operations.monitoring.check import Check, Outcome, Redirects
from operations.redaction import clean
from providers.addresses import Address, Resolve, is_public, resolve
from providers.certificates import judge_certificate
from providers.patterns import TooSlow, is_found
from providers.probe import Verdict, judge_connecting

READ_BYTES = 64 * 1024
MOST_REDIRECTS = 5
_HEADERS = {"User-Agent": "hms-sys", "Accept": "*/*", "Accept-Encoding": "identity"}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class _Astray(Exception):
    """It leads to where it is not followed; the message says so."""


@dataclass(frozen=True, slots=True)
class Passage:
    """How names become addresses, and to which of them a redirect may lead."""

    resolve: Resolve = resolve
    is_public: Callable[[Address], bool] = is_public


class _Response(aiohttp.ClientResponse):
    """Remembers the TLS of its connection, which may be closed once the head has been read."""

    tls: ssl.SSLObject | None = None

    async def start(self, connection: Connection) -> _Response:
        """Read the head."""
        transport = connection.transport
        self.tls = transport.get_extra_info("ssl_object") if transport else None
        await super().start(connection)
        return self

    @property
    def leads_to(self) -> str:
        """Where it redirects to; "" when it does not."""
        return self.headers.get("Location", "") if self.status in _REDIRECTS else ""


class Pages:
    """Each question has a connection of its own: one kept open would know nothing of what changed."""

    def __init__(self, clock: Clock, passage: Passage | None = None) -> None:
        self._clock = clock
        self._passage = passage or Passage()
        connector = aiohttp.TCPConnector(
            # As everywhere in `providers`: the same authorities are trusted.
            ssl=httpx.create_ssl_context(),
            force_close=True,
            limit=0,
            use_dns_cache=False,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            response_class=_Response,
            headers=_HEADERS,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            # The check's own deadline is over all of it.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            # Looking for proxies costs as much as all the rest: only where there are any.
            trust_env=not {"http", "https"}.isdisjoint(getproxies()),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def ask(self, check: Check) -> Verdict:
        """One answer. The deadline over all of it is the caller's."""
        try:
            return await self._follow(check)
        except _Astray as exc:
            return Outcome.FAILING, str(exc)
        except (aiohttp.ClientConnectorError, aiohttp.ClientSSLError) as exc:
            return judge_connecting(exc)
        except (aiohttp.InvalidURL, UnicodeError):
            return Outcome.ERROR, "the URL cannot be asked"
        except aiohttp.ClientError as exc:
            return Outcome.FAILING, clean(f"broke off: {type(exc).__name__}", limit=80)

    async def _follow(self, check: Check) -> Verdict:
        url, addresses = _read(check.url), None
        for _ in range(MOST_REDIRECTS + 1):
            async with self._open(url, addresses) as opened:
                response = cast("_Response", opened)  # as the session was told to make them
                if not _leads_on(check, response):
                    return await self._judge(check, response)
                url = _next(url, response.leads_to)
            if check.redirects is Redirects.PUBLIC:
                addresses = await self._public_addresses(url)
        return Outcome.FAILING, f"redirects more than {MOST_REDIRECTS} times"

    def _open(
        self, url: URL, addresses: Sequence[Address] | None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """What is not read to its end is not fetched either."""
        if addresses is None:
            return self._session.get(url, allow_redirects=False)
        return self._session.get(
            url.with_host(str(addresses[0])),
            allow_redirects=False,
            headers={"Host": url.host_port_subcomponent or ""},
            server_hostname=url.raw_host,
        )

    async def _public_addresses(self, url: URL) -> Sequence[Address]:
        """All of them: one that is not public is reason enough."""
        try:
            found = await self._passage.resolve(url.raw_host or "", url.port or 0)
        except (OSError, UnicodeError) as exc:
            raise _Astray("redirects to a name that is not known") from exc
        if not found or not all(map(self._passage.is_public, found)):
            raise _Astray("redirects to an address that is not public, where it is not followed")
        return found

    async def _judge(self, check: Check, response: _Response) -> Verdict:
        status = response.status
        if status != check.expect:
            note = "; redirects are not followed" if response.leads_to else ""
            return Outcome.FAILING, f"answered {status}, wanted {check.expect}{note}"
        trouble = judge_certificate(response.tls, self._clock.now())
        if trouble:
            return Outcome.FAILING, trouble
        if check.body:
            return await _judge_body(check, response)
        return Outcome.OK, f"answered {status}"


def _read(text: str) -> URL:
    try:
        url = URL(text)
    except ValueError as exc:
        raise aiohttp.InvalidURL(text) from exc
    if url.scheme not in {"http", "https"} or not url.host:
        raise aiohttp.InvalidURL(text)
    return url


def _leads_on(check: Check, response: _Response) -> bool:
    return (
        check.redirects is not Redirects.REFUSE
        and bool(response.leads_to)
        and response.status != check.expect
    )


def _next(url: URL, location: str) -> URL:
    """Where it leads, without a user or a password that it may have put in."""
    try:
        found = url.join(URL(location)).with_user(None)
    except ValueError as exc:
        raise _Astray("redirects to what is no address") from exc
    if found.scheme not in {"http", "https"} or not found.host:
        raise _Astray("redirects to what is no page")
    return found


async def _judge_body(check: Check, response: _Response) -> Verdict:
    encoding = response.headers.get("Content-Encoding", "identity").lower()
    if encoding != "identity":
        return Outcome.FAILING, "answered compressed, which was not asked for"
    text = await _beginning(response)
    try:
        if is_found(check.body, text):
            return Outcome.OK, f"answered {response.status}"
    except TooSlow:
        return Outcome.ERROR, "the pattern takes too long on this page"
    return Outcome.FAILING, f"answered {response.status}, but not what was wanted"


async def _beginning(response: _Response) -> str:
    """The first 64 KiB, whatever is in them."""
    read = b""
    async for chunk in response.content.iter_any():
        read += chunk[: READ_BYTES - len(read)]
        if len(read) >= READ_BYTES:
            break
    try:
        return read.decode(response.charset or "utf-8", errors="replace")
    except LookupError:
        return read.decode("utf-8", errors="replace")
