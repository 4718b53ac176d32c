"""The API server's objects, as the tests and the node read and write them: the stand-in's store, for real."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from sandbox.kubernetes.objects import RESOURCES, Json, timestamp

_MERGE = {"Content-Type": "application/merge-patch+json"}


class RemoteObjects:
    """Knows what `sandbox.kubernetes.store.Store` knows of finding, writing and deleting."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def get(self, resource: str, namespace: str, name: str) -> Json:
        """One object; raises httpx.HTTPStatusError."""
        return self._answer(self._client.get(f"{_path(resource, namespace)}/{name}"))

    def find(self, resource: str, namespace: str | None = None) -> Iterator[Json]:
        """Those of a resource, in a namespace or in all; complete, as `get` gives them."""
        kind = RESOURCES[resource]
        for item in self._answer(self._client.get(_path(resource, namespace)))["items"]:
            yield {"kind": kind.kind, "apiVersion": kind.api_version, **item}

    def create(self, resource: str, obj: Json) -> Json:
        """A new object."""
        metadata = {k: v for k, v in obj["metadata"].items() if k in _GIVEN}
        body = {k: v for k, v in obj.items() if k != "status"} | {"metadata": metadata}
        path = _path(resource, obj["metadata"]["namespace"])
        return self._answer(self._client.post(path, json=body))

    def patch(self, resource: str, namespace: str, name: str, body: Json) -> Json:
        """A merge patch: null takes a member out."""
        path = f"{_path(resource, namespace)}/{name}"
        return self._answer(self._client.patch(path, json=body, headers=_MERGE))

    def put(self, resource: str, obj: Json) -> Json:
        """What a node writes of a pod (its node once, then its status), or anybody of metadata."""
        metadata = obj["metadata"]
        path = f"{_path(resource, metadata['namespace'])}/{metadata['name']}"
        before = self._answer(self._client.get(path))
        if obj["spec"].get("nodeName") and not before["spec"].get("nodeName"):
            self._bind(path, metadata["name"], _wanted_node(before) or obj["spec"]["nodeName"])
        if obj["metadata"].get("labels") != before["metadata"].get("labels"):
            body = {"metadata": {"labels": metadata["labels"]}}
            self._answer(self._client.patch(path, json=body, headers=_MERGE))
        body = {"status": obj["status"], "metadata": {"uid": metadata["uid"]}}
        return self._answer(self._client.patch(f"{path}/status", json=body, headers=_MERGE))

    def delete(self, resource: str, obj: Json) -> None:
        """Remove an object at once, and what it owns after it; one that is gone already is no fault."""
        metadata = obj["metadata"]
        options = {
            "propagationPolicy": "Background",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": metadata["uid"]},
        }
        path = f"{_path(resource, metadata['namespace'])}/{metadata['name']}"
        answer = self._client.request("DELETE", path, json=options)
        if answer.status_code not in (404, 409):
            self._answer(answer)

    def record_event(self, about: Json, kind: str, reason: str, message: str) -> None:
        """Write or count up an Event about a pod, as a kubelet's recorder does."""
        metadata = about["metadata"]
        name, namespace = f"{metadata['name']}.{reason.lower()}", metadata["namespace"]
        path = f"{_path('events', namespace)}/{name}"
        known = self._client.get(path)
        if known.status_code == 200:
            count = known.json()["count"] + 1
            body: Json = {"count": count, "lastTimestamp": timestamp(), "message": message}
            self._answer(self._client.patch(path, json=body, headers=_MERGE))
            return
        event = {
            "metadata": {"name": name, "namespace": namespace},
            "involvedObject": {
                "kind": about["kind"],
                "apiVersion": about["apiVersion"],
                "namespace": namespace,
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "type": kind,
            "reason": reason,
            "message": message,
            "source": {"component": "kubelet"},
            "firstTimestamp": timestamp(),
            "lastTimestamp": timestamp(),
            "count": 1,
        }
        self._answer(self._client.post(_path("events", namespace), json=event))

    def clear(self, namespace: str) -> None:
        """Delete everything in a namespace that the tests know of."""
        for resource in RESOURCES:
            for obj in self.find(resource, namespace):
                self.delete(resource, obj)

    def _bind(self, path: str, name: str, node: str) -> None:
        target = {"apiVersion": "v1", "kind": "Node", "name": node}
        body = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name},
            "target": target,
        }
        self._answer(self._client.post(f"{path}/binding", json=body))

    def _answer(self, answer: httpx.Response) -> Json:
        if answer.is_error:
            raise httpx.HTTPStatusError(
                f"{answer.request.method} {answer.request.url.path}: {answer.text}",
                request=answer.request,
                response=answer,
            )
        body: Json = answer.json()
        return body


def _wanted_node(pod: Json) -> str:
    """The node that the controller of DaemonSets means a pod for."""
    affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    for term in required.get("nodeSelectorTerms", ()):
        for field in term.get("matchFields", ()):
            if field["key"] == "metadata.name":
                return str(field["values"][0])
    return ""


_GIVEN = frozenset({"name", "namespace", "labels", "annotations"})


def _path(resource: str, namespace: str | None) -> str:
    group = RESOURCES[resource].group
    root = f"/apis/{group}/v1" if group else "/api/v1"
    return f"{root}/namespaces/{namespace}/{resource}" if namespace else f"{root}/{resource}"
