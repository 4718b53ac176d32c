"""What following a hundred rollouts in one ECS cluster costs in calls to AWS.

The real adapter at its usual pace and one worker that may carry out a hundred at once, over the sandbox's
ECS, whose image is slow enough that all are still being followed while the rounds are counted.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.figures import Figure, Floor, Topic, at_most
from bench.scene import write_config
from bot.bootstrap import Services, open_services
from bot.config import load_config
from bot.membership import UnknownMembers
from bot.settings import load_settings
from operations.deployment.requests import DeployRequest
from operations.deployment.rollout import HistoryQuery, Phase
from operations.deployment.worker import Worker, WorkerSettings, Workshop
from providers.probe import HttpProbe
from sandbox.ecs import EcsStandIn
from tests.contract.world_ecs import environment
from tests.factories import ALICE

_FLEET = 100
_A_CALL = 10  # services that DescribeServices takes
_LIMIT = 12.0
_ROUNDS = 5
_PACE = 2.0  # seconds a step of a task takes: nothing ends while rounds are counted
_PATIENCE = 120.0
_QUIET = 0.5  # seconds without a call part two rounds; the adapter's rounds are 3 s apart
_VERSION = "1.1-slow"


@dataclass(slots=True)
class Rounds:
    """Calls told apart into rounds by the quiet between them."""

    calls: list[int]
    _last: float = -math.inf

    def note(self, count: int, at: float) -> None:
        """`count` more calls were made at `at` seconds."""
        if count and at - self._last >= _QUIET:
            self.calls.append(0)
        if count:
            self.calls[-1] += count
            self._last = at


async def measure() -> list[Figure]:
    """The dearest of the rounds."""
    with (
        tempfile.TemporaryDirectory(prefix="hms-bench-") as name,
        EcsStandIn(pace=_PACE) as ecs,
        environment(ecs.environment()),
    ):
        place = Path(name)
        _set_scene(place, ecs)
        async with _working(place) as services:
            await _ship_all(services)
            rounds = await _count(lambda: ecs.calls["DescribeServices"])
    return [_figure(rounds)]


def _set_scene(place: Path, ecs: EcsStandIn) -> None:
    projects: dict[str, dict[str, object]] = {}
    for number in range(_FLEET):
        name = f"app{number}"
        ecs.add_service("main", name, "acme/app", "1.0", desired=1)
        projects[name] = {
            "provider": "aws",
            "region": ecs.region,
            "cluster": "main",
            "service": name,
            "image": f"{ecs.registry}/acme/app",
        }
    ecs.push_image("acme/app", _VERSION)
    write_config(place / "hms.yaml", projects)


@asynccontextmanager
async def _working(place: Path) -> AsyncIterator[Services]:
    settings = load_settings({"HMS_DATABASE_URL": f"sqlite:///{place / 'hms.db'}"})
    config = load_config(place / "hms.yaml")
    async with (
        open_services(settings, config, UnknownMembers()) as services,
        asyncio.TaskGroup() as group,
    ):
        worker = group.create_task(_worker(services).run(), name="worker")
        try:
            yield services
        finally:
            worker.cancel()


def _worker(services: Services) -> Worker:
    """Like the bot's own, but for how many it may carry out at once."""
    shop = Workshop(
        catalog=services.catalog,
        providers=services.providers,
        store=services.database.store,
        queue=services.database.rollout_queue,
        probe=HttpProbe(),
        clock=services.clock,
    )
    settings = replace(WorkerSettings(), at_once=_FLEET)
    return Worker(services.owner, shop, services.supervisor, settings)


async def _ship_all(services: Services) -> None:
    """Until every rollout is being followed."""
    requests, inquiries = services.deployments.requests, services.deployments.inquiries
    async with asyncio.TaskGroup() as group:
        for target in services.catalog.targets:
            request = DeployRequest(
                project=target.project, environment=target.environment, version=_VERSION
            )
            group.create_task(requests.request(request, ALICE), name=target.name)
    async with asyncio.timeout(_PATIENCE):
        while True:
            found = (await inquiries.history(HistoryQuery(limit=_FLEET))).rollouts
            if sum(rollout.phase is Phase.FOLLOWING for rollout in found) == _FLEET:
                return
            await asyncio.sleep(0.1)


async def _count(calls: Callable[[], int]) -> list[int]:
    """The calls of each whole round; the one under way at the beginning is left out."""
    rounds, before = Rounds([]), calls()
    async with asyncio.timeout(_PATIENCE):
        while len(rounds.calls) < _ROUNDS + 2:
            now = calls()
            rounds.note(now - before, time.monotonic())
            before = now
            await asyncio.sleep(0.01)
    return rounds.calls[1:-1]


def _figure(rounds: list[int]) -> Figure:
    return Figure(
        topic=Topic.ECS,
        name="ECS: DescribeServices calls a round, 100 rollouts followed",
        value=max(rounds),
        unit="calls",
        limit=at_most(_LIMIT, f"at most {_LIMIT:.0f} calls"),
        floor=Floor(math.ceil(_FLEET / _A_CALL), "ten services a call"),
        note=f"{len(rounds)} rounds: {', '.join(map(str, rounds))}",
    )
