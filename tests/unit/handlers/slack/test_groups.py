"""Who is in a user group is Slack's word of the last minute, or nobody's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from handlers.slack.app import client_session, web_client
from handlers.slack.groups import SlackMembers
from operations.errors import ProviderUnavailable
from tests.slack_stand_in import BOT_TOKEN, SlackStandIn, open_slack
from tests.workshops import ShiftedClock


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    """The workspace; S01OPS has U02BOB."""
    async with open_slack() as stand_in:
        yield stand_in


@pytest.fixture
def clock() -> ShiftedClock:
    """Time to move."""
    return ShiftedClock()


@pytest.fixture
async def members(slack: SlackStandIn, clock: ShiftedClock) -> AsyncIterator[SlackMembers]:
    """The adapter under test."""
    async with client_session() as session:
        yield SlackMembers(web_client(BOT_TOKEN, slack.api_url, session), clock)


async def test_only_groups_of_the_user(slack: SlackStandIn, members: SlackMembers) -> None:
    """Of those asked about."""
    slack.groups["S02QA"] = {"U03CAROL"}

    assert await members.groups_of("U02BOB", {"S01OPS", "S02QA"}) == {"S01OPS"}


async def test_an_answer_holds_for_a_minute(
    slack: SlackStandIn, members: SlackMembers, clock: ShiftedClock
) -> None:
    """Then a right that was withdrawn is gone."""
    await members.groups_of("U02BOB", {"S01OPS"})
    slack.groups["S01OPS"] = set()

    assert await members.groups_of("U02BOB", {"S01OPS"}) == {"S01OPS"}
    clock.ahead = timedelta(seconds=61)
    assert await members.groups_of("U02BOB", {"S01OPS"}) == frozenset()


async def test_slack_down_is_nobody(
    slack: SlackStandIn, members: SlackMembers, clock: ShiftedClock
) -> None:
    """An old answer is not used: authorisation must not be stale."""
    await members.groups_of("U02BOB", {"S01OPS"})
    slack.is_down = True
    clock.ahead = timedelta(seconds=61)

    with pytest.raises(ProviderUnavailable, match="nothing was decided"):
        await members.groups_of("U02BOB", {"S01OPS"})


async def test_an_unknown_group_is_empty(members: SlackMembers) -> None:
    """A group that was deleted gives nobody a right; the log names it."""
    assert await members.groups_of("U02BOB", {"S99GONE"}) == frozenset()
