"""Senders: signed slash commands over real HTTP, as cheaply as Python can, so that the server is measured.

Each sender keeps one connection and has one request under way. An HTTP library would cost about as much as
the server it calls, and on a small machine that would be measured instead.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

PATH = "/slack/events"
SECRET = "made-up signing secret"
SENDERS = 32
_PATIENCE = 30.0  # seconds for one answer; Slack itself gives up after three


@dataclass(frozen=True, slots=True)
class Ack:
    """The server's HTTP answer to one command. `seconds` from the first byte out to the last one in."""

    seconds: float
    status: int
    body: bytes


@dataclass(slots=True)
class Volley:
    """What one run of senders saw. `seconds` from the first request to the last answer."""

    acks: list[Ack] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Acknowledged commands a second."""
        return len(self.acks) / self.seconds


class Wire:
    """One kept connection."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._host = host

    async def post(self, body: bytes) -> Ack:
        """Send one signed command; raises ConnectionError, TimeoutError or ValueError."""
        request = _head(body, self._host) + body
        async with asyncio.timeout(_PATIENCE):
            begun = time.perf_counter()
            self._writer.write(request)
            head = await self._reader.readuntil(b"\r\n\r\n")
            answer = await self._reader.readexactly(_length(head))
            return Ack(time.perf_counter() - begun, int(head[9:12]), answer)


@asynccontextmanager
async def open_wire(port: int) -> AsyncIterator[Wire]:
    """Connect to a server on loopback."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield Wire(reader, writer, f"127.0.0.1:{port}")
    finally:
        writer.close()


Send = Callable[[Wire, int], Awaitable[Ack]]
"""What a sender does in each turn; the number tells senders apart."""


async def fire(port: int, seconds: float, send: Send, senders: int = SENDERS) -> Volley:
    """Let all senders go on until the time is over; each finishes what it has begun."""
    volley = Volley()
    begun = time.perf_counter()
    until = begun + seconds

    async def go_on(number: int) -> None:
        async with open_wire(port) as wire:
            while time.perf_counter() < until:
                ack = await send(wire, number)
                if ack.status != 200:
                    raise RuntimeError(f"The server answered {ack.status}.")
                volley.acks.append(ack)

    async with asyncio.TaskGroup() as group:
        for number in range(senders):
            group.create_task(go_on(number), name=f"sender {number}")
    volley.seconds = time.perf_counter() - begun
    return volley


def command(words: str, response_url: str, user: str = "U01ALICE") -> bytes:
    """What Slack sends for `/hms words`."""
    return urlencode(
        {
            "token": "made-up",
            "team_id": "T01",
            "team_domain": "acme",
            "channel_id": "C01GEN",
            "channel_name": "deploys",
            "user_id": user,
            "user_name": "alice",
            "command": "/hms",
            "text": words,
            "api_app_id": "A01",
            "is_enterprise_install": "false",
            "response_url": response_url,
            "trigger_id": "1.2.made-up",
        }
    ).encode()


def _head(body: bytes, host: str) -> bytes:
    stamp = str(int(time.time()))
    signature = hmac.new(SECRET.encode(), b"v0:" + stamp.encode() + b":" + body, hashlib.sha256)
    return (
        f"POST {PATH} HTTP/1.1\r\n"
        f"Host: {host}\r\n"
        "User-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n"
        "Accept: application/json,*/*\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"X-Slack-Request-Timestamp: {stamp}\r\n"
        f"X-Slack-Signature: v0={signature.hexdigest()}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode()


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == b"content-length":
            return int(value)
    raise ValueError("The server told no length.")
