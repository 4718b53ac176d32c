"""The programs `hms-sys` and `HMS-SYS`: gives the command line what only the composition root can.

Imports are inside the functions on purpose: `hms-sys --help` must not wait for an SDK.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from bot.streams import hold_streams
from handlers.cli.app import build_app
from handlers.cli.services import CliServices, Hooks

if TYPE_CHECKING:
    import typer

    from bot.bootstrap import Services
    from bot.config import Config
    from bot.settings import Settings
    from handlers.cli.orders import (
        AuditOrder,
        BackupOrder,
        ComponentsOrder,
        LogsOrder,
        MigrateOrder,
        ReferencesOrder,
        RestoredOrder,
    )
    from operations.actor import Actor
    from operations.audit import Recorded
    from operations.deployment.aftermath import Settled
    from operations.deployment.ports import Members
    from operations.diagnosis import Finding


_USAGE = 2


def main() -> None:
    """Run the command line, which exits with its own code."""
    hold_streams()
    build_command_line()()


def build_command_line() -> typer.Typer:
    """All of it; nothing runs before it is called."""
    hooks = Hooks(
        open_services=_open_services,
        guard=_guard,
        serve=_serve,
        sandbox=_sandbox,
        config_check=_config_check,
        config_schema=_config_schema,
        config_migrate=_config_migrate,
        migrate_audit=_migrate_audit,
        migrate_references=_migrate_references,
        migrate_logs=_migrate_logs,
        migrate_status=_migrate_status,
        db_upgrade=_db_upgrade,
        db_backup=_db_backup,
        db_restored=_db_restored,
        audit_verify=_audit_verify,
        audit_trail=_audit_trail,
        doctor=_doctor,
        components=_components,
    )
    return build_app(hooks)


def _load() -> tuple[Settings, Config]:
    """Environment and configuration; raises SettingsError or ConfigError."""
    from bot.config import load_config
    from bot.logs import start_logging
    from bot.settings import load_settings

    settings = load_settings()
    start_logging(settings, "error")
    return settings, load_config(settings.config_path)


@asynccontextmanager
async def _open_services(reading: bool) -> AsyncIterator[CliServices]:
    from bot.absence import with_database
    from bot.bootstrap import open_services

    given, config = _load()
    with with_database(given, reading=reading) as settings:
        async with (
            _members(settings) as members,
            open_services(settings, config, members) as services,
        ):
            yield _cli_services(services, config)


def _cli_services(services: Services, config: Config) -> CliServices:
    return CliServices(
        deployments=services.deployments,
        alerting=services.monitoring.alerting,
        triage=services.errors.triage,
        digests=services.digests.digests,
        actor=_actor(config),
        clock=services.clock,
        carry_out=services.worker.carry_out,
        names={user: login for login, user in config.access.cli.items()},
        tickets=services.tickets,
    )


def _actor(config: Config) -> Actor:
    from bot.logins import actor_of_login

    return actor_of_login(config.access.cli)


@asynccontextmanager
async def _members(settings: Settings) -> AsyncIterator[Members]:
    """Slack's user groups when there is a token; else every question about them is refused."""
    if settings.slack_bot_token is None:
        from bot.membership import UnknownMembers

        yield UnknownMembers()
        return
    from bot.clock import SystemClock
    from handlers.slack.app import client_session, web_client
    from handlers.slack.groups import SlackMembers

    async with client_session() as session:
        token = settings.slack_bot_token.get_secret_value()
        yield SlackMembers(web_client(token, settings.slack_api_url, session), SystemClock())


async def _guard(name: str, work: Callable[[], Awaitable[None]]) -> str:
    from bot.clock import SystemClock
    from bot.logs import configure_logging
    from bot.supervision import Supervisor

    # A bug before the settings are read would be shown with every local variable, secrets among them.
    configure_logging("error", "", sys.stderr.isatty())
    return await Supervisor(SystemClock())(name, work)


def _serve() -> int:
    from bot.serving import run_serve

    return run_serve()


def _sandbox() -> int:
    """A program of its own: nothing of production imports it, and an installation may lack it."""
    from importlib.util import find_spec

    if find_spec("sandbox") is None or find_spec("moto") is None:
        sys.stderr.write("The sandbox is not installed here. In a clone, `make demo` runs it.\n")
        return _USAGE
    platform = f"{sys.platform}-{'x64' if os.uname().machine == 'x86_64' else 'arm64'}"
    slack = Path(f".sandbox/npm/node_modules/local-slack-{platform}/bin/local-slack")
    os.execv(  # noqa: S606 -- our own interpreter, fixed arguments
        sys.executable, [sys.executable, "-m", "sandbox", "--local-slack", str(slack)]
    )


def _config_check() -> int:
    from bot.undecided import undecided
    from bot.variables import missing_variables

    settings, config = _load()
    count = len(config.catalog().targets)
    targets = "1 target" if count == 1 else f"{count} targets"
    sys.stdout.write(f"{settings.config_path} is valid: {targets}.\n")
    for fault in undecided(config):
        sys.stdout.write(f"  {fault.path}: {fault.message}.\n")
    if missing := missing_variables(settings, config):
        sys.stdout.write("Not set in this environment, and asked for by `hms-sys serve`:\n")
    for each in missing:
        sys.stdout.write(
            f"  {each.fault.path}: {each.fault.message}. {each.advice}".rstrip() + "\n"
        )
    return 0


def _config_schema() -> int:
    import json

    from bot.config import config_schema

    sys.stdout.write(json.dumps(config_schema(), indent=2) + "\n")
    return 0


def _config_migrate(order: MigrateOrder) -> int:
    from bot.legacy.migrating import migrate_config

    return migrate_config(order)


def _migrate_audit(order: AuditOrder) -> int:
    from bot.legacy.auditing import migrate_audit

    return migrate_audit(order)


def _migrate_references(order: ReferencesOrder) -> int:
    from bot.legacy.referring import migrate_references

    return migrate_references(order)


async def _db_upgrade() -> int:
    from bot.settings import load_settings
    from storage.migration import migrate

    await migrate(load_settings().database_url.get_secret_value())
    sys.stdout.write("The database is up to date.\n")
    return 0


async def _db_backup(order: BackupOrder) -> int:
    from bot.settings import load_settings
    from storage.backup import back_up

    await back_up(load_settings().database_url.get_secret_value(), Path(order.target))
    sys.stdout.write(f"{order.target} is a copy of the database.\n")
    return 0


async def _db_restored(order: RestoredOrder) -> Settled:
    from bot.backups import settle_restored

    settings, config = _load()
    return await settle_restored(settings, config, _actor(config), by=order.by)


async def _audit_verify() -> int:
    from bot.absence import check_database, open_to_read
    from bot.settings import load_settings

    settings = load_settings()
    check_database(settings)
    async with open_to_read(settings) as database, database.store.snapshot() as tx:
        broken = await tx.audit.broken_at()
    if broken is None:
        sys.stdout.write("The audit trail is whole.\n")
        return 0
    sys.stdout.write(f"The audit trail was changed at event {broken}.\n")
    return 1


def _audit_trail(since: timedelta | None) -> AsyncGenerator[Recorded, None]:
    from bot.audit_trail import read_trail

    return read_trail(since)


async def _doctor() -> Sequence[Finding]:
    from bot.doctor import run_doctor

    return await run_doctor()


async def _components(order: ComponentsOrder) -> int:
    from bot.registration import run_components

    return await run_components(order)


async def _migrate_logs(order: LogsOrder) -> int:
    from bot.legacy.history import migrate_logs

    return await migrate_logs(order)


async def _migrate_status(as_json: bool) -> int:
    from bot.dual_report import report_dual

    return await report_dual(as_json)
