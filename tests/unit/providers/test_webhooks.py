"""Calls as a receiver sees them that verifies by the Standard Webhooks library."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from bot.clock import SystemClock
from operations.errors import InvalidRequest, ProviderRejected, ProviderUnavailable
from operations.integration.webhooks.delivery import Delivery
from providers.addresses import Address
from providers.webhooks import Endpoint, WebhookCaller
from tests.slack_stand_in import listening
from tests.unit.providers.certificates import make_certificate, serving_context

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


OTHER = "whsec_" + base64.b64encode(bytes(range(32, 64))).decode()


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


@asynccontextmanager
async def tunnelling(to: int) -> AsyncIterator[tuple[str, list[str]]]:
    """A proxy that leads every CONNECT to a port of loopback; its address, and what it was asked for."""
    asked: list[str] = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b" ")[1].decode())
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", to)
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        with suppress(ConnectionError, ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(pump(reader, far_writer))
                group.create_task(pump(far_reader, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@asynccontextmanager
async def secure_receiver(receiver: Receiver, context: ssl.SSLContext) -> AsyncIterator[int]:
    """The receiver by TLS; yields the port."""
    application = web.Application()
    application.router.add_post("/{any:.*}", receiver.serve)
    runner = web.AppRunner(application, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def call_by_name(url: str, names: dict[str, list[Address]]) -> None:
    async def resolve(host: str, port: int) -> list[Address]:
        if host not in names:
            raise OSError("nobody knows it")
        return names[host]

    endpoint = Endpoint(component="hms-dev", url=url, secret=SECRET, may_be_private=True)
    caller = WebhookCaller(endpoint, SystemClock(), resolve)
    try:
        await caller.call(DELIVERY, "{}")
    finally:
        await caller.close()


@pytest.fixture
def secure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A certificate for hooks.example, which is trusted."""
    files = make_certificate(tmp_path, datetime.now(UTC) + timedelta(days=30), "hooks.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(files[0]))
    return serving_context(files)


LOOPBACK = ip_address("127.0.0.1")


async def test_its_certificate_is_for_its_name_though_an_address_is_called(
    secure: ssl.SSLContext,
) -> None:
    receiver = Receiver()
    names: dict[str, list[Address]] = {"hooks.example": [LOOPBACK], "others.example": [LOOPBACK]}
    async with secure_receiver(receiver, secure) as port:
        await call_by_name(f"https://hooks.example:{port}/x", names)
        with pytest.raises(ProviderUnavailable, match="certificate"):
            await call_by_name(f"https://others.example:{port}/x", names)

    ((headers, _),) = receiver.calls
    assert headers["Host"] == f"hooks.example:{port}"


async def test_behind_a_proxy_the_proxy_is_told_the_name(
    secure: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    async with (
        secure_receiver(receiver, secure) as port,
        tunnelling(port) as (proxy, asked),
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.setenv("NO_PROXY", "")
        await call_by_name(f"https://hooks.example:{port}/x", {})

    assert asked == [f"hooks.example:{port}"]
    assert len(receiver.calls) == 1


async def test_a_proxy_that_is_not_for_this_name_is_passed_by(
    secure: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = Receiver()
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "hooks.example")
    async with secure_receiver(receiver, secure) as port:
        await call_by_name(f"https://hooks.example:{port}/x", {"hooks.example": [LOOPBACK]})

    assert len(receiver.calls) == 1


async def test_an_address_that_cannot_be_connected_to_leaves_the_next(receiver: Receiver) -> None:
    port = receiver.url.split(":")[2].split("/")[0]
    nobody = ip_address("127.0.0.77")

    await call_by_name(f"http://hooks.example:{port}/x", {"hooks.example": [nobody, LOOPBACK]})

    assert len(receiver.calls) == 1


async def test_an_address_of_the_new_kind_can_be_written(receiver: Receiver) -> None:
    with pytest.raises(ProviderUnavailable, match=r"refused the connection|no way there"):
        await call_by_name("http://[::1]:9/x", {"::1": [ip_address("::1")]})


@pytest.mark.parametrize("known", [SECRET, OTHER])
async def test_while_a_secret_is_changed_who_has_either_can_verify(
    receiver: Receiver, known: str
) -> None:
    """Standard Webhooks, "Signature scheme": a list of signatures, for a change without a gap."""
    await call(receiver, secret=f"{OTHER} {SECRET}")

    headers, body = receiver.calls[0]
    assert Webhook(known).verify(body, headers)


@pytest.mark.parametrize("secret", [f"{SECRET} {SECRET[:12]}", f"{SECRET} no!", " "])
async def test_each_of_several_secrets_must_be_one(receiver: Receiver, secret: str) -> None:
    with pytest.raises(InvalidRequest):
        await call(receiver, secret=secret)
