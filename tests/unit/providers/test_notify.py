"""Through Apprise's own json:// service, against a local HTTP server."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from aiohttp import web
from pydantic import SecretStr

from operations.errors import InvalidRequest, OutcomeUnknown, ProviderUnavailable
from operations.letters import Letter, Tone
from providers.notify import NotifyCourier
from tests.factories import NOON
from tests.slack_stand_in import listening

LETTER = Letter(
    id="A-1.card.1.x",
    thread="",
    title="Failing: web · myapp/prod (A-1)",
    text="Failing: *web* <b>\\n stays\n\n    answered 503\n",
    html="<p>unused</p>",
    tone=Tone.BAD,
    at=NOON,
)
SECRET = "s3cr3t-t0ken"


@dataclass
class Service:
    """What took the notices."""

    heard: list[dict[str, object]] = field(default_factory=list)
    status: int = 200
    hold: threading.Event | None = None
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        """Anything on the path with the token."""
        assert request.path == f"/{SECRET}"
        if self.hold is not None:
            await asyncio.to_thread(self.hold.wait, 5)
        self.heard.append(await request.json())
        return web.Response(status=self.status)


@asynccontextmanager
async def open_service() -> AsyncIterator[Service]:
    service = Service()
    application = web.Application()
    application.router.add_post("/{token}", service.take)
    async with listening(application) as url:
        service.url = f"{url.replace('http://', 'json://')}/{SECRET}"
        yield service


@pytest_asyncio.fixture
async def service() -> AsyncIterator[Service]:
    async with open_service() as opened:
        yield opened


async def test_it_arrives_as_text_with_its_tone(service: Service) -> None:
    await NotifyCourier("pager", SecretStr(service.url)).send(LETTER)

    (heard,) = service.heard
    assert heard["title"] == LETTER.title
    assert heard["message"] == LETTER.text.rstrip()
    assert heard["type"] == "failure"


@pytest.mark.parametrize(("status", "told"), [(500, "500"), (403, "403")])
async def test_a_refusal_is_told_with_the_library_s_reason(
    service: Service, status: int, told: str
) -> None:
    service.status = status
    with pytest.raises(ProviderUnavailable, match=f"pager did not take it: .*{told}") as caught:
        await NotifyCourier("pager", SecretStr(service.url)).send(LETTER)

    assert SECRET not in caught.value.message


async def test_what_the_url_keeps_secret_is_in_no_log(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    url = service.url.replace("127.0.0.1", "nobody.invalid")
    with pytest.raises(ProviderUnavailable) as caught:
        await NotifyCourier("pager", SecretStr(url)).send(LETTER)

    assert SECRET not in caplog.text + str(caught.value)


async def test_one_that_does_not_answer_is_left_at_the_deadline(service: Service) -> None:
    service.hold = threading.Event()
    try:
        with pytest.raises(OutcomeUnknown, match="pager did not answer in"):
            await NotifyCourier("pager", SecretStr(service.url), seconds=0.2).send(LETTER)
    finally:
        service.hold.set()


@pytest.mark.parametrize(
    "url", ["", "nonsense", f"unheard-of://{SECRET}", f"pagerduty://{SECRET}", "json://"]
)
def test_a_url_that_the_library_cannot_use_is_refused_and_not_quoted(
    url: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidRequest, match="not a URL that the Apprise library knows") as caught:
        NotifyCourier("pager", SecretStr(url))

    assert SECRET not in caplog.text + str(caught.value) + capsys.readouterr().err


def test_two_urls_in_one_variable_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        NotifyCourier("pager", SecretStr("json://a.test json://b.test"))
