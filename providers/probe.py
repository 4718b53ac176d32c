"""Asks a health URL and says in a few words what was wrong. It judges one answer; spans are the worker's."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator

import httpx

from operations.deployment.target import HealthRule
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
        try:
            async with asyncio.timeout(self._deadline):
                # The body is not read: a health page may be of any length.
                async with self._client.stream("GET", rule.url) as response:
                    status = response.status_code
        except (TimeoutError, httpx.TimeoutException):
            return f"no answer within {self._deadline:g} s"
        except httpx.ConnectError as exc:
            return _why_not_connected(exc)
        except httpx.HTTPError as exc:
            return clean(f"broke off: {type(exc).__name__}", limit=80)
        except httpx.InvalidURL:
            return "the URL cannot be asked"
        return "" if status == rule.expect else f"answered {status}, wanted {rule.expect}"


def _why_not_connected(error: BaseException) -> str:
    kinds = tuple(_causes(error))
    if any(issubclass(kind, ssl.SSLCertVerificationError) for kind in kinds):
        return "its certificate is not trusted"
    if any(issubclass(kind, ssl.SSLError) for kind in kinds):
        return "TLS failed"
    if any(issubclass(kind, socket.gaierror) for kind in kinds):
        return "its name is not known"
    if any(issubclass(kind, ConnectionRefusedError) for kind in kinds):
        return "refused the connection"
    return "cannot be connected to"


def _causes(error: BaseException | None) -> Iterator[type[BaseException]]:
    """The kinds of errors behind an error; a name with several addresses has one for each."""
    if error is None:
        return
    yield type(error)
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _causes(inner)
    yield from _causes(error.__cause__ or error.__context__)
