"""Calls as a receiver sees them that verifies by the Standard Webhooks library."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bot.clock import SystemClock
from operations.errors import InvalidRequest, ProviderRejected, ProviderUnavailable
from operations.integration.webhooks.delivery import Delivery
from providers.webhooks import Endpoint, WebhookCaller
from tests.slack_stand_in import listening

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
DELIVERY = Delivery(
    id=42,
    component="hms-dev",
    subject="D-1042",
    type="hms.rollout.started",
    at=NOON,
    body="{}",
    made_at=NOON,
    due_at=NOON,
)


@dataclass
class Receiver:
    """Keeps what it was sent and answers as told."""

    url: str = ""
    status: int = 204
    calls: list[tuple[dict[str, str], str]] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        """One call."""
        self.calls.append((dict(request.headers), await request.text()))
        headers = {"Location": "/elsewhere"} if self.status == 302 else {}
        return web.Response(status=self.status, headers=headers)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Listening on loopback."""
    found = Receiver()
    application = web.Application()
    application.router.add_post("/{any:.*}", found.serve)
    async with listening(application) as root:
        found.url = f"{root}/hooks/hms-sys"
        yield found


async def call(
    receiver: Receiver, body: str = '{"id":"hms-42"}', *, private: bool = True, secret: str = SECRET
) -> None:
    endpoint = Endpoint(
        component="hms-dev", url=receiver.url, secret=secret, may_be_private=private
    )
    caller = WebhookCaller(endpoint, SystemClock())
    try:
        await caller.call(DELIVERY, body)
    finally:
        await caller.close()


async def test_the_receiver_can_verify_it(receiver: Receiver) -> None:
    await call(receiver, json.dumps({"text": "Größe ☃"}, ensure_ascii=False))

    ((headers, body),) = receiver.calls
    assert Webhook(SECRET).verify(body, headers) == {"text": "Größe ☃"}
    assert headers["webhook-id"] == "hms-42"
    assert headers["Content-Type"].startswith("application/cloudevents+json")


async def test_another_body_does_not_fit_the_signature(receiver: Receiver) -> None:
    await call(receiver)

    ((headers, _),) = receiver.calls
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify('{"id":"hms-43"}', headers)


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
async def test_any_other_answer_is_tried_again(receiver: Receiver, status: int) -> None:
    receiver.status = status

    with pytest.raises(ProviderUnavailable, match=f"answered {status}"):
        await call(receiver)

    assert len(receiver.calls) == 1


async def test_gone_is_for_good(receiver: Receiver) -> None:
    receiver.status = 410

    with pytest.raises(ProviderRejected, match="wants no more"):
        await call(receiver)


async def test_a_private_address_is_not_called_unless_configured(receiver: Receiver) -> None:
    with pytest.raises(ProviderUnavailable, match="its address is private"):
        await call(receiver, private=False)

    assert receiver.calls == []


async def test_nobody_there(receiver: Receiver) -> None:
    receiver.url = "http://127.0.0.1:9/"

    with pytest.raises(ProviderUnavailable):
        await call(receiver)


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!", "whsec_c2hvcnQ="])
async def test_what_is_no_secret_is_refused_before_anything_is_sent(
    receiver: Receiver, secret: str
) -> None:
    with pytest.raises(InvalidRequest):
        await call(receiver, secret=secret)
