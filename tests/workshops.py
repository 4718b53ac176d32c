"""A whole engine over an embedded database and a scripted provider, for tests of what it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from bot.clock import SystemClock
from operations.actor import Actor
from operations.clock import Clock
from operations.deployment.failures import Failures, Unheard
from operations.deployment.ports import HealthProbe, Members
from operations.deployment.requests import DeployRequest
from operations.deployment.resources import Resources
from operations.deployment.rollout import Rollout
from operations.deployment.service import Deployments
from operations.deployment.target import Catalog
from operations.deployment.tenure import Pace
from operations.deployment.worker import Worker, WorkerSettings, Workshop
from operations.guard import Guard
from operations.routing import Routing
from storage.database import Database
from tests.contract.databases import open_sqlite
from tests.factories import ALICE, make_catalog
from tests.fakes_deployment import ScriptedMembers, ScriptedProbe, ScriptedProvider

BRISK = Pace(
    lease_seconds=0.6,
    look_seconds=0.02,
    call_seconds=2.0,
    pause_seconds=0.01,
    grace_seconds=0.2,
)


class ShiftedClock(SystemClock):
    """The machine's time plus what a test adds."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        """The shifted time."""
        return super().now() + self.ahead


@dataclass
class Engine:
    """Everything of deployment, wired as `bot.bootstrap` wires it, with a provider of the test's own."""

    deployments: Deployments
    database: Database
    provider: ScriptedProvider
    clock: ShiftedClock
    catalog: Catalog
    probe: HealthProbe
    failures: Failures = field(default_factory=Unheard)

    def worker(
        self, owner: str = "worker-1", pace: Pace = BRISK, guard: Guard | None = None
    ) -> Worker:
        """One more worker on the same database."""
        shop = Workshop(
            catalog=self.catalog,
            providers={"k8s": self.provider},
            store=self.database.store,
            queue=self.database.rollout_queue,
            probe=self.probe,
            clock=self.clock,
            failures=self.failures,
        )
        settings = WorkerSettings(idle_seconds=0.02, pace=pace)
        return Worker(owner, shop, guard or run_plainly, settings)

    async def ask(
        self, version: str = "1.1", environment: str = "staging", actor: Actor = ALICE
    ) -> Rollout:
        """A deploy of myapp, which staging takes without votes."""
        request = DeployRequest(project="myapp", environment=environment, version=version)
        return (await self.deployments.requests.request(request, actor)).rollout

    async def carry_out(self, rollout: Rollout, worker: Worker | None = None) -> Rollout:
        """Work on it until it has ended."""
        await (worker or self.worker()).carry_out(rollout.id)
        return await self.read(rollout)

    async def read(self, rollout: Rollout) -> Rollout:
        """As it is stored now."""
        return (await self.deployments.inquiries.show(rollout.id)).rollout

    async def actions(self, rollout: Rollout) -> list[str]:
        """What the audit trail tells of it."""
        report = await self.deployments.inquiries.show(rollout.id)
        return [event.action for event in report.timeline]


async def run_plainly(name: str, work: Callable[[], Awaitable[None]]) -> str:
    """A guard that lets bugs through, so that a test sees them."""
    await work()
    return ""


@asynccontextmanager
async def open_engine(
    tmp_path: Path,
    *,
    provider: ScriptedProvider | None = None,
    catalog: Catalog | None = None,
    probe: HealthProbe | None = None,
    members: Members | None = None,
    routing: Routing | None = None,
) -> AsyncIterator[Engine]:
    """An engine on the test's own database."""
    clock = ShiftedClock()
    provider = provider or ScriptedProvider()
    catalog = catalog or make_catalog()
    async with await open_sqlite(tmp_path, clock=clock, routing=routing) as database:
        yield Engine(
            deployments=make_deployments(catalog, provider, database, members, clock),
            database=database,
            provider=provider,
            clock=clock,
            catalog=catalog,
            probe=probe or ScriptedProbe(),
        )


def make_deployments(
    catalog: Catalog,
    provider: ScriptedProvider,
    database: Database,
    members: Members | None,
    clock: Clock,
) -> Deployments:
    """The services over one scripted provider."""
    return Deployments.over(
        Resources(
            catalog=catalog,
            providers={"k8s": provider},
            store=database.store,
            members=members or ScriptedMembers(),
            clock=clock,
        )
    )
