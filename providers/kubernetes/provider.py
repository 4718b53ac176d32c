"""The port's implementation: finds the cluster of a target and hands over to the module that knows how."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

from operations.clock import Clock
from operations.deployment.ports import Capabilities, RestoreOrder, StartOrder, TargetHealth
from operations.deployment.progress import Failure, Handle, Progress, Started
from operations.deployment.release import Resolution
from operations.deployment.target import Target
from operations.monitoring.errors.log_ports import LogPage, LogSource
from providers.kubernetes import changes, evidence, health, log_pages, resolution
from providers.kubernetes.cluster import Cluster
from providers.kubernetes.follower import Follower, Patience, look_once
from providers.kubernetes.marks import Expectation
from providers.kubernetes.workload import spec_of
from providers.registry import Registry

_CAPABILITIES = Capabilities(pins=True, aborts=True, rolls_back=True)


class KubernetesProvider:
    """Deployments, StatefulSets and DaemonSets of any number of kubeconfig contexts.

    `kubeconfig` None: the usual chain, and the pod's own service account where there is no kubeconfig.
    `timeout` in seconds bounds each request.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        registry: Registry,
        kubeconfig: str | None = None,
        patience: Patience | None = None,
        timeout: float = 10.0,
    ) -> None:
        self._clock = clock
        self._registry = registry
        self._kubeconfig = kubeconfig
        self._patience = patience or Patience()
        self._timeout = timeout
        self._clusters: dict[str, Cluster] = {}

    async def close(self) -> None:
        """Close every connection; the registry client belongs to whoever made it."""
        clusters, self._clusters = self._clusters, {}
        for cluster in clusters.values():
            await cluster.close()

    @property
    def capabilities(self) -> Capabilities:
        """Everything: images are pinned by digest, and history is kept by the cluster."""
        return _CAPABILITIES

    async def resolve(self, target: Target, version: str) -> Resolution:
        """Pin an image by its digest."""
        return await resolution.resolve(self._cluster(target), self._registry, target, version)

    async def start(self, order: StartOrder) -> Started:
        """Patch the workload's image, once for each key."""
        return await changes.start(self._cluster(order.target), order)

    def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """Watch the rollout to its end."""
        return self._follow(target, handle)

    async def _follow(self, target: Target, handle: Handle) -> AsyncGenerator[Progress, None]:
        follower = Follower(
            self._cluster(target),
            Expectation.read(handle),
            clock=self._clock,
            patience=self._patience,
        )
        async for seen in follower.follow():
            yield seen

    async def explain(self, target: Target, handle: Handle) -> Failure:
        """The most telling fault of the new pods, with events and last log lines."""
        cluster = self._cluster(target)
        scene = await look_once(cluster, Expectation.read(handle))
        return replace(evidence.describe(scene), evidence=await evidence.gather(cluster, scene))

    async def restore(self, order: RestoreOrder) -> Started:
        """Roll back to the former revision, once for each key."""
        return await changes.restore(self._cluster(order.target), order)

    async def status(self, target: Target) -> TargetHealth:
        """The workload's own counts."""
        return await health.status(self._cluster(target), target)

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        """Lines of the newest pods."""
        return await health.logs(self._cluster(target), target, lines=lines, since=since)

    async def read_log(self, source: LogSource, target: Target, cursor: str, limit: int) -> LogPage:
        """What the target's pods have said since; see `LogReader`."""
        cluster, now = self._cluster(target), self._clock.now()
        return await log_pages.read_page(cluster, target, cursor, limit=limit, now=now)

    def _cluster(self, target: Target) -> Cluster:
        context = spec_of(target).context
        if context not in self._clusters:
            self._clusters[context] = Cluster(
                clock=self._clock,
                kubeconfig=self._kubeconfig,
                context=context,
                timeout=self._timeout,
            )
        return self._clusters[context]
