"""Asks a health URL and says in a few words what was wrong. It judges one answer; spans are the worker's."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import Iterator

import httpx

from operations.deployment.target import HealthRule
from operations.monitoring.check import Outcome
from operations.redaction import clean
from providers.http import build_client


class HttpProbe:
    """`deadline` is in seconds and bounds the whole probe, name lookup and body included."""

    def __init__(self, *, deadline: float = 5.0) -> None:
        self._deadline = deadline
        self._client = build_client(deadline=deadline, connect=deadline)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def probe(self, rule: HealthRule) -> str:
        """Ask once; "" when it answered as the rule wants. A redirect is an answer, and not followed."""
        status = await self._ask(rule.url)
        if isinstance(status, str) or status == rule.expect:
            return status if isinstance(status, str) else ""
        return f"answered {status}, wanted {rule.expect}"

    async def call(self, url: str) -> str:
        """GET it once; "" when it was taken (2xx). The URL is in no answer of ours."""
        status = await self._ask(url)
        if isinstance(status, str):
            return status
        return "" if 200 <= status < 300 else f"answered {status}"

    async def _ask(self, url: str) -> int | str:
        """The status, or what was wrong."""
        try:
            async with asyncio.timeout(self._deadline):
                # The body is not read: a health page may be of any length.
                async with self._client.stream("GET", url) as response:
                    return response.status_code
        except (TimeoutError, httpx.TimeoutException):
            return f"no answer within {self._deadline:g} s"
        except httpx.ConnectError as exc:
            return why_not_connected(exc)
        except httpx.HTTPError as exc:
            return clean(f"broke off: {type(exc).__name__}", limit=80)
        except httpx.InvalidURL:
            return "the URL cannot be asked"


_RUN_OUT = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL})
"""What the machine that asks says of itself: no files, memory or ports left."""

_NO_WAY = frozenset({errno.ENETDOWN, errno.ENETUNREACH})
_EXPIRED = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED."""


Verdict = tuple[Outcome, str]
"""Of one question to a check."""


def judge_connecting(error: Exception) -> Verdict:
    """What a connection that cannot be made says of the asked, or of this machine."""
    why = why_not_connected(error)
    if has_run_out(error):
        return Outcome.INCONCLUSIVE, f"could not ask: {why}"
    return Outcome.FAILING, why


def why_not_connected(error: BaseException) -> str:
    """In a few words, from the errors behind the error of a client."""
    kinds = tuple(type(cause) for cause in _causes(error))
    if any(issubclass(kind, ssl.SSLCertVerificationError) for kind in kinds):
        return _why_not_trusted(error)
    if any(issubclass(kind, ssl.SSLError) for kind in kinds):
        return "TLS failed"
    if any(issubclass(kind, socket.gaierror) for kind in kinds):
        return "its name is not known"
    if any(issubclass(kind, ConnectionRefusedError) for kind in kinds):
        return "refused the connection"
    if has_run_out(error):
        return "this machine has run out of connections"
    if not _numbers(error).isdisjoint(_NO_WAY):
        return "this machine has no way there"
    return "cannot be connected to"


def has_run_out(error: BaseException) -> bool:
    """Whether the asked cannot be blamed: each of its addresses failed for want of something here."""
    numbers = _numbers(error)
    return bool(numbers) and numbers <= _RUN_OUT


def _numbers(error: BaseException) -> frozenset[int]:
    """The system's own numbers of what went wrong."""
    return frozenset(
        cause.errno
        for cause in _causes(error)
        if isinstance(cause, OSError) and cause.errno is not None
    )


def _why_not_trusted(error: BaseException) -> str:
    for cause in _causes(error):
        # aiohttp's own kind of this error has no code; the one behind it does.
        if getattr(cause, "verify_code", None) == _EXPIRED:
            return "its certificate has expired"
    return "its certificate is not trusted"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The errors behind an error; a name with several addresses has one for each."""
    if error is None:
        return
    yield error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    yield from _causes(error.__cause__ or error.__context__)
