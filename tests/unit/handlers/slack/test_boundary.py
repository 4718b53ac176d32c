"""Everybody gets an answer: however slow, crowded or broken it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from slack_bolt.context.ack.async_ack import AsyncAck

from handlers.slack.app import client_session, web_client
from handlers.slack.boundary import Asker, Boundary, BoundarySettings, Work
from handlers.slack.outlet import Outlet
from handlers.slack.views.answers import simple
from handlers.slack.views.blocks import Message
from operations.errors import Refused
from tests.factories import ALICE
from tests.slack_stand_in import BOT_TOKEN, SlackStandIn, open_slack, until

BRISK = BoundarySettings(at_once=1, queue_seconds=0.05, deadline_seconds=0.3)


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    """The workspace."""
    async with open_slack() as stand_in:
        yield stand_in


@pytest.fixture
async def boundary(slack: SlackStandIn) -> AsyncIterator[Boundary]:
    """One request at once, and little patience."""
    async with client_session() as session:
        yield Boundary(Outlet(web_client(BOT_TOKEN, slack.api_url, session)), BRISK)


def asker(slack: SlackStandIn) -> Asker:
    """Alice, with an address of her own."""
    url = slack.make_response_url(ALICE.id)
    return Asker(actor=ALICE, channel="C01GEN", response_url=url)


def made_ack() -> AsyncAck:
    """Bolt's own."""
    return AsyncAck()  # type: ignore[no-untyped-call]  # Bolt is untyped here


async def done() -> Message:
    """Work that is quick."""
    return simple("done")


async def endless() -> Message:
    """Work that never ends by itself."""
    await asyncio.Event().wait()
    return simple("never")


async def answered(boundary: Boundary, slack: SlackStandIn, work: Work) -> str:
    """What the asker is told."""
    await boundary.answer(made_ack(), asker(slack), work)
    return slack.private[-1].text


async def test_work_that_takes_too_long_is_stopped(boundary: Boundary, slack: SlackStandIn) -> None:
    """And it is not claimed that nothing was done."""
    assert "was stopped" in await answered(boundary, slack, endless)
    assert boundary.in_flight == 0


async def test_more_than_fits_is_told_so(boundary: Boundary, slack: SlackStandIn) -> None:
    """Nothing waits for ever in a queue that nobody sees."""
    async with asyncio.TaskGroup() as group:
        first = group.create_task(boundary.answer(made_ack(), asker(slack), endless))
        await until(lambda: boundary.in_flight == 1)

        assert "too much to do" in await answered(boundary, slack, done)
        first.cancel()


async def test_a_drain_does_not_wait_for_ever(boundary: Boundary, slack: SlackStandIn) -> None:
    """It tells how many were left."""
    async with asyncio.TaskGroup() as group:
        first = group.create_task(boundary.answer(made_ack(), asker(slack), endless))
        await until(lambda: boundary.in_flight == 1)

        assert await boundary.drain(0.05) == 1
        first.cancel()


async def test_a_cancelled_request_is_not_answered(boundary: Boundary, slack: SlackStandIn) -> None:
    """Cancelling is never taken for an error."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(boundary.answer(made_ack(), asker(slack), endless))
        await until(lambda: boundary.in_flight == 1)
        task.cancel()

    assert slack.private == []
    assert boundary.in_flight == 0


async def test_after_a_refusal_what_misled_is_renewed(
    boundary: Boundary, slack: SlackStandIn
) -> None:
    """Even when renewing it fails."""
    renewed: list[bool] = []

    async def refused() -> Message:
        raise Refused("No.", hint="Say `status`.")

    async def renew(was_refused: bool) -> None:
        renewed.append(was_refused)
        raise KeyError("a bug")

    await boundary.answer(made_ack(), asker(slack), refused, afterwards=renew)

    assert renewed == [True]
    assert slack.private[0].text == "No."


async def test_slack_down_loses_the_answer_and_nothing_else(
    boundary: Boundary, slack: SlackStandIn
) -> None:
    """There is nobody left to tell; the process goes on."""
    slack.is_down = True

    await boundary.answer(made_ack(), asker(slack), done)

    assert boundary.in_flight == 0


async def test_what_is_quickly_done_is_acknowledged_afterwards(
    boundary: Boundary, slack: SlackStandIn
) -> None:
    """Else a process that dies in between has said yes to something that nobody knows of."""
    ack = made_ack()
    acknowledged: list[bool] = []

    async def work() -> Message:
        acknowledged.append(ack.response is not None)
        return simple("done")

    await boundary.answer(ack, asker(slack), work)

    assert acknowledged == [False]
    assert ack.response is not None


async def test_what_takes_long_is_acknowledged_in_time(slack: SlackStandIn) -> None:
    """Slack gives up after three seconds."""
    ack = made_ack()
    settings = BoundarySettings(ack_seconds=0.01)

    async def work() -> Message:
        await until(lambda: ack.response is not None)
        return simple("done")

    async with client_session() as session:
        boundary = Boundary(Outlet(web_client(BOT_TOKEN, slack.api_url, session)), settings)
        await boundary.answer(ack, asker(slack), work)

    assert slack.private[-1].text == "done"


async def test_an_expired_response_url_is_replaced(boundary: Boundary, slack: SlackStandIn) -> None:
    """The answer comes into the channel, still only for the asker."""
    clicker = asker(slack)
    slack.expire_response_urls()

    await boundary.tell(clicker, simple("done"))

    assert slack.private[0].channel == "C01GEN"


async def test_an_answer_where_the_bot_is_not_a_member(
    boundary: Boundary, slack: SlackStandIn
) -> None:
    """Neither the address nor the channel takes it: it comes as a direct message."""
    await boundary.tell(Asker(actor=ALICE, channel="C03OUT"), simple("done"))

    assert slack.messages[0].channel == "D01ALICE"


async def test_a_click_is_not_answered_in_its_acknowledgement(
    boundary: Boundary, slack: SlackStandIn
) -> None:
    """Nobody would see it there."""
    ack = made_ack()

    await boundary.answer(ack, asker(slack), done)

    assert ack.response is not None
    assert not ack.response.body
    assert slack.private[-1].text == "done"
