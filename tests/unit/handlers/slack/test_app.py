"""Bolt reads the environment where it can; this app is told everything and heeds nothing of that."""

from __future__ import annotations

from pathlib import Path

import pytest

from handlers.slack.app import SlackParts, build_slack, client_session, web_client
from handlers.slack.ids import ActionId
from operations.errors import ProviderUnauthorized
from operations.monitoring.alerting import Alerting
from tests.central_log import make_triage
from tests.scenario.office import open_office
from tests.slack_stand_in import BOT_TOKEN, open_slack
from tests.workshops import Engine, open_engine, run_plainly


def parts_of(engine: Engine) -> SlackParts:
    """What a bot brings."""
    return SlackParts(
        deployments=engine.deployments,
        alerting=Alerting(checks=(), store=engine.database.store, clock=engine.clock),
        triage=make_triage(engine.database, engine.deployments.inquiries, engine.clock),
        queue=engine.database.notice_queue,
        clock=engine.clock,
        guard=run_plainly,
        capabilities={},
        owner="bot-1",
    )


async def test_oauth_variables_do_not_switch_the_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With them set, Bolt would drop the bot's token and want files on the disk."""
    monkeypatch.chdir(tmp_path)
    for name in ("CLIENT_ID", "CLIENT_SECRET", "BOT_TOKEN", "SIGNING_SECRET"):
        monkeypatch.setenv(f"SLACK_{name}", "from the environment")
    async with open_slack() as slack, open_office(tmp_path, slack) as office:
        assert "/hms deploy" in await office.say("help")
        assert "D-1001" in await office.say("deploy myapp staging 1.1")
        await office.card("Queued")

    assert not (tmp_path / "data").exists()


async def test_no_token_is_refused(tmp_path: Path) -> None:
    """Before anything is started."""
    async with client_session() as session, open_engine(tmp_path) as engine:
        client = web_client("", "http://127.0.0.1:9/api/", session)
        with pytest.raises(ProviderUnauthorized, match="bot token"):
            build_slack(parts_of(engine), client=client)


async def test_no_id_has_two_listeners(tmp_path: Path) -> None:
    """Bolt calls the first that matches; another with the same id would be dead without a word."""
    async with client_session() as session, open_engine(tmp_path) as engine:
        client = web_client(BOT_TOKEN, "http://127.0.0.1:9/api/", session)
        app = build_slack(parts_of(engine), client=client, signing_secret="told").app

    buttons = len(ActionId) + 1
    assert len(app._async_listeners) == 2 + buttons + 2 + 4
