"""Puts Slack's side together. Nothing here reads the environment: Bolt would, so it is told everything."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization.authorize_result import AuthorizeResult
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_sdk.web.async_client import AsyncWebClient

from handlers.slack import commands, forms
from handlers.slack.alert_buttons import AlertButtons
from handlers.slack.alert_cards import AlertCards
from handlers.slack.boundary import Boundary, BoundarySettings
from handlers.slack.buttons import Buttons, RolloutButtons
from handlers.slack.cards import Cards, Shipments
from handlers.slack.commands import Desk
from handlers.slack.digest_cards import DigestCards, DigestParts
from handlers.slack.digest_charts import DigestCharts
from handlers.slack.doctor import Examining
from handlers.slack.error_buttons import ErrorButtons
from handlers.slack.files import SlackFiles
from handlers.slack.notices import Delivery, DeliverySettings, SlackNotices
from handlers.slack.outlet import Outlet
from handlers.slack.subjects import Subjects
from handlers.tickets import Tickets
from operations.clock import Clock
from operations.deployment.ports import Capabilities
from operations.deployment.service import Deployments
from operations.errors import ProviderUnauthorized
from operations.guard import Guard
from operations.monitoring.alerting import Alerting
from operations.monitoring.errors.triage import Triage
from operations.outbox import NoticeQueue

_LOG = logging.getLogger("hms.slack")
_BOLT_LOG = logging.getLogger("hms.slack.bolt")
_UNSIGNED = "socket mode has no signatures"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSide:
    """All of Slack that the process runs: requests come in through `app`, `notices` are delivered."""

    app: AsyncApp
    boundary: Boundary
    notices: SlackNotices
    outlet: Outlet


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackParts:
    """What Slack's side is built from.

    `capabilities` by provider word; `owner` names this process; `addresses` of checks by their ids;
    `examining` is what `doctor` looks at.
    """

    deployments: Deployments
    alerting: Alerting
    queue: NoticeQueue
    clock: Clock
    guard: Guard
    capabilities: Mapping[str, Capabilities]
    owner: str
    triage: Triage
    digests: DigestParts | None = None
    shipments: Shipments | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    tickets: Tickets = field(default_factory=Tickets)
    examining: Examining | None = None
    boundary: BoundarySettings | None = None
    delivery: DeliverySettings | None = None


def web_client(token: str, base_url: str, session: aiohttp.ClientSession) -> AsyncWebClient:
    """A client over a shared session, whose timeouts hold. It repeats nothing by itself.

    The SDK's own handler repeats a post whose answer was lost, which would post it twice.
    """
    return AsyncWebClient(
        token=token, base_url=base_url, session=session, retry_handlers=[], timeout=30
    )


def client_session(*traces: aiohttp.TraceConfig) -> aiohttp.ClientSession:
    """Deadlines by phase; the owner closes it. `traces` see every call to Slack."""
    timeout = aiohttp.ClientTimeout(total=15, connect=5, sock_connect=5, sock_read=10)
    return aiohttp.ClientSession(timeout=timeout, trace_configs=list(traces))


def build_slack(
    parts: SlackParts, *, client: AsyncWebClient, signing_secret: str = ""
) -> SlackSide:
    """`signing_secret` is needed for HTTP mode; an empty one means that only Socket Mode is served."""
    outlet = Outlet(client)
    cards = Cards(
        parts.deployments,
        capabilities=parts.capabilities,
        clock=parts.clock,
        shipments=parts.shipments,
        triage=parts.triage,
        tickets=parts.tickets,
    )
    alert_cards = AlertCards(parts.alerting, cards, addresses=parts.addresses, clock=parts.clock)
    kinds = {"D": cards.subject, "A": alert_cards.subject}
    if parts.digests is not None:
        kinds["G"] = _digest_cards(parts.digests, client, parts.clock).subject
    subjects = Subjects(kinds)
    boundary = Boundary(outlet, parts.boundary)
    desk = Desk(
        deployments=parts.deployments,
        alerting=parts.alerting,
        triage=parts.triage,
        boundary=boundary,
        cards=cards,
        subjects=subjects,
        clock=parts.clock,
        digests=parts.digests.digests if parts.digests else None,
        examining=parts.examining,
    )
    delivery = Delivery(
        queue=parts.queue, subjects=subjects, outlet=outlet, clock=parts.clock, guard=parts.guard
    )
    return SlackSide(
        app=_build_app(desk, outlet, client, signing_secret),
        boundary=boundary,
        notices=SlackNotices(parts.owner, delivery, parts.delivery),
        outlet=outlet,
    )


def _digest_cards(parts: DigestParts, client: AsyncWebClient, clock: Clock) -> DigestCards:
    charts = DigestCharts(
        parts.digests, parts.painter, SlackFiles(client, clock), native=parts.native_charts
    )
    return DigestCards(parts.digests, charts, clock)


def _build_app(desk: Desk, outlet: Outlet, client: AsyncWebClient, signing_secret: str) -> AsyncApp:
    token = client.token
    if not token:
        raise ProviderUnauthorized("Slack needs a bot token.", hint="Set SLACK_BOT_TOKEN.")

    async def authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        """One workspace, one token: asking Slack at every start would only add a way to fail."""
        return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id, bot_token=token)

    # Bolt warns of a token that stands in the environment too, and of one beside `authorize`.
    _BOLT_LOG.setLevel(logging.ERROR)
    app = AsyncApp(
        name="hms-sys",
        logger=_BOLT_LOG,
        client=client,
        signing_secret=signing_secret or _UNSIGNED,
        authorize=authorize,
        ssl_check_enabled=False,
    )
    commands.register(app, desk)
    deeds = (
        RolloutButtons(desk).deeds()
        | AlertButtons(desk.alerting).deeds()
        | ErrorButtons(desk.triage, desk.clock).deeds()
    )
    Buttons(desk, outlet).register(app, deeds)
    forms.register(app, desk)
    _register_rest(app)
    return app


def _register_rest(app: AsyncApp) -> None:
    """What nobody listens to is acknowledged all the same: an unanswered event is sent again and again."""

    async def silent(ack: AsyncAck) -> None:
        await ack()

    anything = re.compile(".*")
    app.event(anything)(silent)
    app.shortcut(anything)(silent)
    app.options(anything)(silent)
    app.view_closed(anything)(silent)

    @app.error
    async def stray(error: Exception, body: dict[str, object]) -> None:
        _LOG.error("stray error of a %s request", body.get("type", "command"), exc_info=error)
