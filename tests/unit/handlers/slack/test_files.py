"""Uploading a picture to Slack: shown when it can be shown, and given up in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from handlers.slack.app import client_session, web_client
from handlers.slack.files import SlackFiles
from operations.errors import ProviderRejected, ProviderUnauthorized, ProviderUnavailable
from operations.outbox import PostedMessage
from tests.slack_files import PNG
from tests.slack_stand_in import BOT_TOKEN, Said, SlackStandIn, open_slack
from tests.workshops import ShiftedClock


class HastyClock(ShiftedClock):
    """Sleeps as short as can be."""

    async def sleep(self, seconds: float) -> None:
        """A turn of the loop."""
        await asyncio.sleep(0)


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    """With the digest's card."""
    async with open_slack() as stand_in:
        stand_in.messages.append(Said("C02OPS", "1.000001", "Digest", []))
        yield stand_in


@pytest.fixture
async def files(slack: SlackStandIn) -> AsyncIterator[SlackFiles]:
    async with client_session() as session:
        yield SlackFiles(web_client(BOT_TOKEN, slack.api_url, session), HastyClock(), seconds=0.5)


async def upload(files: SlackFiles, ts: str = "1.000001") -> str:
    card = PostedMessage(channel="C02OPS", ts=ts)
    return await files.upload(PNG + b"x", name="G-1.png", title="Digest G-1", card=card)


async def test_it_returns_when_slack_has_processed_the_file(
    slack: SlackStandIn, files: SlackFiles
) -> None:
    slack.files.looks_needed = 4

    assert await upload(files) == "F01"

    assert slack.calls.count("files.info") == 4
    assert slack.files.kept["F01"].content == PNG + b"x"
    assert slack.refused == []


async def test_it_stands_in_the_thread_where_everybody_sees_it(
    slack: SlackStandIn, files: SlackFiles
) -> None:
    await upload(files)

    assert slack.files.kept["F01"].channel == "C02OPS"
    assert [said.thread_ts for said in slack.messages] == ["", "1.000001"]


async def test_a_file_that_is_never_processed_stands_in_the_thread_all_the_same(
    slack: SlackStandIn, files: SlackFiles
) -> None:
    slack.files.looks_needed = 10**9

    assert await upload(files) == "F01"


async def test_a_share_whose_answer_was_lost_is_not_repeated(
    slack: SlackStandIn, files: SlackFiles
) -> None:
    slack.lose_answers.append("files.completeUploadExternal")

    assert await upload(files) == "F01"
    assert slack.calls.count("files.completeUploadExternal") == 1


async def test_without_a_thread_to_put_it_in_nothing_is_shared(
    slack: SlackStandIn, files: SlackFiles
) -> None:
    with pytest.raises(ProviderRejected):
        await upload(files, ts="9.9")

    assert len(slack.messages) == 1


async def test_a_slack_that_fails_may_do_it_later(slack: SlackStandIn, files: SlackFiles) -> None:
    slack.files.refuses_uploads = 1

    with pytest.raises(ProviderUnavailable, match="500"):
        await upload(files)

    assert await upload(files) == "F02"


async def test_a_right_that_is_missing_is_told_as_such(
    slack: SlackStandIn, files: SlackFiles
) -> None:
    slack.scopes_missing.add("files.getUploadURLExternal")

    with pytest.raises(ProviderUnauthorized):
        await upload(files)


async def test_nothing_is_sent_to_an_address_of_another_kind(
    slack: SlackStandIn, files: SlackFiles
) -> None:
    slack.files.address = "file:///etc/passwd"

    with pytest.raises(ProviderRejected, match="no address"):
        await upload(files)
