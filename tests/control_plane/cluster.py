"""A real cluster with the handles of the stand-in, so that the same tests run on both."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import httpx

from sandbox.kubernetes import objects
from sandbox.kubernetes.faults import Faults
from sandbox.kubernetes.kubeconfig import write_kubeconfig
from sandbox.kubernetes.objects import Json
from sandbox.kubernetes.pods import is_ready
from tests.control_plane.front import Front
from tests.control_plane.node import NAMES, Nodes
from tests.control_plane.objects import RemoteObjects
from tests.control_plane.processes import ADMIN, ControlPlane

_KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}
_SECONDS = 20.0


class RealCluster:
    """See `sandbox.kubernetes.KubernetesStandIn` for what its methods mean."""

    token = ADMIN

    def __init__(self, plane: ControlPlane, nodes: Nodes, namespace: str) -> None:
        self.faults = Faults()
        self.api = Front(plane, self.faults)
        self.kubelet = nodes.kubelet
        self._client = plane.client()
        self._namespace = namespace
        self.store = RemoteObjects(self._client)

    def open(self) -> None:
        """An empty namespace."""
        made = self._client.post("/api/v1/namespaces", json={"metadata": {"name": self._namespace}})
        assert made.status_code in (201, 409)
        self._empty()

    def close(self) -> None:
        """Leave the namespace empty."""
        self._empty()
        self._client.close()

    @property
    def url(self) -> str:
        return self.api.url

    @property
    def unexpected(self) -> list[str]:
        """A real API server answers what it does not know with an error of its own."""
        return []

    @property
    def patches(self) -> list[tuple[str, str, object]]:
        return self.api.patches

    def kubeconfig(self, path: Path, context: str = "stand-in") -> Path:
        return write_kubeconfig(path, self.url, self.token, context)

    def add_deployment(
        self, namespace: str, name: str, image: str, replicas: int = 3, container: str = "app"
    ) -> Json:
        return self._add("deployments", namespace, name, (image, replicas, container))

    def add_statefulset(
        self, namespace: str, name: str, image: str, replicas: int = 2, container: str = "app"
    ) -> Json:
        return self._add("statefulsets", namespace, name, (image, replicas, container))

    def add_daemonset(self, namespace: str, name: str, image: str, container: str = "app") -> Json:
        return self._add("daemonsets", namespace, name, (image, len(NAMES), container))

    def get(self, resource: str, namespace: str, name: str) -> Json:
        return self.store.get(resource, namespace, name)

    def edit(self, resource: str, namespace: str, name: str, **spec: object) -> Json:
        return self.store.patch(resource, namespace, name, {"spec": spec})

    def set_image(self, resource: str, namespace: str, name: str, image: str) -> Json:
        template = self.get(resource, namespace, name)["spec"]["template"]
        template["spec"]["containers"][0]["image"] = image
        return self.edit(resource, namespace, name, template=template)

    def annotate(self, resource: str, namespace: str, name: str, **marks: dict[str, str]) -> Json:
        return self.store.patch(resource, namespace, name, {"metadata": marks})

    def serving(self, namespace: str, selector: dict[str, str]) -> set[str]:
        return {
            self.kubelet.tag_of(p["spec"]["containers"][0]["image"])
            for p in self.store.find("pods", namespace)
            if is_ready(p)
            and "deletionTimestamp" not in p["metadata"]
            and selector.items() <= p["metadata"]["labels"].items()
        }

    def fill_quota(self) -> None:
        """No more pods may be made."""
        path = f"/api/v1/namespaces/{self._namespace}/resourcequotas"
        quota = {"metadata": {"name": "pods"}, "spec": {"hard": {"pods": "1"}}}
        self._client.post(path, json=quota).raise_for_status()
        _until(lambda: "used" in self._client.get(f"{path}/pods").json().get("status", {}))

    async def stop(self) -> None:
        await self.api.stop()

    async def start(self) -> None:
        await self.api.start()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def drop_watches(self) -> None:
        self.api.watches.drop()

    def _add(self, resource: str, namespace: str, name: str, what: tuple[str, int, str]) -> Json:
        image, replicas, container = what
        template = objects.pod_template({"app": name}, container, image)
        self.store.create(
            resource, objects.workload(_KINDS[resource], namespace, name, template, replicas)
        )
        tag = self.kubelet.tag_of(image)
        if not any(word in tag for word in ("bad", "missing", "crash", "noconfig", "slow")):
            _until(lambda: self._is_complete(resource, namespace, name, replicas))
        return self.store.get(resource, namespace, name)

    def _is_complete(self, resource: str, namespace: str, name: str, replicas: int) -> bool:
        status = self.get(resource, namespace, name).get("status", {})
        ready = status.get("numberReady" if resource == "daemonsets" else "readyReplicas", 0)
        return bool(status.get("observedGeneration")) and ready == replicas

    def _empty(self) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/resourcequotas/pods"
        self._client.delete(path)
        self.store.clear(self._namespace)
        _until(self._is_empty)

    def _is_empty(self) -> bool:
        for resource in ("replicasets", "controllerrevisions", "pods"):
            if any(True for _ in self.store.find(resource, self._namespace)):
                try:
                    self.store.clear(self._namespace)
                except httpx.HTTPStatusError:
                    return False
                return False
        return True


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + _SECONDS
    while not true():
        if time.monotonic() > end:
            raise TimeoutError("the control plane did not come to it")
        time.sleep(0.03)
