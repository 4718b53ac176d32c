"""The command line on real operations and a real SQLite file, with a scripted platform behind it."""

from __future__ import annotations

import shlex
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from typer.testing import CliRunner, Result

from bot.audit_trail import read_pages
from bot.clock import SystemClock
from handlers.cli import CliServices, Hooks, build_app
from handlers.cli.orders import RestoredOrder
from operations.actor import Actor
from operations.audit import Recorded
from operations.clock import Clock
from operations.deployment.aftermath import Settled, settle_past
from operations.deployment.ports import Provider
from operations.deployment.resources import Resources
from operations.deployment.service import Deployments
from operations.deployment.target import Catalog
from operations.deployment.tenure import Pace
from operations.deployment.worker import Worker, WorkerSettings, Workshop
from operations.diagnosis import Finding
from operations.guard import Guard
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import Check
from operations.monitoring.digest.digests import Digests
from operations.monitoring.digest.span import Plan
from storage.database import Database
from tests.central_log import make_triage
from tests.contract.databases import open_sqlite
from tests.factories import ALICE, make_catalog
from tests.fakes_deployment import ScriptedMembers, ScriptedProbe, ScriptedProvider

NAMES = {"U01ALICE": "alice", "U02BOB": "bob"}


class LateClock:
    """The machine's clock, so much later."""

    def __init__(self, by: timedelta) -> None:
        self._by = by
        self._clock = SystemClock()

    def now(self) -> datetime:
        """Later."""
        return self._clock.now() + self._by

    async def sleep(self, seconds: float) -> None:
        """As long as asked."""
        await self._clock.sleep(seconds)


async def open_guard(name: str, work: Callable[[], Awaitable[None]]) -> str:
    """Lets a bug through, so that the test fails with it."""
    await work()
    return ""


def refuse() -> int:
    """A command that the test does not expect."""
    raise AssertionError("this command was not expected")


async def refuse_order(order: object) -> int:
    """The same, for one with an order."""
    return refuse()


@dataclass(slots=True, kw_only=True)
class Shop:
    """Runs commands. `before_work` happens between the request and its being carried out."""

    path: Path
    provider: Provider = field(default_factory=ScriptedProvider)
    catalog: Catalog = field(default_factory=make_catalog)
    checks: Sequence[Check] = ()
    members: ScriptedMembers = field(default_factory=ScriptedMembers)
    clock: Clock = field(default_factory=SystemClock)
    guard: Guard = open_guard
    before_work: Callable[[Deployments, int], Awaitable[object]] | None = None
    plan: Plan | None = None
    opened: int = 0
    findings: Sequence[Finding] = ()
    programs: Mapping[str, Callable[[], int]] = field(default_factory=dict)

    def run(self, line: str, *, actor: Actor = ALICE) -> Result:
        """One `hms-sys` from its arguments to its exit code."""
        return CliRunner().invoke(build_app(self.hooks(actor)), shlex.split(line))

    def hooks(self, actor: Actor = ALICE) -> Hooks:
        """What `bot.cli` would pass."""
        known = {name: self.programs.get(name, refuse) for name in _PROGRAMS}
        return Hooks(
            open_services=lambda reading: self.services(actor),
            guard=self.guard,
            config_migrate=lambda order: refuse(),
            migrate_audit=lambda order: refuse(),
            migrate_references=lambda order: refuse(),
            db_backup=refuse_order,
            db_restored=self.settle,
            migrate_logs=refuse_order,
            migrate_status=refuse_order,
            doctor=self.doctor,
            audit_trail=self.trail,
            components=refuse_order,
            **known,
        )

    @asynccontextmanager
    async def services(self, actor: Actor) -> AsyncIterator[CliServices]:
        """Opened anew for each command, as a process would."""
        self.opened += 1
        async with await open_sqlite(self.path) as database:
            deployments = self._deployments(database)
            worker = self._worker(database)

            async def carry_out(rollout_id: int) -> None:
                if self.before_work is not None:
                    await self.before_work(deployments, rollout_id)
                await worker.carry_out(rollout_id)

            yield CliServices(
                deployments=deployments,
                alerting=Alerting(checks=self.checks, store=database.store, clock=self.clock),
                digests=Digests(
                    plan=self.plan, checks=self.checks, store=database.store, clock=self.clock
                ),
                triage=make_triage(database, deployments.inquiries, self.clock),
                actor=actor,
                clock=self.clock,
                carry_out=carry_out,
                names=NAMES,
                poll_seconds=0.02,
            )

    async def trail(self, since: timedelta | None) -> AsyncGenerator[Recorded, None]:
        """What is in the test's own database, as `bot.audit_trail` reads it."""
        async with await open_sqlite(self.path) as database:
            async for recorded in read_pages(database, since):
                yield recorded

    async def settle(self, order: RestoredOrder) -> Settled:
        """On the test's own database."""
        async with await open_sqlite(self.path) as database:
            return await settle_past(database.store, self.clock, ALICE, by=order.by)

    async def doctor(self) -> Sequence[Finding]:
        """Finds what the test says."""
        return self.findings

    def _deployments(self, database: Database) -> Deployments:
        return Deployments.over(
            Resources(
                catalog=self.catalog,
                providers={"k8s": self.provider},
                store=database.store,
                members=self.members,
                clock=self.clock,
            )
        )

    def _worker(self, database: Database) -> Worker:
        shop = Workshop(
            catalog=self.catalog,
            providers={"k8s": self.provider},
            store=database.store,
            queue=database.rollout_queue,
            probe=ScriptedProbe(),
            clock=self.clock,
        )
        settings = WorkerSettings(
            idle_seconds=0.02, pace=Pace(look_seconds=0.02, pause_seconds=0.02)
        )
        return Worker("command line", shop, self.guard, settings)


_PROGRAMS = ("serve", "sandbox", "config_check", "config_schema", "db_upgrade", "audit_verify")
