"""Each failure of Slack becomes the error that tells what to do about it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from handlers.slack.app import client_session, web_client
from handlers.slack.outlet import MessageGone, Outlet, Unreadable
from handlers.slack.views.blocks import Message, message, section
from operations.errors import (
    OperationError,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.outbox import PostedMessage
from tests.slack_stand_in import BOT_TOKEN, SlackStandIn, open_slack

HELLO = message("hello", [section("hello", block_id="D-1.card.1")])
NOWHERE = PostedMessage(channel="C01GEN", ts="1.2")


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    """The workspace."""
    async with open_slack() as stand_in:
        yield stand_in


@pytest.fixture
async def outlet(slack: SlackStandIn) -> AsyncIterator[Outlet]:
    """The outlet under test."""
    async with client_session() as session:
        yield Outlet(web_client(BOT_TOKEN, slack.api_url, session))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("channel_not_found", ProviderRejected),
        ("is_archived", ProviderRejected),
        ("invalid_auth", ProviderUnauthorized),
        ("missing_scope", ProviderUnauthorized),
        ("invalid_blocks", Unreadable),
        ("msg_blocks_too_long", Unreadable),
        ("message_not_found", MessageGone),
        ("internal_error", OutcomeUnknown),
        ("ratelimited", ProviderUnavailable),
    ],
)
async def test_errors_of_a_post(
    slack: SlackStandIn, outlet: Outlet, error: str, expected: type[OperationError]
) -> None:
    """By Slack's own word for it."""
    slack.break_answers.append(("chat.postMessage", error))

    with pytest.raises(expected) as caught:
        await outlet.post("C01GEN", HELLO)

    assert type(caught.value) is expected


async def test_a_lost_answer_to_a_post_is_unknown(slack: SlackStandIn, outlet: Outlet) -> None:
    """It was sent once: neither we nor the SDK repeat it."""
    slack.lose_answers.append("chat.postMessage")

    with pytest.raises(OutcomeUnknown):
        await outlet.post("C01GEN", HELLO)
    assert slack.calls == ["chat.postMessage"]


async def test_a_lost_answer_to_an_edit_may_be_repeated(
    slack: SlackStandIn, outlet: Outlet
) -> None:
    """Because an edit twice is an edit once."""
    posted = await outlet.post("C01GEN", HELLO)
    slack.lose_answers.append("chat.update")

    with pytest.raises(ProviderUnavailable):
        await outlet.edit(posted, HELLO)


async def test_nobody_listens(slack: SlackStandIn) -> None:
    """What was never sent is not in doubt."""
    async with client_session() as session:
        outlet = Outlet(web_client(BOT_TOKEN, "http://127.0.0.1:9/api/", session))
        with pytest.raises(ProviderUnavailable):
            await outlet.post("C01GEN", HELLO)


async def test_retry_after_is_told(slack: SlackStandIn, outlet: Outlet) -> None:
    """In seconds, as Slack says it."""
    slack.throttle("chat.postMessage", 17)

    with pytest.raises(ProviderUnavailable) as caught:
        await outlet.post("C01GEN", HELLO)

    assert caught.value.retry_after == 17


async def test_an_edit_of_nothing(outlet: Outlet) -> None:
    """The message is gone."""
    with pytest.raises(MessageGone):
        await outlet.edit(NOWHERE, HELLO)


async def test_our_message_is_found_among_many(slack: SlackStandIn, outlet: Outlet) -> None:
    """Page by page, by its block_ids, and no other rollout's."""
    now = datetime.now(UTC)
    posted = await outlet.post("C01GEN", HELLO)
    for number in range(250):
        other = Message("other", (section("other", block_id=f"D-11.card.{number}") or {},))
        await outlet.post("C01GEN", other)

    since = now - timedelta(minutes=2)
    assert await outlet.find("C01GEN", "D-1.card.", oldest=since) == posted
    assert await outlet.find("C01GEN", "D-2.card.", oldest=since) is None
    assert await outlet.find("C01GEN", "D-1.card.", oldest=now + timedelta(minutes=1)) is None
