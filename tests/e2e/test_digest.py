"""A digest of a busy day as the local Slack's page draws it, its chart uploaded there, and acted on."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Locator, async_playwright, expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.releases import RolloutReleases
from handlers.slack.app import SlackParts, SlackSide, build_slack, client_session, web_client
from handlers.slack.digest_cards import DigestParts
from handlers.slack.socket import SocketConnection
from operations.deployment.rollout import RolloutState
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import CheckRecord, CheckState, Flip, Observation, Outcome
from operations.monitoring.digest.digests import Digests
from operations.monitoring.digest.span import Plan
from operations.monitoring.errors.triage import Triage
from providers.chart import ChartPainter
from sandbox.page import open_page
from sandbox.slack import APP_TOKEN, BOT_TOKEN, open_local_slack
from storage.store import SqlTransaction
from tests.contract.databases import add_rollout, save_rollout
from tests.e2e.camera import Camera
from tests.e2e.conftest import CHROMIUM
from tests.e2e.workspace import BOB, LATER, SOON, Workspace, shows
from tests.error_groups import make_group
from tests.factories import ALICE
from tests.scenario.alarms import PLATFORM, WEB
from tests.scenario.test_digest import make_draft
from tests.workshops import Engine, open_engine, run_plainly

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.timeout(120),
]

HOUR = timedelta(hours=1)
CHANNEL = "C02OPS"
PLAN = Plan(CHANNEL, time(9), ZoneInfo("UTC"))
ENDED = (
    (RolloutState.SUCCEEDED, 20),
    (RolloutState.ROLLED_BACK, 13),
    (RolloutState.SUCCEEDED, 6),
)
COUNTS = (3, 2, 4, 6, 2, 1, 0, 2, 3, 5, 4, 38, 61, 44, 12, 6, 5, 3, 4, 2, 6, 4, 3, 2)


async def test_a_busy_day_is_drawn_and_acted_on(
    local_slack: Path, chromium: str, pictures: Path | None, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        state = tmp_path / "slack"
        state.mkdir()
        slack = await stack.enter_async_context(open_local_slack(local_slack, state, _free_port()))
        engine = await stack.enter_async_context(open_engine(tmp_path))
        digests = _digests(engine)
        await _fill(engine)
        session = await stack.enter_async_context(client_session())
        client = web_client(BOT_TOKEN, slack.api_url, session)
        side = _side(engine, digests, client)
        await stack.enter_async_context(_running(side, engine))
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*CHROMIUM])
        page = await browser.new_page(viewport={"width": 960, "height": 1400}, timezone_id="UTC")
        camera, workspace = Camera(page, pictures), Workspace(page)
        await camera.prepare()
        await workspace.open(await stack.enter_async_context(open_page(slack.url, _free_port())))
        await camera.load()

        await digests.post_now(ALICE)
        card = await _card(workspace)
        await _is_drawn(card)
        await camera.take(card, "digest")

        await workspace.act_as(BOB)
        await card.get_by_role("button", name="Resolve", exact=True).first.click(timeout=SOON)
        await shows(card, "resolved by @Bob Brown")
        await workspace.press(card, "Acknowledge")
        await shows(card, "@Bob Brown looks after it")
        await shows(card, "E-2")
        await browser.close()


async def _card(workspace: Workspace) -> Locator:
    await workspace.page.locator(".sidebar-item", has_text=re.compile(r"^#ops$")).click()
    card = workspace.messages.filter(has_text=re.compile(r"Digest: "))
    await expect(card).to_have_count(1, timeout=LATER)
    return card


async def _is_drawn(card: Locator) -> None:
    """The block names a file of Slack's; the sandbox's page knows where that is kept."""
    image = card.locator("img[alt^='Errors per hour']")
    width = await image.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert width == 1200


def _digests(engine: Engine) -> Digests:
    return Digests(
        plan=PLAN, checks=[WEB, PLATFORM], store=engine.database.store, clock=engine.clock
    )


def _side(engine: Engine, digests: Digests, client: AsyncWebClient) -> SlackSide:
    store, clock = engine.database.store, engine.clock
    releases = RolloutReleases(engine.deployments.inquiries, store, clock)
    parts = SlackParts(
        deployments=engine.deployments,
        alerting=Alerting(checks=[WEB, PLATFORM], store=store, clock=clock),
        triage=Triage(store=store, releases=releases, clock=clock),
        digests=DigestParts(digests=digests, painter=ChartPainter(seconds=30)),
        queue=engine.database.notice_queue,
        clock=clock,
        guard=run_plainly,
        capabilities={},
        owner="bot-1",
    )
    return build_slack(parts, client=client)


@asynccontextmanager
async def _running(side: SlackSide, engine: Engine) -> AsyncIterator[None]:
    connection = SocketConnection(side.app, APP_TOKEN, side.boundary, engine.clock)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(side.notices.run()), group.create_task(connection.run())]
        yield
        await connection.close(1)
        for task in tasks:
            task.cancel()


async def _fill(engine: Engine) -> None:
    """A day with a rollout that failed, errors after it, and an alert."""
    now = engine.clock.now()
    for state, hours in ENDED:
        rollout = await add_rollout(engine.database)
        ended = replace(rollout, state=state, ended_at=now - hours * HOUR)
        await save_rollout(engine.database, ended)
    async with engine.database.store.transaction() as tx:
        await _add_errors(tx, now)
        await _add_answers(tx, now)
        await tx.alerts.add(make_draft(now - HOUR))


async def _add_errors(tx: SqlTransaction, now: datetime) -> None:
    fresh = make_group(id=0, first_seen=now - 13 * HOUR, last_seen=now - HOUR, revision=1)
    known = replace(
        fresh,
        fingerprint="known",
        title="TimeoutError: payments.example.com did not answer",
        first_seen=now - 90 * HOUR,
        rollout="",
    )
    new = await tx.groups.add(replace(fresh, rollout="D-1002"))
    old = await tx.groups.add(known)
    hours = {now - (24 - n) * HOUR: count for n, count in enumerate(COUNTS)}
    await tx.counts.count({new.id: {now - 12 * HOUR: 143}, old.id: {now - 5 * HOUR: 79}})
    await tx.counts.count_targets(
        {
            ("myapp", "prod"): hours | {at - 24 * HOUR: 4 for at in hours},
            ("site", "prod"): {now - 30 * HOUR: 40, now - 4 * HOUR: 12},
        }
    )


async def _add_answers(tx: SqlTransaction, now: datetime) -> None:
    """Both checks are well, and one was not for half an hour."""
    seen = Observation(outcome=Outcome.OK, at=now)
    for check in (WEB, PLATFORM):
        await tx.checks.save(CheckRecord(check_id=check.id, state=CheckState.OK, last=seen))
    states = (CheckState.OK, CheckState.FAILING, CheckState.OK)
    for turn, hours in enumerate((13.0, 12.5)):
        old, new = states[turn : turn + 2]
        at = now - hours * HOUR
        await tx.checks.flipped(Flip(check_id=WEB.id, old=old, new=new, reason="", at=at))


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
