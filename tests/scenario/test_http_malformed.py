"""What is not HTTP, breaks off, or never comes: an answer where one can be given, and no error of ours."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from operations.deployment.rollout import HistoryQuery
from tests.scenario.counter import DEV, Counter, open_counter
from tests.slack_stand_in import until

HEAD = (
    "POST /api/v1/rollouts HTTP/1.1\r\nHost: hms\r\n"
    f"Authorization: Bearer {DEV}\r\nContent-Type: application/json\r\n"
)
WISH = b'{"project":"myapp","environment":"staging","version":"1.1","reason":"x"}'


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with open_counter(tmp_path, deadline_seconds=0.3) as opened:
        yield opened


@asynccontextmanager
async def connected(
    counter: Counter,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which anything may be said, for five seconds at most."""
    host, port = counter.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        async with asyncio.timeout(5):
            yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def say(counter: Counter, *sent: bytes) -> bytes:
    """One piece after another; all that comes back, to the end of the connection."""
    async with connected(counter) as (reader, writer):
        for piece in sent:
            writer.write(piece)
            await asyncio.sleep(0.05)
        return await reader.read()


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("sent", "why"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "Received HTTPS traffic on an HTTP port"),
        (b"how do you do\r\n\r\n", "Invalid method encountered"),
        (HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n", "Invalid character in chunk size"),
        (HEAD.encode() + b"Content-Length: -5\r\n\r\n", "Invalid character in Content-Length"),
        (b"GET / HTTP/1.1\r\n\r\n", "Missing 'Host' header in request."),
        (HEAD.encode() + b"X-Token: hunter2\x00\r\n\r\n", "Invalid header value char"),
        (HEAD.encode() + b"X: " + b"hunter2" * 2000 + b"\r\n\r\n", "Got more than 8190 bytes"),
    ],
)  # fmt: skip
async def test_what_is_not_http_is_a_problem_document_and_no_error_of_ours(
    counter: Counter, caplog: pytest.LogCaptureFixture, sent: bytes, why: str
) -> None:
    caplog.set_level(logging.DEBUG)
    head, _, body = (await say(counter, sent)).partition(b"\r\n\r\n")

    assert b"400 Bad Request" in head.splitlines()[0]
    assert b"Content-Type: application/problem+json" in head
    assert b"X-Request-Id: r-" in head
    document = json.loads(body)
    assert document["status"] == 400
    assert document["detail"].startswith(f"This is not HTTP as it should be: {why}")
    assert not document["detail"].endswith("..")
    assert "hunter2" not in body.decode() + caplog.text
    assert errors(caplog) == []


@pytest.mark.parametrize("framing", ["Content-Length: 500", "Transfer-Encoding: chunked"])
async def test_a_caller_who_hangs_up_in_the_middle_is_no_error_of_ours(
    counter: Counter, caplog: pytest.LogCaptureFixture, framing: str
) -> None:
    caplog.set_level(logging.INFO)
    async with connected(counter) as (_, writer):
        writer.write(f"{HEAD}{framing}\r\n\r\n48\r\n".encode() + WISH[:30])
        await asyncio.sleep(0.05)

    await until(lambda: "the caller hung up" in caplog.text)
    assert errors(caplog) == []


async def test_a_body_that_turns_to_garbage_changes_nothing(
    counter: Counter, caplog: pytest.LogCaptureFixture
) -> None:
    begun = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\n".encode() + WISH[:5] + b"\r\n"
    async with connected(counter) as (reader, writer):
        writer.write(begun)
        await asyncio.sleep(0.05)
        writer.write(b"qq\r\n")
        assert b"504" in await reader.readline()

    page = await counter.engine.deployments.inquiries.history(HistoryQuery())
    assert page.rollouts == ()
    assert errors(caplog) == []


async def test_who_connects_and_says_nothing_is_let_go(counter: Counter) -> None:
    assert await say(counter) == b""


async def test_who_never_ends_the_head_is_let_go(counter: Counter) -> None:
    async with connected(counter) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\n")
        with contextlib.suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"X: y\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)


async def test_who_has_asked_once_may_ask_again_later(counter: Counter) -> None:
    async with connected(counter) as (reader, writer):
        for _ in range(2):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: hms\r\n\r\n")
            assert b"200 OK" in await reader.readuntil(b'{"status": "ok"}')
            await asyncio.sleep(0.5)
