"""Calls a component's address, signed as Standard Webhooks define, by their library.

The name is looked up here and the connection made to the very address that was judged, so that a name
cannot turn to a private address between the two. Redirects are an answer, and not followed.
"""

from __future__ import annotations

import asyncio
import base64
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from operations.clock import Clock
from operations.errors import InvalidRequest, ProviderRejected, ProviderUnavailable
from operations.integration.webhooks.delivery import Delivery
from providers.addresses import Address, is_public, resolve
from providers.http import build_client
from providers.probe import why_not_connected

if TYPE_CHECKING:
    from standardwebhooks.webhooks import Webhook

_SECONDS = 20.0
_SHORTEST_KEY, _LONGEST_KEY = 24, 64
"""Bytes, as Standard Webhooks say."""
_GONE = 410
"""Standard Webhooks: whoever answers so wants no more of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`secret` is as Standard Webhooks write it: `whsec_` and base64, or base64 alone."""

    component: str
    url: str
    secret: str = field(repr=False)
    may_be_private: bool = False


class WebhookCaller:
    """Implements `operations.integration.webhooks.ports.Caller`. InvalidRequest: the secret is none."""

    def __init__(self, endpoint: Endpoint, clock: Clock) -> None:
        self._endpoint = endpoint
        self._clock = clock
        self._webhook = _signer(endpoint.secret)
        self._client = build_client(deadline=_SECONDS, connect=_SECONDS)

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
            "webhook-signature": self._webhook.sign(delivery.event_id, now, body),
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
        url = httpx.URL(self._endpoint.url)
        address = await self._address(url)
        request = self._client.build_request(
            "POST",
            url.copy_with(host=str(address)),
            content=body.encode(),
            headers={**headers, "Host": url.netloc.decode("ascii")},
            extensions={"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await self._client.send(request, stream=True)
        await response.aclose()
        return response.status_code

    async def _address(self, url: httpx.URL) -> Address:
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await resolve(url.raw_host.decode("ascii"), port)
        except (OSError, UnicodeError) as exc:
            raise ProviderUnavailable("its name is not known") from exc
        if not self._endpoint.may_be_private and not all(map(is_public, found)):
            # Put off and not given up: somebody may allow it, or mend the name.
            raise ProviderUnavailable(
                "its address is private, and `private: true` is not configured"
            )
        return found[0]


def _signer(secret: str) -> Webhook:
    from standardwebhooks.webhooks import Webhook

    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError as exc:
        raise InvalidRequest("The secret is not base64.") from exc
    if not _SHORTEST_KEY <= len(key) <= _LONGEST_KEY:
        raise InvalidRequest("The secret has not 24 to 64 bytes.")
    return Webhook(secret)
