"""What `doctor` finds in Slack, asked of the stand-in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.clock import SystemClock
from handlers.slack.app import client_session, web_client
from handlers.slack.diagnosis import SlackDiagnosis, Workspace
from operations.diagnosis import Condition, Finding, diagnose
from tests.slack_stand_in import APP_TOKEN, BOT_TOKEN, SlackStandIn, open_slack


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    """The workspace."""
    async with open_slack() as stand_in:
        yield stand_in


async def examine(
    slack: SlackStandIn,
    *,
    channels: tuple[str, ...] = (),
    groups: tuple[str, ...] = (),
    bot_token: str = BOT_TOKEN,
    app_token: str = APP_TOKEN,
) -> dict[str, Finding]:
    workspace = Workspace(channels=channels, groups=groups, app_token=app_token)
    async with client_session() as session:
        client = web_client(bot_token, slack.api_url, session)
        diagnosis = SlackDiagnosis(client, workspace, SystemClock())
        findings = await diagnose(diagnosis.examinations(), seconds=5)
    return {finding.subject: finding for finding in findings}


async def test_a_workspace_that_is_set_up_is_well(slack: SlackStandIn) -> None:
    found = await examine(slack, channels=("C01GEN",), groups=("S01OPS",))

    assert {subject: each.condition for subject, each in found.items()} == dict.fromkeys(
        (
            "SLACK_BOT_TOKEN", "scopes", "clock", "SLACK_APP_TOKEN", "channel C01GEN",
            "user group S01OPS",
        ),
        Condition.WELL,
    )  # fmt: skip
    assert found["SLACK_BOT_TOKEN"].detail == "accepted: hms-sys in Acme"
    assert slack.refused == []


async def test_a_token_that_slack_refuses(slack: SlackStandIn) -> None:
    found = await examine(slack, bot_token="xoxb-wrong", app_token="xapp-wrong")

    for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN"):
        assert found[name].condition is Condition.FAILING
        assert "invalid_auth" in found[name].detail


async def test_scopes_that_slack_does_not_name_are_for_a_person_to_compare(
    slack: SlackStandIn,
) -> None:
    slack.scopes = []

    found = await examine(slack)

    assert found["scopes"].condition is Condition.DOUBTFUL
    assert "manifest.yml" in found["scopes"].advice


@pytest.mark.parametrize(
    ("missing", "condition"),
    [("usergroups:read", Condition.FAILING), ("files:write", Condition.DOUBTFUL)],
)
async def test_scopes_that_are_missing_are_named(
    slack: SlackStandIn, missing: str, condition: Condition
) -> None:
    slack.scopes = [scope for scope in slack.scopes if scope != missing]

    found = await examine(slack)

    assert found["scopes"].condition is condition
    assert missing in found["scopes"].detail
    assert "Reinstall" in found["scopes"].advice


@pytest.mark.parametrize(
    ("channel", "condition", "words"),
    [
        ("C03OUT", Condition.DOUBTFUL, "no member"),
        ("C09OLD", Condition.FAILING, "is archived"),
        ("C0NONE", Condition.FAILING, "channel_not_found"),
    ],
)
async def test_channels_that_would_not_do(
    slack: SlackStandIn, channel: str, condition: Condition, words: str
) -> None:
    found = (await examine(slack, channels=(channel,)))[f"channel {channel}"]

    assert found.condition is condition
    assert words in found.detail
    assert found.advice


async def test_channels_that_may_not_be_looked_at_are_doubtful(slack: SlackStandIn) -> None:
    slack.scopes_missing = {"conversations.info"}

    found = (await examine(slack, channels=("C01GEN",)))["channel C01GEN"]

    assert found.condition is Condition.DOUBTFUL
    assert "manifest.yml" in found.advice


async def test_groups_without_anybody_cannot_approve(slack: SlackStandIn) -> None:
    slack.groups["S02NOBODY"] = set()

    found = await examine(slack, groups=("S02NOBODY", "S03GONE"))

    assert found["user group S02NOBODY"].detail == "has no members"
    assert "no_such_subteam" in found["user group S03GONE"].detail
    assert {each.condition for name, each in found.items() if "group" in name} == {
        Condition.FAILING
    }


async def test_a_clock_that_is_off(slack: SlackStandIn) -> None:
    slack.clock_ahead = timedelta(minutes=4)

    found = (await examine(slack))["clock"]

    assert found.condition is Condition.FAILING
    assert "NTP" in found.advice


async def test_a_slack_that_is_down_is_said_of_each(slack: SlackStandIn) -> None:
    slack.is_down = True

    found = await examine(slack, channels=("C01GEN",))

    assert {each.condition for each in found.values()} == {Condition.FAILING}


async def test_without_an_app_token_it_is_http_mode(slack: SlackStandIn) -> None:
    found = await examine(slack, app_token="")

    assert found["SLACK_APP_TOKEN"].detail == "not set: HTTP mode"
