"""The composition root: with its neighbours here, the only place that names concrete adapters.

It wires them to the services. Platforms are built in `platforms`.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from pydantic import SecretStr

from bot.clock import SystemClock
from bot.commit_times import ShippedCommits
from bot.config import Config
from bot.digest import DigestSide, build_digests
from bot.dual import wrap_dual
from bot.errors import ErrorParts, ErrorSide, build_errors
from bot.failures import FailedRollouts
from bot.heartbeat import Beacon
from bot.log_sources import LogParts, build_log_loops
from bot.meter import Meter
from bot.monitoring import Lookups, Monitoring, build_monitoring
from bot.platforms import PlatformParts, build_platforms
from bot.routes import build_routing
from bot.schedule import Job, Loop
from bot.settings import Settings
from bot.supervision import Supervisor
from handlers.tickets import Tickets
from operations.clock import Clock
from operations.deployment.ports import Members, Provider
from operations.deployment.resources import Resources
from operations.deployment.service import Deployments
from operations.deployment.target import Catalog
from operations.deployment.worker import Worker, Workshop
from operations.monitoring.errors.intake import Intake
from operations.monitoring.errors.rates import RateProber
from providers.github import GitHub
from providers.probe import HttpProbe
from providers.prober import CheckProber
from storage.database import Database, open_database

_EXPIRES_EVERY = timedelta(seconds=5)
_HOLDS_EVERY = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything that a way in needs. `owner` names this process in leases and claims.

    `loops` and `jobs` are for whoever serves to run.
    """

    owner: str
    clock: Clock
    catalog: Catalog
    providers: Mapping[str, Provider]
    commits: GitHub
    database: Database
    deployments: Deployments
    supervisor: Supervisor
    worker: Worker
    monitoring: Monitoring
    digests: DigestSide
    errors: ErrorSide
    tickets: Tickets
    beacon: Beacon | None
    loops: Sequence[Loop]
    jobs: Sequence[Job]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """What is opened and has to be closed, and what everything else stands on.

    `platforms` are the providers themselves, `providers` those with HMS-OPS beside them where configured.
    """

    settings: Settings
    config: Config
    members: Members
    meter: Meter | None
    clock: Clock
    supervisor: Supervisor
    database: Database
    catalog: Catalog
    commits: GitHub
    platforms: Mapping[str, Provider]
    providers: Mapping[str, Provider]
    probe: HttpProbe
    prober: CheckProber


@asynccontextmanager
async def open_services(
    settings: Settings, config: Config, members: Members, meter: Meter | None = None
) -> AsyncIterator[Services]:
    """Open the database, build what the configuration uses, and close all of it in reverse order.

    `meter` counts what goes in and out.
    """
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await open_database(
            settings.database_url.get_secret_value(), clock=clock, routing=build_routing(config)
        )
        stack.push_async_callback(database.close)
        catalog = config.catalog()
        commits = GitHub(base_url=settings.github_api_url, token=_text(settings.github_token))
        stack.push_async_callback(commits.close)
        platforms = build_platforms(PlatformParts(settings, clock, commits), catalog, stack, meter)
        providers = wrap_dual(platforms, settings, config, database, clock)
        probe, prober = HttpProbe(), CheckProber(providers, catalog, clock)
        stack.push_async_callback(probe.close)
        stack.push_async_callback(prober.close)
        yield _build(
            _Ground(
                settings=settings,
                config=config,
                members=members,
                meter=meter,
                clock=clock,
                supervisor=Supervisor(clock),
                database=database,
                catalog=catalog,
                commits=commits,
                platforms=platforms,
                providers=providers,
                probe=probe,
                prober=prober,
            )
        )


def _build(ground: _Ground) -> Services:
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
    deployments = Deployments.over(
        _resources(ground), ShippedCommits(ground.commits, ground.catalog)
    )
    worker = Worker(owner, _workshop(ground), ground.supervisor)
    errors = _errors(ground, deployments)
    monitoring = _monitoring(ground, deployments, errors)
    digests = build_digests(ground.config, monitoring.checks, ground.database.store, ground.clock)
    return Services(
        owner=owner,
        clock=ground.clock,
        catalog=ground.catalog,
        providers=ground.providers,
        commits=ground.commits,
        database=ground.database,
        deployments=deployments,
        supervisor=ground.supervisor,
        worker=worker,
        monitoring=monitoring,
        digests=digests,
        errors=errors,
        tickets=_tickets(ground.config),
        beacon=_beacon(ground.config, ground.probe),
        loops=[
            Loop("worker", worker.run),
            *monitoring.loops,
            *errors.loops,
            *_log_loops(ground, errors),
        ],
        jobs=[*_deployment_jobs(deployments), *monitoring.jobs, *digests.jobs, *errors.jobs],
    )


def _resources(ground: _Ground) -> Resources:
    return Resources(
        catalog=ground.catalog,
        providers=ground.providers,
        store=ground.database.store,
        members=ground.members,
        clock=ground.clock,
    )


def _workshop(ground: _Ground) -> Workshop:
    return Workshop(
        catalog=ground.catalog,
        providers=ground.providers,
        store=ground.database.store,
        queue=ground.database.rollout_queue,
        probe=ground.probe,
        clock=ground.clock,
        failures=FailedRollouts(ground.config.errors.new_groups),
    )


def _deployment_jobs(deployments: Deployments) -> list[Job]:
    return [
        Job("expiry", _EXPIRES_EVERY, deployments.decisions.expire_due),
        Job("holding", _HOLDS_EVERY, deployments.holding.tell),
    ]


def _errors(ground: _Ground, deployments: Deployments) -> ErrorSide:
    parts = ErrorParts(
        config=ground.config,
        database=ground.database,
        inquiries=deployments.inquiries,
        clock=ground.clock,
        guard=ground.supervisor,
        secrets=ground.settings.secrets(),
    )
    return build_errors(parts, ground.meter.intake if ground.meter else Intake)


def _monitoring(ground: _Ground, deployments: Deployments, errors: ErrorSide) -> Monitoring:
    lookups = Lookups(
        prober=RateProber(ground.prober, errors.triage, ground.clock),
        inquiries=deployments.inquiries,
    )
    return build_monitoring(
        ground.config, ground.database, lookups, ground.clock, ground.supervisor
    )


def _log_loops(ground: _Ground, errors: ErrorSide) -> Sequence[Loop]:
    parts = LogParts(
        config=ground.config,
        database=ground.database,
        catalog=ground.catalog,
        providers=ground.platforms,
        intake=errors.intake,
        clock=ground.clock,
        guard=ground.supervisor,
    )
    return build_log_loops(parts)


def _tickets(config: Config) -> Tickets:
    return Tickets({name: c.ticket_url for name, c in config.components.items() if c.ticket_url})


def _beacon(config: Config, probe: HttpProbe) -> Beacon | None:
    given = config.heartbeat
    return Beacon(given.every, partial(probe.call, given.url)) if given else None


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
