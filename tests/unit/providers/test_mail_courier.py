"""Against a real SMTP server on loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from operations.errors import (
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.letters import Letter, Picture, Tone
from providers.mail import MailCourier
from providers.mail import MailServer as Address
from providers.mail.courier import literal_of
from providers.mail.server import Guarding
from tests.factories import NOON
from tests.mail_server import PASSWORD, USER, Door, MailServer, client_context, mail_server

LETTER = Letter(
    id="A-1.card.1.x",
    thread="",
    title="Failing: web · myapp/prod (A-1)",
    text="🔴 Failing\n.\nFrom here on\n",
    html="<p>🔴 Failing</p>",
    tone=Tone.BAD,
    at=NOON,
)
OPS, DEV = "ops@example.com", "dev@example.com"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


def address(server: MailServer, **changes: object) -> Address:
    plain = Address(host="127.0.0.1", port=server.port, guarding=Guarding.NONE)
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass


def courier(
    server: MailServer, *recipients: str, seconds: float = 5.0, **changes: object
) -> MailCourier:
    return MailCourier(
        address(server, **changes),
        sender="hms@example.com",
        recipients=recipients or (OPS,),
        seconds=seconds,
    )


async def test_a_letter_arrives_as_it_was_written(server: MailServer) -> None:
    picture = Picture("chart", b"\x89PNG")
    await courier(server, OPS, DEV).send(replace(LETTER, pictures=(picture,)))

    (taken,) = server.taken
    assert (taken.sender, taken.recipients) == ("hms@example.com", [OPS, DEV])
    message = taken.message
    assert message["Message-ID"] == "<A-1.card.1.x@example.com>"
    assert message["In-Reply-To"] is None
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOON
    assert message["From"] == "HMS-SYS <hms@example.com>"
    assert message["To"] == f"{OPS}, {DEV}"
    assert message["Subject"] == LETTER.title
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == LETTER.text
    assert html is not None
    assert html.get_content().strip() == LETTER.html
    (image,) = [part for part in message.walk() if part.get_content_type() == "image/png"]
    assert image.get_content() == picture.data


async def test_a_picture_is_named_in_its_page_by_an_id_that_the_world_has_once(
    server: MailServer,
) -> None:
    """RFC 2392: a Content-ID is an address, as a Message-ID is; `cid:` has it without its brackets."""
    html = '<p><img src="cid:chart" alt="cid:chart"></p>'
    await courier(server).send(replace(LETTER, html=html, pictures=(Picture("chart", b"\x89"),)))

    (taken,) = server.taken
    (image,) = [part for part in taken.message.walk() if part.get_content_type() == "image/png"]
    page = taken.message.get_body(("html",))
    assert page is not None
    assert image["Content-ID"] == "<chart.A-1.card.1.x@example.com>"
    assert '<img src="cid:chart.A-1.card.1.x@example.com" alt="cid:chart">' in page.get_content()


async def test_the_parts_are_what_their_standards_ask_for(server: MailServer) -> None:
    """RFC 2387 wants the type of what pictures belong to; RFC 2045 one version, of the whole."""
    await courier(server).send(replace(LETTER, pictures=(Picture("chart", b"\x89"),)))

    whole, *parts = list(server.taken[0].message.walk())
    related = next(part for part in parts if part.get_content_type() == "multipart/related")
    assert related.get_param("type") == "text/html"
    assert whole["MIME-Version"] == "1.0"
    assert [part["MIME-Version"] for part in parts] == [None] * len(parts)


async def test_programs_can_tell_our_letters_from_others(server: MailServer) -> None:
    """RFC 2919: what a filter goes by."""
    await courier(server).send(LETTER)

    assert server.taken[0].message["List-Id"] == "HMS-SYS <hms-sys.example.com>"


async def test_no_line_is_too_long_for_any_server_nor_changed_on_the_way(
    server: MailServer,
) -> None:
    """RFC 5322: 998 at the most; what is longer is broken by servers, and signatures with it."""
    long = "ü" * 3000 + " \n.\nFrom " + "x" * 3000 + "\t"
    await courier(server).send(
        replace(LETTER, title="Größe " * 40 + "x", text=long, html=f"<p>{long}")
    )

    (taken,) = server.taken
    lines = taken.raw.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    assert taken.raw.isascii()
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert taken.message["Subject"] == "Größe " * 40 + "x"
    text = taken.message.get_body(("plain",))
    assert text is not None
    assert text.get_content().replace("\r\n", "\n") == f"{long}\n"


@pytest.mark.parametrize(
    "title",
    [
        "Failing: " + "Größenprüfung " * 12 + "· myapp/prod (A-1)",
        "🔴 " * 60 + "end",
        "ü" * 150,
        "日本語のとても長い件名" * 12,
        "one → two → three four five six seven eight nine → ten eleven twelve → thirteen",
        "a" * 200 + " → prod",
    ],
)
@pytest.mark.parametrize("recipient", [OPS, "zoë@example.com"])
async def test_a_title_arrives_with_every_letter_and_space_of_it(
    server: MailServer, title: str, recipient: str
) -> None:
    await courier(server, recipient).send(replace(LETTER, title=title))

    (taken,) = server.taken
    assert taken.message["Subject"] == title
    assert max(map(len, taken.raw.split(b"\r\n"))) <= 998


async def test_it_greets_by_the_address_that_it_comes_from(
    server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a name without dots or a loopback address of its own, some servers turn strangers away."""
    monkeypatch.setattr(socket, "gethostname", lambda: "4711")
    await courier(server).send(LETTER)

    monkeypatch.setattr(socket, "gethostname", lambda: "bot.example.com")
    await courier(server).send(LETTER)

    assert server.greeted == ["[127.0.0.1]", "bot.example.com"]


@pytest.mark.parametrize(
    ("address", "named"),
    [
        (("192.0.2.7", 4711), "[192.0.2.7]"),
        (("fd00::2", 4711, 0, 0), "[IPv6:fd00::2]"),
        (("fe80::2%eth0", 4711, 0, 3), "[IPv6:fe80::2]"),
        (None, "[127.0.0.1]"),
    ],
)
def test_an_address_is_written_as_greetings_have_it(address: object, named: str) -> None:
    assert literal_of(address) == named


async def test_a_later_letter_answers_the_first(server: MailServer) -> None:
    await courier(server).send(replace(LETTER, id="A-1.ended.1.y", thread=LETTER.id))

    message = server.taken[0].message
    assert message["In-Reply-To"] == message["References"] == "<A-1.card.1.x@example.com>"


@pytest.mark.parametrize(
    "breaking",
    [
        "\r\nBcc: x@y.z",
        "\nBcc: x@y.z",
        "\r\n\r\nbody",
        "\x00\x0b",
        " =?utf-8?q?=0d=0aBcc:_x@y.z?=",
        " =?utf-8?b?DQpCY2M6IHhAeS56?= →",
        " =?utf-8?q?=0d=0a=0d=0abody?=",
    ],
)
async def test_no_title_can_add_a_header(server: MailServer, breaking: str) -> None:
    await courier(server).send(replace(LETTER, title=f"Failing{breaking}"))

    (taken,) = server.taken
    assert taken.message["Bcc"] is None
    assert taken.recipients == [OPS]
    assert taken.message["Subject"].startswith("Failing ")
    assert taken.message.get_content_type() == "multipart/alternative"


async def test_starttls_and_a_login() -> None:
    async with mail_server(Door(starttls=True, login=True)) as server:
        await courier(
            server,
            guarding=Guarding.STARTTLS,
            user=USER,
            password=PASSWORD,
            context=client_context(),
        ).send(LETTER)

        assert len(server.taken) == 1
        assert server.logins == 1


async def test_tls_from_the_start() -> None:
    async with mail_server(Door(tls=True)) as server:
        await courier(server, guarding=Guarding.TLS, context=client_context()).send(LETTER)

        assert len(server.taken) == 1


async def test_a_server_that_nobody_trusts_gets_nothing() -> None:
    async with mail_server(Door(tls=True)) as server:
        with pytest.raises(ProviderUnavailable, match=r"(?i)certificate"):
            await courier(server, guarding=Guarding.TLS).send(LETTER)

        assert server.taken == []


async def test_nor_one_that_is_not_trusted_at_starttls() -> None:
    async with mail_server(Door(starttls=True)) as server:
        with pytest.raises(ProviderUnavailable, match=r"(?i)certificate"):
            await courier(server, guarding=Guarding.STARTTLS).send(LETTER)

        assert server.taken == []


async def test_without_starttls_nothing_is_sent(server: MailServer) -> None:
    with pytest.raises(ProviderRejected, match="does not offer STARTTLS"):
        await courier(server, guarding=Guarding.STARTTLS, user=USER, password=PASSWORD).send(LETTER)

    assert (server.taken, server.logins) == ([], 0)


async def test_a_wrong_password_is_told_as_such() -> None:
    async with mail_server(Door(starttls=True, login=True)) as server:
        with pytest.raises(ProviderUnauthorized, match="535") as caught:
            await courier(
                server,
                guarding=Guarding.STARTTLS,
                user=USER,
                password="wrong",
                context=client_context(),
            ).send(LETTER)

    assert "HMS_SMTP_PASSWORD" in caught.value.hint
    assert "wrong" not in caught.value.message


async def test_a_server_that_wants_a_login_says_so_of_the_whole() -> None:
    async with mail_server(Door(starttls=True, login=True)) as server:
        with pytest.raises(ProviderUnauthorized, match="530"):
            await courier(server, guarding=Guarding.STARTTLS, context=client_context()).send(LETTER)


async def test_a_server_without_logins(server: MailServer) -> None:
    with pytest.raises(ProviderUnauthorized, match="offers no way to log in"):
        await courier(server, user=USER, password=PASSWORD).send(LETTER)


async def test_busy_then_taken(server: MailServer) -> None:
    server.data_answers = ["451 4.3.0 later"]
    ours = courier(server)
    with pytest.raises(ProviderUnavailable, match="451"):
        await ours.send(LETTER)
    await ours.send(LETTER)

    assert len(server.taken) == 1


async def test_refused_for_good(server: MailServer) -> None:
    server.data_answers = ["554 5.7.1 no such thing here"]
    with pytest.raises(ProviderRejected, match="554"):
        await courier(server).send(LETTER)


async def test_a_recipient_refused_for_good_does_not_keep_it_from_the_others(
    server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.rcpt_answers = {DEV: ["550 5.1.1 unknown"]}
    await courier(server, DEV, OPS).send(LETTER)

    assert [taken.recipients for taken in server.taken] == [[OPS]]
    assert f"refuses {DEV} for good: 550" in caplog.text


async def test_every_recipient_refused_is_a_refusal(server: MailServer) -> None:
    server.rcpt_answers = {OPS: ["550 unknown"], DEV: ["551 moved"]}
    with pytest.raises(ProviderRejected, match="550 unknown"):
        await courier(server, OPS, DEV).send(LETTER)

    assert server.taken == []


async def test_who_is_put_off_is_tried_again_alone(server: MailServer) -> None:
    server.rcpt_answers = {DEV: ["450 4.2.0 greylisted"]}
    ours = courier(server, OPS, DEV)
    with pytest.raises(ProviderUnavailable, match=f"puts {DEV} off"):
        await ours.send(LETTER)
    await ours.send(LETTER)

    assert [taken.recipients for taken in server.taken] == [[OPS], [DEV]]
    assert server.taken[0].message["Message-ID"] == server.taken[1].message["Message-ID"]


async def test_who_has_it_does_not_get_it_again_after_another_failure(server: MailServer) -> None:
    server.rcpt_answers = {DEV: ["450 later"]}
    ours = courier(server, OPS, DEV)
    with pytest.raises(ProviderUnavailable):
        await ours.send(LETTER)
    server.is_down = True
    with pytest.raises(ProviderUnavailable):
        await ours.send(LETTER)
    server.is_down = False
    await ours.send(LETTER)

    assert [taken.recipients for taken in server.taken] == [[OPS], [DEV]]


async def test_put_off_then_refused_for_good_is_not_taken_for_told(server: MailServer) -> None:
    server.rcpt_answers = {OPS: ["450 later", "550 unknown"], DEV: ["550 unknown", "550 unknown"]}
    ours = courier(server, OPS, DEV)
    with pytest.raises(ProviderUnavailable):
        await ours.send(LETTER)
    with pytest.raises(ProviderRejected):
        await ours.send(LETTER)


async def test_a_server_that_hangs_is_left_at_the_deadline(server: MailServer) -> None:
    server.hangs = True
    with pytest.raises(ProviderUnavailable, match=r"127\.0\.0\.1 cannot be reached"):
        await courier(server, seconds=0.3).send(LETTER)


async def test_a_connection_lost_after_the_message_is_an_unknown_outcome(
    server: MailServer,
) -> None:
    """Sent again with the same Message-ID, so that the double can be dropped."""
    server.hangs_up_after_data = 1
    ours = courier(server)
    with pytest.raises(OutcomeUnknown):
        await ours.send(LETTER)
    await ours.send(LETTER)

    first, second = server.taken
    assert first.message["Message-ID"] == second.message["Message-ID"]


async def test_nobody_there(server: MailServer) -> None:
    server.is_down = True
    with pytest.raises(ProviderUnavailable, match="cannot be reached"):
        await courier(server).send(LETTER)


async def test_a_cancelled_delivery_leaves_no_connection(server: MailServer) -> None:
    server.hangs = True
    async with asyncio.TaskGroup() as group:
        task = group.create_task(courier(server, seconds=60).send(LETTER))
        await asyncio.sleep(0.1)
        task.cancel()

    assert task.cancelled()


async def test_an_address_beyond_ascii(server: MailServer) -> None:
    await courier(server, "jürgen@example.com").send(LETTER)

    assert server.taken[0].recipients == ["jürgen@example.com"]
