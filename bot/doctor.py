"""What `doctor` looks at: everything that the settings and the configuration name, asked for real.

It works also where the bot cannot start: a database that is down or a configuration with faults is a
finding, and the rest is looked at all the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from bot.clock import SystemClock
from bot.config import Config, load_config
from bot.dual_findings import examine_legacy
from bot.faults import ConfigError, Fault, SettingsError
from bot.platforms import PlatformParts, build_platforms
from bot.settings import Settings, check_serve, load_settings
from bot.variables import missing_variables
from bot.webhooks import open_callers
from operations.clock import Clock
from operations.deployment.ports import Provider
from operations.deployment.target import Catalog, Target
from operations.diagnosis import Condition, Examination, Finding, diagnose
from providers.github import GitHub
from storage.address import SqliteAddress, parse_address
from storage.inspection import Schema, inspect_schema

if TYPE_CHECKING:
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.bootstrap import Services
    from handlers.slack.diagnosis import Workspace

_SECONDS = 15.0
_FREE_MEGABYTES = 500
_SCHEMAS = {
    Schema.CURRENT: (Condition.WELL, "answers, and its schema is this version's", ""),
    Schema.NONE: (Condition.WELL, "is empty yet: the first start makes its tables", ""),
    Schema.OLDER: (
        Condition.DOUBTFUL,
        "has an older schema",
        "The next start brings it up to date.",
    ),
    Schema.UNKNOWN: (
        Condition.FAILING,
        "has the schema of a newer version",
        "Run the version that made it, or a newer one.",
    ),
}
_MOSTLY_FULL = "Make room, or move the database."


async def run_doctor() -> list[Finding]:
    """Look at everything; raises nothing that is about what it looks at."""
    try:
        settings = load_settings()
    except SettingsError as exc:
        return [_of_fault("environment", fault) for fault in exc.faults]
    try:
        config = load_config(settings.config_path)
    except ConfigError as exc:
        slack = [_of_fault("environment", fault) for fault in check_serve(settings)]
        return [*slack, *(_of_fault(exc.file, fault) for fault in exc.faults)]
    found = _missing(settings, config)
    told = {each.subject for each in found}
    async with AsyncExitStack() as stack:
        return [
            *found,
            *(each for each in _components(config, stack) if each.subject not in told),
            *examine_legacy(settings, config),
            *await diagnose(await _examinations(settings, config, stack), seconds=_SECONDS),
        ]


async def examine_running(
    settings: Settings, config: Config, services: Services, client: AsyncWebClient
) -> list[Finding]:
    """The same of a bot that runs, with the connections that it has; for `/hms doctor`."""
    from handlers.slack.diagnosis import SlackDiagnosis

    workspace = workspace_of(config, _text(settings.slack_app_token))
    return await diagnose(
        [
            Examination("database", "connection", partial(_database, settings)),
            *SlackDiagnosis(client, workspace, services.clock).examinations(),
            *of_targets(services.catalog, services.providers),
            *_of_mail(settings, config),
        ],
        seconds=_SECONDS,
    )


async def _examinations(
    settings: Settings, config: Config, stack: AsyncExitStack
) -> list[Examination]:
    clock = SystemClock()
    catalog = config.catalog()
    commits = GitHub(base_url=settings.github_api_url, token=_text(settings.github_token))
    stack.push_async_callback(commits.close)
    platforms = build_platforms(PlatformParts(settings, clock, commits), catalog, stack)
    slack = await _of_slack(settings, config, clock, stack)
    return [
        Examination("database", "connection", partial(_database, settings)),
        *slack,
        *of_targets(catalog, platforms),
        *_of_mail(settings, config),
    ]


def _missing(settings: Settings, config: Config) -> list[Finding]:
    """Variables that are asked for and not set."""
    return [
        replace(_of_fault("environment", each.fault), advice=each.advice)
        for each in missing_variables(settings, config)
    ]


def _components(config: Config, stack: AsyncExitStack) -> list[Finding]:
    """Secrets that calls are signed with: `serve` does not start without them."""
    try:
        open_callers(config, SystemClock(), stack)
    except SettingsError as exc:
        return [_of_fault("environment", fault) for fault in exc.faults]
    return []


def of_targets(catalog: Catalog, platforms: Mapping[str, Provider]) -> list[Examination]:
    """One for each target: whether its platform answers with our credentials, and what serves."""
    return [
        Examination("targets", target.name, partial(_target, target, platforms[target.provider]))
        for target in catalog.targets
    ]


async def _target(target: Target, platform: Provider) -> Sequence[Finding]:
    health = await platform.status(target)
    counts = f", {health.healthy} of {health.desired} healthy" if health.desired >= 0 else ""
    well = health.state in {"healthy", "deploying"}
    version = health.version or "nothing"
    return [
        Finding(
            area="targets",
            subject=target.name,
            condition=Condition.WELL if well else Condition.DOUBTFUL,
            detail=f"{target.spec.title} answers: {version} {health.state}{counts}",
            advice="" if well else f"See `status {target.project} {target.environment}`.",
        )
    ]


async def _database(settings: Settings) -> Sequence[Finding]:
    """Nothing is upgraded by being looked at."""
    url = settings.database_url.get_secret_value()
    condition, detail, advice = _SCHEMAS[await inspect_schema(url)]
    found = Finding(
        area="database",
        subject="connection",
        condition=condition,
        detail=detail,
        advice=advice,
    )
    return [found, *_room(url)]


def _room(url: str) -> Sequence[Finding]:
    """How much of the disk is left, where the database is a file."""
    address = parse_address(url)
    if not isinstance(address, SqliteAddress):
        return []
    free = shutil.disk_usage(Path(address.path).absolute().parent).free // 2**20
    tight = free < _FREE_MEGABYTES
    return [
        Finding(
            area="database",
            subject="disk",
            condition=Condition.FAILING if tight else Condition.WELL,
            detail=f"{free} MB free",
            advice=_MOSTLY_FULL if tight else "",
        )
    ]


async def _of_slack(
    settings: Settings, config: Config, clock: Clock, stack: AsyncExitStack
) -> list[Examination]:
    """Nothing without a token: that it is missing is said already."""
    if settings.slack_bot_token is None:
        return []
    from handlers.slack.app import client_session, web_client
    from handlers.slack.diagnosis import SlackDiagnosis

    session = await stack.enter_async_context(client_session())
    client = web_client(_text(settings.slack_bot_token), settings.slack_api_url, session)
    workspace = workspace_of(config, _text(settings.slack_app_token))
    return SlackDiagnosis(client, workspace, clock).examinations()


def _of_mail(settings: Settings, config: Config) -> list[Examination]:
    if config.email is None:
        return []
    from providers.mail.courier import MailCourier
    from providers.mail.server import parse_server

    given = config.email
    server = parse_server(given.smtp, _text(settings.smtp_password))
    courier = MailCourier(server, sender=given.sender, recipients=given.to, seconds=_SECONDS)

    async def examine() -> Sequence[Finding]:
        await courier.greet()
        return [_finding("mail", server.host, "takes our letters")]

    return [Examination("mail", server.host, examine)]


def workspace_of(config: Config, app_token: str) -> Workspace:
    """Every channel and user group that the configuration names."""
    from handlers.slack.diagnosis import Workspace

    catalog = config.catalog()
    escalation = config.alerts.escalation
    channels = [
        config.slack.deploys_channel,
        config.slack.alerts_channel,
        *(target.channel for target in catalog.targets),
        config.digest.channel if config.digest else None,
        escalation.channel if escalation else None,
    ]
    people = set().union(*(_people(target) for target in catalog.targets))
    return Workspace(
        channels=tuple(dict.fromkeys(filter(None, channels))),
        groups=tuple(sorted(name for name in people if name.startswith("S"))),
        app_token=app_token,
    )


def _people(target: Target) -> frozenset[str]:
    voters = target.approval.voters if target.approval else frozenset()
    return voters | (target.deployers or frozenset()) | target.admins


def _finding(area: str, subject: str, detail: str) -> Finding:
    return Finding(area=area, subject=subject, condition=Condition.WELL, detail=detail)


def _of_fault(area: str, fault: Fault) -> Finding:
    place = f" (line {fault.line})" if fault.line else ""
    return Finding(
        area=area,
        subject=fault.path or area,
        condition=Condition.FAILING,
        detail=f"{fault.message}{place}",
    )


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
