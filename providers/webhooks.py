"""Calls a component's address, signed as Standard Webhooks define, by their library.

The name is looked up here and the connection made to the very address that was judged, so that a name
cannot turn to a private address between the two. Where the environment names a proxy, the proxy looks the
name up, and connects. Redirects are an answer, and not followed.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.request import getproxies, proxy_bypass

import httpx

from operations.clock import Clock
from operations.errors import InvalidRequest, ProviderRejected, ProviderUnavailable
from operations.integration.webhooks.delivery import Delivery
from providers.addresses import Address, Resolve, is_public, resolve
from providers.http import build_client
from providers.probe import why_not_connected

if TYPE_CHECKING:
    from standardwebhooks.webhooks import Webhook

_SECONDS = 20.0
_CONNECT_SECONDS = 8.0
"""For each address of a name: of two, the second still has its time."""
_SHORTEST_KEY, _LONGEST_KEY = 24, 64
"""Bytes, as Standard Webhooks say."""
_GONE = 410
"""Standard Webhooks: whoever answers so wants no more of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`secret` is as Standard Webhooks write it: `whsec_` and base64, or base64 alone.

    Several with spaces between them, while one is changed for another: each call is signed with all.
    """

    component: str
    url: str
    secret: str = field(repr=False)
    may_be_private: bool = False


class WebhookCaller:
    """Implements `operations.integration.webhooks.ports.Caller`.

    InvalidRequest: the secret is none, or the URL.
    """

    def __init__(self, endpoint: Endpoint, clock: Clock, resolve: Resolve = resolve) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._resolve = resolve
        self._signers = _signers(endpoint.secret)
        self._url = _read(endpoint.url)
        self._proxy = _proxy_for(self._url)
        self._client = build_client(deadline=_SECONDS, connect=_CONNECT_SECONDS, proxy=self._proxy)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def call(self, delivery: Delivery, body: str) -> None:
        """Each try is signed anew, with its own time and the same id."""
        now = self._clock.now()
        headers = {
            "Content-Type": "application/cloudevents+json; charset=utf-8",
            "webhook-id": delivery.event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(
                signer.sign(delivery.event_id, now, body) for signer in self._signers
            ),
        }
        try:
            async with asyncio.timeout(_SECONDS):
                status = await self._send(body, headers)
        except (TimeoutError, httpx.TimeoutException) as exc:
            raise ProviderUnavailable(f"no answer within {_SECONDS:g} s") from exc
        except httpx.ConnectError as exc:
            raise ProviderUnavailable(why_not_connected(exc)) from exc
        except httpx.HTTPError as exc:
            raise ProviderUnavailable(f"broke off: {type(exc).__name__}") from exc
        if status == _GONE:
            raise ProviderRejected("answered 410: it wants no more calls")
        if not 200 <= status < 300:
            raise ProviderUnavailable(f"answered {status}")

    async def _send(self, body: str, headers: dict[str, str]) -> int:
        """The status. An address that cannot be connected to has heard nothing: so the next is tried."""
        addresses = await self._addresses()
        if self._proxy:
            return await self._post(self._url, body, headers)
        for address in addresses[:-1]:
            try:
                return await self._post(self._url, body, headers, address)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue
        return await self._post(self._url, body, headers, addresses[-1])

    async def _post(
        self, url: httpx.URL, body: str, headers: dict[str, str], at: Address | None = None
    ) -> int:
        request = self._client.build_request(
            "POST",
            url if at is None else url.copy_with(host=str(at)),
            content=body.encode(),
            headers={**headers, "Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await self._client.send(request, stream=True)
        await response.aclose()
        return response.status_code

    async def _addresses(self) -> list[Address]:
        """Each once, in the system's order; none where only the proxy knows the name."""
        url = self._url
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await self._resolve(url.raw_host.decode("ascii"), port)
        except (OSError, UnicodeError) as exc:
            if self._proxy:
                return []
            raise ProviderUnavailable("its name is not known") from exc
        if not self._endpoint.may_be_private and not all(map(is_public, found)):
            # Put off and not given up: somebody may allow it, or mend the name.
            raise ProviderUnavailable(
                "its address is private, and `private: true` is not configured"
            )
        return list(dict.fromkeys(found))


def _read(text: str) -> httpx.URL:
    try:
        return httpx.URL(text)
    except httpx.InvalidURL as exc:
        raise InvalidRequest("The URL cannot be called.") from exc


def _proxy_for(url: httpx.URL) -> str:
    """The one that the environment names for it; "" when there is none."""
    proxies = getproxies()
    named = proxies.get(url.scheme) or proxies.get("all") or ""
    if not named or proxy_bypass(url.host):
        return ""
    return named if "://" in named else f"http://{named}"


def _signers(secrets: str) -> list[Webhook]:
    signers = [_signer(secret) for secret in secrets.split()]
    if not signers:
        raise InvalidRequest("There is no secret.")
    return signers


def _signer(secret: str) -> Webhook:
    from standardwebhooks.webhooks import Webhook

    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as exc:
        raise InvalidRequest("The secret is not base64.") from exc
    if not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
        raise InvalidRequest("The secret has not 24 to 64 bytes.")
    return Webhook(secret)
