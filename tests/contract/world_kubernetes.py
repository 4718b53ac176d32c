"""Kubernetes' world: a Deployment of three pods, and a registry that knows every tag's digest.

The cluster is the stand-in and, where `tests.control_plane` finds its programs, a real control plane too.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol

from bot.clock import SystemClock
from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Handle, Progress
from operations.deployment.release import Release
from operations.deployment.target import Target
from providers.kubernetes import KubernetesProvider, Patience
from providers.registry import Registry
from providers.specs import KubernetesSpec
from sandbox.kubernetes import KubernetesStandIn
from sandbox.kubernetes.faults import Faults
from sandbox.kubernetes.kubelet import Kubelet
from sandbox.kubernetes.objects import Json
from sandbox.registry import RegistryStandIn
from tests.control_plane.opening import open_real_cluster
from tests.control_plane.processes import find_assets

NAMESPACE = "shop"
PACE = 0.03
STAND_IN, CONTROL_PLANE = "stand_in", "control_plane"
CLUSTERS = (STAND_IN, *((CONTROL_PLANE,) if find_assets() else ()))
"""What the tests of a rollout run on."""


class Objects(Protocol):
    """The objects of a cluster, past the adapter."""

    def find(self, resource: str, namespace: str | None = None) -> Iterator[Json]: ...

    def put(self, resource: str, obj: Json) -> Json: ...

    def delete(self, resource: str, obj: Json) -> None: ...


class Watches(Protocol):
    """The watches that the adapter holds."""

    @property
    def count(self) -> int: ...


class Server(Protocol):
    """What the API server saw."""

    @property
    def watches(self) -> Watches: ...


class Cluster(Protocol):
    """`KubernetesStandIn` says what these mean."""

    token: str
    faults: Faults
    kubelet: Kubelet

    @property
    def url(self) -> str: ...

    @property
    def store(self) -> Objects: ...

    @property
    def api(self) -> Server: ...

    @property
    def patches(self) -> list[tuple[str, str, object]]: ...

    @property
    def unexpected(self) -> list[str]: ...

    def kubeconfig(self, path: Path) -> Path: ...

    def add_deployment(self, namespace: str, name: str, image: str, replicas: int = 3) -> Json: ...

    def add_statefulset(self, namespace: str, name: str, image: str) -> Json: ...

    def add_daemonset(self, namespace: str, name: str, image: str) -> Json: ...

    def get(self, resource: str, namespace: str, name: str) -> Json: ...

    def edit(self, resource: str, namespace: str, name: str, **spec: object) -> Json: ...

    def set_image(self, resource: str, namespace: str, name: str, image: str) -> Json: ...

    def annotate(
        self, resource: str, namespace: str, name: str, **marks: dict[str, str]
    ) -> Json: ...

    def serving(self, namespace: str, selector: dict[str, str]) -> set[str]: ...

    def fill_quota(self) -> None: ...

    async def stop(self) -> None: ...

    async def start(self) -> None: ...

    async def restart(self) -> None: ...

    def drop_watches(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Both stand-ins and the real adapter, with `deployment/web` on version 1.0."""

    cluster: Cluster
    registry: RegistryStandIn
    provider: KubernetesProvider
    workload: str = "deployment/web"
    clock: SystemClock = field(default_factory=SystemClock)

    @property
    def image(self) -> str:
        """The repository, in the registry stand-in."""
        return f"{self.registry.host}/acme/web"

    @property
    def target(self) -> Target:
        """shop/prod."""
        return self.target_of(self.workload)

    def target_of(
        self, workload: str, *, container: str = "", image: str | None = "", context: str = ""
    ) -> Target:
        """A target for any workload; `image` None leaves it to what runs."""
        spec = KubernetesSpec(
            provider="k8s",
            context=context,
            namespace=NAMESPACE,
            workload=workload,
            container=container,
            image=self.image if image == "" else image,
        )
        return Target(project="shop", environment="prod", spec=spec, timeout=timedelta(seconds=10))

    def pinned(self, version: str) -> Release:
        """A release without asking anybody."""
        digest = self.registry.digest_of(self.image, version)
        return Release(version=version, artifact=f"{self.image}@{digest}", pin=digest)

    def order(
        self, version: str, *, key: str = "D-1042", target: Target | None = None
    ) -> StartOrder:
        """Ship a version, pinned."""
        return StartOrder(
            target=target or self.target,
            release=self.pinned(version),
            key=key,
            cause=f"{key} by alice",
            intended_at=self.clock.now(),
        )

    def way_back(
        self,
        previous: Release,
        *,
        key: str = "D-1042",
        target: Target | None = None,
        handle: Handle | None = None,
    ) -> RestoreOrder:
        """Bring `previous` back."""
        return RestoreOrder(
            target=target or self.target,
            previous=previous,
            handle=handle,
            key=key,
            cause=f"way back of {key}",
            intended_at=self.clock.now(),
        )

    async def end_of(self, handle: Handle, target: Target | None = None) -> Progress:
        """The observation with the verdict."""
        async with asyncio.timeout(10):
            async for seen in self.provider.follow(target or self.target, handle):
                if seen.verdict is not None:
                    return seen
        raise AssertionError("the stream ended without a verdict")


async def until(true: Callable[[], bool], seconds: float = 5.0) -> None:
    """Poll until it is so; TimeoutError when it does not come about."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 -- another program's state sends no events
            await asyncio.sleep(0.01)


def _open_cluster(
    kind: str, registry: RegistryStandIn, pace: float
) -> AbstractAsyncContextManager[Cluster]:
    if kind == CONTROL_PLANE:
        return open_real_cluster(registry, NAMESPACE)
    return KubernetesStandIn(pace=pace, registry=registry, slow_paces=100_000)


@asynccontextmanager
async def open_setting(
    *,
    patience: Patience | None = None,
    pace: float = PACE,
    timeout: float = 5.0,
    kind: str = STAND_IN,
) -> AsyncIterator[Setting]:
    """Everything up, version 1.0 live; asserts at the end that nothing unknown was asked."""
    registry_client = Registry()
    with tempfile.TemporaryDirectory() as folder:
        async with RegistryStandIn() as registry, _open_cluster(kind, registry, pace) as cluster:
            cluster.add_deployment(NAMESPACE, "web", f"{registry.host}/acme/web:1.0")
            provider = KubernetesProvider(
                clock=SystemClock(),
                registry=registry_client,
                kubeconfig=str(cluster.kubeconfig(Path(folder) / "config")),
                patience=patience,
                timeout=timeout,
            )
            try:
                yield Setting(cluster=cluster, registry=registry, provider=provider)
                assert cluster.unexpected == []
                assert registry.unexpected == []
            finally:
                await provider.close()
                await registry_client.close()


class KubernetesWorld:
    """See `tests.contract.worlds.World`."""

    first = "1.0"
    good = "1.1"
    bad = "1.2-bad"
    slow = "1.3-slow"
    missing = "1.9-missing"

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.provider = setting.provider
        self.target = setting.target

    async def serving(self) -> str:
        """The version of the pods that are ready; all of them when there are several."""
        return "+".join(sorted(self._setting.cluster.serving(NAMESPACE, {"app": "web"})))

    async def changes(self) -> int:
        """Patches that were carried out."""
        return len(self._setting.cluster.patches)

    async def break_down(self) -> None:
        """Every connection is cut."""
        self._setting.cluster.faults.cuts = True

    async def recover(self) -> None:
        """All is well."""
        self._setting.cluster.faults.clear()


@asynccontextmanager
async def open_world() -> AsyncIterator[KubernetesWorld]:
    """Kubernetes' world for the one suite of providers."""
    async with open_setting() as setting:
        yield KubernetesWorld(setting)
