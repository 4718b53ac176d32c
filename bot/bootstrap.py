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
        providers = wrap_dual(platforms, config, database, clock)
        probe = HttpProbe()
        stack.push_async_callback(probe.close)
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        shop = Workshop(
            catalog=catalog,
            providers=providers,
            store=database.store,
            queue=database.rollout_queue,
            probe=probe,
            clock=clock,
        )
        resources = Resources(
            catalog=catalog,
            providers=providers,
            store=database.store,
            members=members,
            clock=clock,
        )
        deployments = Deployments.over(resources, ShippedCommits(commits, catalog))
        supervisor = Supervisor(clock)
        prober = CheckProber(providers, catalog, clock)
        stack.push_async_callback(prober.close)
        worker = Worker(owner, shop, supervisor)
        error_parts = ErrorParts(
            config=config,
            database=database,
            inquiries=deployments.inquiries,
            clock=clock,
            guard=supervisor,
            secrets=settings.secrets(),
        )
        errors = build_errors(error_parts, meter.intake if meter else Intake)
        lookups = Lookups(
            prober=RateProber(prober, errors.triage, clock), inquiries=deployments.inquiries
        )
        monitoring = build_monitoring(config, database, lookups, clock, supervisor)
        log_parts = LogParts(
            config=config,
            database=database,
            catalog=catalog,
            providers=platforms,
            intake=errors.intake,
            clock=clock,
            guard=supervisor,
        )
        digests = build_digests(config, monitoring.checks, database.store, clock)
        expiry = Job("expiry", _EXPIRES_EVERY, deployments.decisions.expire_due)
        holding = Job("holding", _HOLDS_EVERY, deployments.holding.tell)
        yield Services(
            owner=owner,
            clock=clock,
            catalog=catalog,
            providers=providers,
            commits=commits,
            database=database,
            deployments=deployments,
            supervisor=supervisor,
            worker=worker,
            monitoring=monitoring,
            digests=digests,
            errors=errors,
            tickets=_tickets(config),
            beacon=_beacon(config, probe),
            loops=[
                Loop("worker", worker.run),
                *monitoring.loops,
                *errors.loops,
                *build_log_loops(log_parts),
            ],
            jobs=[expiry, holding, *monitoring.jobs, *digests.jobs, *errors.jobs],
        )


def _tickets(config: Config) -> Tickets:
    return Tickets({name: c.ticket_url for name, c in config.components.items() if c.ticket_url})


def _beacon(config: Config, probe: HttpProbe) -> Beacon | None:
    given = config.heartbeat
    return Beacon(given.every, partial(probe.call, given.url)) if given else None


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""
