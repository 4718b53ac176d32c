"""A cluster that fits into a test: the API on loopback, and controllers that work at a set pace."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path
from types import TracebackType

from aiohttp import web

from sandbox.kubernetes import objects
from sandbox.kubernetes.api import Api
from sandbox.kubernetes.deployments import DeploymentController
from sandbox.kubernetes.faults import Faults
from sandbox.kubernetes.kubeconfig import write_kubeconfig
from sandbox.kubernetes.kubelet import Digests, Kubelet, NoRegistry
from sandbox.kubernetes.objects import Json
from sandbox.kubernetes.pods import is_ready
from sandbox.kubernetes.revisioned import RevisionedController
from sandbox.kubernetes.store import Store

_KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}


class KubernetesStandIn:
    """An async context manager; `faults`, `kubelet`, `deployments` and `revisioned` hold its knobs.

    `pace` is the length of a step in seconds, `registry` shares its digests with the nodes, `slow_paces`
    is how many steps a `slow` image takes.
    """

    token = "stand-in-token"

    def __init__(
        self, *, pace: float = 0.03, registry: Digests | None = None, slow_paces: int = 40
    ) -> None:
        self.pace = pace
        self.store = Store()
        self.faults = Faults()
        self.kubelet = Kubelet(self.store, registry or NoRegistry(), slow_paces)
        self.deployments = DeploymentController(self.store)
        self.revisioned = RevisionedController(self.store)
        self.api = Api(self.store, self.kubelet, self.faults, self.token)
        self._runner: web.AppRunner | None = None
        self._port = 0
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> KubernetesStandIn:
        await self._listen()
        group = await self._stack.enter_async_context(asyncio.TaskGroup())
        controllers = group.create_task(self._run(), name="Kubernetes controllers")
        self._stack.callback(controllers.cancel)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
        await self.stop()

    @property
    def url(self) -> str:
        """The API server's address."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def unexpected(self) -> list[str]:
        """Requests that no part of the stand-in knows."""
        return self.api.unexpected

    @property
    def patches(self) -> list[tuple[str, str, object]]:
        """The patches that were carried out: resource, name and body."""
        return self.api.patches

    def kubeconfig(self, path: Path, context: str = "stand-in") -> Path:
        """Write a kubeconfig that points here; returns the path."""
        return write_kubeconfig(path, self.url, self.token, context)

    def add_deployment(
        self, namespace: str, name: str, image: str, replicas: int = 3, container: str = "app"
    ) -> Json:
        """A Deployment that is live and healthy at once."""
        return self._add("deployments", namespace, name, (image, replicas, container))

    def add_statefulset(
        self, namespace: str, name: str, image: str, replicas: int = 2, container: str = "app"
    ) -> Json:
        """A StatefulSet that is live and healthy at once."""
        return self._add("statefulsets", namespace, name, (image, replicas, container))

    def add_daemonset(self, namespace: str, name: str, image: str, container: str = "app") -> Json:
        """A DaemonSet that is live and healthy at once, with a pod on each of `revisioned.nodes`."""
        return self._add("daemonsets", namespace, name, (image, 0, container))

    def get(self, resource: str, namespace: str, name: str) -> Json:
        """An object as it is stored now."""
        return self.store.get(resource, namespace, name)

    def edit(self, resource: str, namespace: str, name: str, **spec: object) -> Json:
        """Somebody else's change: set members of the object's spec, and bump its generation."""
        obj = self.store.get(resource, namespace, name)
        return self.store.update(resource, {**obj, "spec": {**obj["spec"], **spec}})

    def set_image(self, resource: str, namespace: str, name: str, image: str) -> Json:
        """Somebody else's `kubectl set image` on the first container."""
        template = json.loads(json.dumps(self.get(resource, namespace, name)["spec"]["template"]))
        template["spec"]["containers"][0]["image"] = image
        return self.edit(resource, namespace, name, template=template)

    def annotate(self, resource: str, namespace: str, name: str, **marks: dict[str, str]) -> Json:
        """Merge into `labels=` and `annotations=`."""
        obj = self.store.get(resource, namespace, name)
        metadata = dict(obj["metadata"])
        for field, values in marks.items():
            metadata[field] = {**metadata.get(field, {}), **values}
        return self.store.update(resource, {**obj, "metadata": metadata})

    def fill_quota(self) -> None:
        """No more pods may be made."""
        self.deployments.quota_full = True

    def serving(self, namespace: str, selector: dict[str, str]) -> set[str]:
        """The tags of the images of all ready pods with these labels."""
        return {
            self.kubelet.tag_of(p["spec"]["containers"][0]["image"])
            for p in self.store.find("pods", namespace)
            if is_ready(p)
            and "deletionTimestamp" not in p["metadata"]
            and selector.items() <= p["metadata"]["labels"].items()
        }

    async def stop(self) -> None:
        """The API server is gone; objects and controllers go on."""
        if self._runner is not None:
            self.api.watches.end()
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def start(self) -> None:
        """The API server is back, at the same address."""
        await self._listen()

    async def restart(self) -> None:
        """A restart of the API server: every connection is lost."""
        await self.stop()
        await self.start()

    def drop_watches(self) -> None:
        """Cut the open watches."""
        self.api.watches.drop()

    def expire_history(self) -> None:
        """Forget history: watches from before are told 410."""
        self.store.compact()

    def tick(self) -> None:
        """One step of everything."""
        self.kubelet.tick()
        self.deployments.tick()
        self.revisioned.tick()

    def _add(self, resource: str, namespace: str, name: str, what: tuple[str, int, str]) -> Json:
        image, replicas, container = what
        template = objects.pod_template({"app": name}, container, image)
        self.store.put(
            resource, objects.workload(_KINDS[resource], namespace, name, template, replicas)
        )
        for _ in range(8 + 4 * max(replicas, self.revisioned.nodes)):
            self.tick()
        return self.store.get(resource, namespace, name)

    async def _listen(self) -> None:
        self.api.watches.begin()
        self._runner = web.AppRunner(self.api.application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.pace)
            self.tick()
