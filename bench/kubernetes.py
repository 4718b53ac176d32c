"""From the moment a workload is complete at the API server to its stored outcome.

The real adapter, worker and SQLite, over the sandbox's API server. The moment is read behind the API, where
its controllers write; the outcome counts once another connection can read it from the database. The floor is
how long a bare watch, which stores nothing, takes to be told of the same moments.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from bench.figures import Figure, Floor, Topic, at_most, median, percentile
from bench.rows import Successes, watching_successes
from bench.scene import kubernetes_part, write_config
from bot.bootstrap import Services, open_services
from bot.config import load_config
from bot.membership import UnknownMembers
from bot.settings import load_settings
from operations.deployment.requests import DeployRequest
from sandbox.kubernetes import KubernetesStandIn
from sandbox.kubernetes.objects import Json
from sandbox.registry import RegistryStandIn
from tests.factories import ALICE
from tests.slack_stand_in import until

_WORKLOADS = tuple(f"app{number}" for number in range(8))
_ROUNDS = 6
_PACE = 0.05
_P95_MS = 500.0
_PATIENCE = 60.0
_COUNTS = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
_DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"

Moments = dict[tuple[str, str], float]
"""When (`time.monotonic`), by workload and version."""


class TimedCluster(KubernetesStandIn):
    """Writes down when each Deployment was first complete with a version."""

    def __init__(self, registry: RegistryStandIn) -> None:
        super().__init__(pace=_PACE, registry=registry)
        self.completed: Moments = {}

    def tick(self) -> None:
        """One step of the controllers, and a look at what they wrote."""
        super().tick()
        for deployment in self.store.find("deployments"):
            self.note(deployment, self.completed)

    def note(self, deployment: Json, moments: Moments) -> None:
        """Keep the first moment at which the Deployment is seen to be complete."""
        if is_complete(deployment):
            image = deployment["spec"]["template"]["spec"]["containers"][0]["image"]
            key = (deployment["metadata"]["name"], self.kubelet.tag_of(image))
            moments.setdefault(key, time.monotonic())


def is_complete(deployment: Json) -> bool:
    """Whether `kubectl rollout status` would say that it was rolled out."""
    status, wanted = deployment["status"], deployment["spec"]["replicas"]
    is_observed = status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    return is_observed and all(status.get(count, 0) == wanted for count in _COUNTS)


async def measure() -> list[Figure]:
    """The 95th percentile over all rollouts."""
    watched: Moments = {}
    with tempfile.TemporaryDirectory(prefix="hms-bench-") as name:
        place = Path(name)
        async with AsyncExitStack() as stack:
            registry = await stack.enter_async_context(RegistryStandIn())
            cluster = TimedCluster(registry)
            await stack.enter_async_context(cluster)
            _set_scene(place, cluster, registry.host)
            async with _watching(cluster, watched), _working(place, cluster) as services:
                with watching_successes(place / "hms.db") as stored:
                    for number in range(1, _ROUNDS + 1):
                        await _ship(services, f"2.{number}", stored)
    return [_figure(cluster.completed, stored.seen, watched)]


def _set_scene(place: Path, cluster: TimedCluster, registry: str) -> None:
    projects: dict[str, dict[str, object]] = {}
    for name in _WORKLOADS:
        image = f"{registry}/acme/{name}"
        cluster.add_deployment("default", name, f"{image}:1.0", replicas=3)
        projects[name] = {**kubernetes_part(name), "image": image}
    write_config(place / "hms.yaml", projects)


@asynccontextmanager
async def _working(place: Path, cluster: TimedCluster) -> AsyncIterator[Services]:
    """The services as the bot opens them, with their worker at work."""
    variables = {
        "HMS_DATABASE_URL": f"sqlite:///{place / 'hms.db'}",
        "KUBECONFIG": str(cluster.kubeconfig(place / "kubeconfig")),
    }
    config = load_config(place / "hms.yaml")
    async with (
        open_services(load_settings(variables), config, UnknownMembers()) as services,
        asyncio.TaskGroup() as group,
    ):
        worker = group.create_task(services.worker.run(), name="worker")
        try:
            yield services
        finally:
            worker.cancel()


async def _ship(services: Services, version: str, stored: Successes) -> None:
    """Every workload at once, until all outcomes are stored."""
    async with asyncio.TaskGroup() as group:
        for name in _WORKLOADS:
            request = DeployRequest(project=name, environment="prod", version=version)
            group.create_task(services.deployments.requests.request(request, ALICE), name=name)
    await until(lambda: all((name, version) in stored.seen for name in _WORKLOADS), _PATIENCE)


@asynccontextmanager
async def _watching(cluster: TimedCluster, moments: Moments) -> AsyncIterator[None]:
    """A bare watch of the same Deployments, which only looks."""
    async with asyncio.TaskGroup() as group:
        watch = group.create_task(_watch(cluster, moments), name="bare watch")
        try:
            yield
        finally:
            watch.cancel()


async def _watch(cluster: TimedCluster, moments: Moments) -> None:
    headers = {"Authorization": f"Bearer {cluster.token}"}
    async with aiohttp.ClientSession(cluster.url, headers=headers) as session:
        async with session.get(_DEPLOYMENTS) as listed:
            version = (await listed.json())["metadata"]["resourceVersion"]
        query = {"watch": "true", "resourceVersion": version}
        async with session.get(_DEPLOYMENTS, params=query) as events:
            async for line in events.content:
                cluster.note(json.loads(line)["object"], moments)


def _figure(completed: Moments, stored: Moments, watched: Moments) -> Figure:
    delays = _delays(completed, stored)
    spread = f"median {median(delays):.0f} ms, slowest {max(delays):.0f} ms"
    return Figure(
        topic=Topic.KUBERNETES,
        name="Kubernetes: complete at the API → outcome stored, p95",
        value=percentile(delays, 95),
        unit="ms",
        limit=at_most(_P95_MS, f"at most {_P95_MS:.0f} ms"),
        floor=Floor(percentile(_delays(completed, watched), 95), "a bare watch is told"),
        note=f"{len(delays)} rollouts, {len(_WORKLOADS)} at once; {spread}",
    )


def _delays(since: Mapping[tuple[str, str], float], until: Moments) -> list[float]:
    """Milliseconds, of those that we shipped."""
    return [1000 * (until[key] - since[key]) for key in sorted(until) if key[1] != "1.0"]
