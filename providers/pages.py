"""Asks a page: status, certificate, what is in it, and where it leads on to.

A redirect is an answer, unless the check wants it followed. To public addresses only, the name is looked
up here and the connection made to the very address that was judged, with the name kept for TLS and Host.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from operations.clock import Clock
from operations.monitoring.check import Check, Outcome, Redirects
from operations.redaction import clean
from providers.addresses import Address, Resolve, is_public, resolve
from providers.certificates import judge_certificate
from providers.patterns import TooSlow, is_found
from providers.probe import has_run_out, why_not_connected

READ_BYTES = 64 * 1024
MOST_REDIRECTS = 5

Verdict = tuple[Outcome, str]


class _Astray(Exception):
    """It leads to where it is not followed; the message says so."""


@dataclass(frozen=True, slots=True)
class Passage:
    """How names become addresses, and to which of them a redirect may lead."""

    resolve: Resolve = resolve
    is_public: Callable[[Address], bool] = is_public


class Pages:
    """Asks pages through a client that follows nothing by itself."""

    def __init__(
        self, client: httpx.AsyncClient, clock: Clock, passage: Passage | None = None
    ) -> None:
        self._client = client
        self._clock = clock
        self._passage = passage or Passage()

    async def ask(self, check: Check) -> Verdict:
        """One answer. Raises TimeoutError; the deadline over all of it is the caller's."""
        try:
            return await self._follow(check)
        except _Astray as exc:
            return Outcome.FAILING, str(exc)
        except httpx.PoolTimeout:
            return Outcome.INCONCLUSIVE, "could not ask: too many questions at once"
        except httpx.TimeoutException as exc:
            raise TimeoutError from exc
        except httpx.ConnectError as exc:
            return judge_connecting(exc)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            return Outcome.ERROR, "the URL cannot be asked"
        except httpx.HTTPError as exc:
            return Outcome.FAILING, clean(f"broke off: {type(exc).__name__}", limit=80)

    async def _follow(self, check: Check) -> Verdict:
        url, addresses = httpx.URL(check.url), None
        for _ in range(MOST_REDIRECTS + 1):
            async with self._open(url, addresses, is_read=bool(check.body)) as response:
                if not _leads_on(check, response):
                    return await self._judge(check, response)
                url = _next(url, response)
            if check.redirects is Redirects.PUBLIC:
                addresses = await self._public_addresses(url)
        return Outcome.FAILING, f"redirects more than {MOST_REDIRECTS} times"

    @asynccontextmanager
    async def _open(
        self, url: httpx.URL, addresses: Sequence[Address] | None, *, is_read: bool
    ) -> AsyncIterator[httpx.Response]:
        """What is not read to its end leaves a connection that is not used again.

        One kept open would know nothing of names and certificates that changed.
        """
        headers = {"Connection": "close", "Accept-Encoding": "identity"} if is_read else {}
        if addresses is None:
            async with self._client.stream("GET", url, headers=headers) as response:
                yield response
            return
        request = self._client.build_request(
            "GET",
            url.copy_with(host=str(addresses[0])),
            headers={**headers, "Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await self._client.send(request, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    async def _public_addresses(self, url: httpx.URL) -> Sequence[Address]:
        """All of them: one that is not public is reason enough."""
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await self._passage.resolve(url.raw_host.decode("ascii"), port)
        except (OSError, UnicodeError) as exc:
            raise _Astray("redirects to a name that is not known") from exc
        if not found or not all(map(self._passage.is_public, found)):
            raise _Astray("redirects to an address that is not public, where it is not followed")
        return found

    async def _judge(self, check: Check, response: httpx.Response) -> Verdict:
        status = response.status_code
        if status != check.expect:
            note = "; redirects are not followed" if response.has_redirect_location else ""
            return Outcome.FAILING, f"answered {status}, wanted {check.expect}{note}"
        trouble = judge_certificate(response, self._clock.now())
        if trouble:
            return Outcome.FAILING, trouble
        if check.body:
            return await _judge_body(check, response)
        return Outcome.OK, f"answered {status}"


def judge_connecting(error: Exception) -> Verdict:
    """What a connection that cannot be made says of the asked, or of this machine."""
    why = why_not_connected(error)
    if has_run_out(error):
        return Outcome.INCONCLUSIVE, f"could not ask: {why}"
    return Outcome.FAILING, why


def _leads_on(check: Check, response: httpx.Response) -> bool:
    return (
        check.redirects is not Redirects.REFUSE
        and response.has_redirect_location
        and response.status_code != check.expect
    )


def _next(url: httpx.URL, response: httpx.Response) -> httpx.URL:
    """Where it leads, without a user or a password that it may have put in."""
    try:
        found = url.join(response.headers["location"]).copy_with(username=None, password=None)
    except (httpx.InvalidURL, UnicodeError, ValueError) as exc:
        raise _Astray("redirects to what is no address") from exc
    if found.scheme not in {"http", "https"} or not found.host:
        raise _Astray("redirects to what is no page")
    return found


async def _judge_body(check: Check, response: httpx.Response) -> Verdict:
    encoding = response.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        return Outcome.FAILING, "answered compressed, which was not asked for"
    text = await _beginning(response)
    try:
        if is_found(check.body, text):
            return Outcome.OK, f"answered {response.status_code}"
    except TooSlow:
        return Outcome.ERROR, "the pattern takes too long on this page"
    return Outcome.FAILING, f"answered {response.status_code}, but not what was wanted"


async def _beginning(response: httpx.Response) -> str:
    """The first 64 KiB, whatever is in them."""
    read = b""
    async for chunk in response.aiter_raw():
        read += chunk[: READ_BYTES - len(read)]
        if len(read) >= READ_BYTES:
            break
    try:
        return read.decode(response.charset_encoding or "utf-8", errors="replace")
    except LookupError:
        return read.decode("utf-8", errors="replace")
