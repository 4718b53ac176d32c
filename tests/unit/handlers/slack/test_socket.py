"""Socket Mode: tokens are tried first, a stuck connection is renewed, lasting deafness ends the process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.clock import SystemClock
from handlers.slack.app import SlackParts, SlackSide, build_slack, client_session, web_client
from handlers.slack.socket import SocketConnection, SocketSettings, check_tokens
from operations.errors import ProviderUnauthorized, ProviderUnavailable
from operations.monitoring.alerting import Alerting
from tests.central_log import make_triage
from tests.slack_stand_in import APP_TOKEN, BOT_TOKEN, SlackStandIn, open_slack, until
from tests.workshops import open_engine, run_plainly

BRISK = SocketSettings(
    connect_seconds=2.0,
    check_seconds=0.02,
    stuck_seconds=0.05,
    deaf_seconds=30.0,
    ping_seconds=0.05,
)


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    """The workspace."""
    async with open_slack() as stand_in:
        yield stand_in


@asynccontextmanager
async def client_of(slack: SlackStandIn, token: str = BOT_TOKEN) -> AsyncIterator[AsyncWebClient]:
    """A client as production makes it."""
    async with client_session() as session:
        yield web_client(token, slack.api_url, session)


@asynccontextmanager
async def side_of(tmp_path: Path, slack: SlackStandIn) -> AsyncIterator[SlackSide]:
    """Slack's side of a bot in Socket Mode: no signing secret."""
    async with client_of(slack) as client, open_engine(tmp_path) as engine:
        parts = SlackParts(
            deployments=engine.deployments,
            alerting=Alerting(checks=(), store=engine.database.store, clock=engine.clock),
            triage=make_triage(engine.database, engine.deployments.inquiries, engine.clock),
            queue=engine.database.notice_queue,
            clock=engine.clock,
            guard=run_plainly,
            capabilities={"k8s": engine.provider.capabilities},
            owner="bot-1",
        )
        yield build_slack(parts, client=client)


@asynccontextmanager
async def connected(
    tmp_path: Path, slack: SlackStandIn, settings: SocketSettings = BRISK
) -> AsyncIterator[SocketConnection]:
    """A connection that is kept alive meanwhile."""
    async with AsyncExitStack() as stack:
        side = await stack.enter_async_context(side_of(tmp_path, slack))
        clock = SystemClock()
        connection = SocketConnection(side.app, APP_TOKEN, side.boundary, clock, settings)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        task = group.create_task(connection.run())
        await until(connection.is_alive)
        yield connection
        task.cancel()


def command(slack: SlackStandIn, words: str) -> dict[str, object]:
    """A slash command as it comes through the socket."""
    return {
        "command": "/hms",
        "text": words,
        "user_id": "U01ALICE",
        "user_name": "alice",
        "channel_id": "C01GEN",
        "team_id": "T01",
        "response_url": slack.make_response_url("U01ALICE"),
    }


def click(slack: SlackStandIn) -> dict[str, object]:
    """A click on a rollout that is not there, which is answered through its address."""
    return {
        "type": "block_actions",
        "team": {"id": "T01"},
        "user": {"id": "U01ALICE", "username": "alice"},
        "channel": {"id": "C01GEN"},
        "container": {"message_ts": "1.0", "channel_id": "C01GEN"},
        "message": {"ts": "1.0"},
        "actions": [{"type": "button", "action_id": "rollout.approve", "value": "9999:1"}],
        "response_url": slack.make_response_url("U01ALICE"),
        "trigger_id": slack.make_trigger(),
    }


async def test_a_command_is_acknowledged_and_answered(tmp_path: Path, slack: SlackStandIn) -> None:
    """No signature is asked for: the socket itself is ours."""
    async with connected(tmp_path, slack):
        envelope = await slack.sockets.deliver("slash_commands", command(slack, "help"))
        await until(lambda: bool(slack.private) and bool(slack.sockets.acknowledged))

        assert [a["envelope_id"] for a in slack.sockets.acknowledged] == [envelope]


async def test_an_event_that_nobody_listens_to_is_acknowledged(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    """Else Slack sends it again and again."""
    event = {"type": "event_callback", "event": {"type": "app_home_opened", "user": "U1"}}
    async with connected(tmp_path, slack):
        await slack.sockets.deliver("events_api", event)
        await until(lambda: len(slack.sockets.acknowledged) == 1)


async def test_it_connects_again_after_a_hang_up(tmp_path: Path, slack: SlackStandIn) -> None:
    """Slack refreshes every connection every few hours."""
    async with connected(tmp_path, slack) as connection:
        await slack.sockets.hang_up()
        await until(lambda: slack.sockets.issued >= 2)
        await until(connection.is_alive)


async def test_a_used_ticket_is_replaced(tmp_path: Path, slack: SlackStandIn) -> None:
    """The SDK alone would try the same address for ever."""
    async with connected(tmp_path, slack) as connection:
        slack.sockets.refuse_handshakes = 1
        await slack.sockets.hang_up()
        await until(lambda: slack.sockets.issued >= 3)
        await until(connection.is_alive)


async def test_deafness_that_lasts_ends_the_process(tmp_path: Path, slack: SlackStandIn) -> None:
    """So that its supervisor starts a fresh one."""
    settings = SocketSettings(
        check_seconds=0.02, stuck_seconds=0.05, deaf_seconds=0.3, ping_seconds=0.05
    )
    with pytest.RaisesGroup(pytest.RaisesExc(ProviderUnavailable, match="deaf")):
        async with connected(tmp_path, slack, settings):
            slack.sockets.refuse_handshakes = 1_000_000
            await slack.sockets.hang_up()
            await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("bot", "app", "named"),
    [
        pytest.param("xoxb-wrong", APP_TOKEN, "SLACK_BOT_TOKEN", id="bot token"),
        pytest.param(BOT_TOKEN, "xapp-wrong", "SLACK_APP_TOKEN", id="app token"),
    ],
)
async def test_a_bad_token_fails_at_once(
    slack: SlackStandIn, bot: str, app: str, named: str
) -> None:
    """And the message names the variable."""
    async with client_of(slack, bot) as client:
        with pytest.raises(ProviderUnauthorized, match=named):
            await check_tokens(client, app)


async def test_good_tokens_name_the_workspace(slack: SlackStandIn) -> None:
    """Shown at start, so that nobody deploys from the wrong one."""
    async with client_of(slack) as client:
        assert await check_tokens(client, APP_TOKEN) == "Acme"


async def test_slack_down_is_not_a_bad_token(slack: SlackStandIn) -> None:
    """A start while Slack is down may be tried again."""
    slack.is_down = True
    async with client_of(slack) as client:
        with pytest.raises(ProviderUnavailable):
            await check_tokens(client)


async def test_closing_waits_for_what_is_under_way(tmp_path: Path, slack: SlackStandIn) -> None:
    """Acknowledged and answered before the socket is hung up, and not opened again."""
    async with connected(tmp_path, slack) as connection:
        slack.latency = 0.1
        await slack.sockets.deliver("interactive", click(slack))
        await until(lambda: len(slack.sockets.acknowledged) == 1)

        assert await connection.close(3.0) == 0
        assert len(slack.private) == 1
        assert not await connection.is_alive()
        await until(lambda: slack.sockets.open == [])
        assert slack.sockets.issued == 1
