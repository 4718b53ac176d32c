"""The StatefulSet and DaemonSet controllers: both keep their history in ControllerRevisions.

A StatefulSet is updated from the highest ordinal down and, as the real one, waits for ever for a pod that
does not become ready, also when its template has been put back. A DaemonSet has one pod for each node.
"""

from __future__ import annotations

import copy

from sandbox.kubernetes.objects import Json, is_owned, meta, owner, template_hash
from sandbox.kubernetes.pods import (
    create_pod,
    is_ready,
    leaving_of,
    omit_zeros,
    pods_of,
    remove_pod,
)
from sandbox.kubernetes.store import Store

_HASH = "controller-revision-hash"


class RevisionedController:
    """One pass a tick over every StatefulSet and DaemonSet. `nodes` is how many pods a DaemonSet has."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.nodes = 2

    def tick(self) -> None:
        """Bring each one step nearer to its spec."""
        for stateful in list(self._store.find("statefulsets")):
            revision = self._revision(stateful)
            self._step_stateful(stateful, revision)
            self._write_stateful(stateful, revision)
        for daemon in list(self._store.find("daemonsets")):
            revision = self._revision(daemon)
            self._step_daemon(daemon, revision)
            self._write_daemon(daemon, revision)

    def _revision(self, obj: Json) -> Json:
        """The ControllerRevision of the present template; one that returns gets the highest number."""
        template = {**copy.deepcopy(obj["spec"]["template"]), "$patch": "replace"}
        namespace = obj["metadata"]["namespace"]
        known = [r for r in self._store.find("controllerrevisions", namespace) if is_owned(r, obj)]
        highest = max((r["revision"] for r in known), default=0)
        digits = template_hash(template)
        found = next((r for r in known if r["metadata"]["labels"][_HASH] == digits), None)
        if found is None:
            found = {
                "metadata": meta(
                    namespace,
                    f"{obj['metadata']['name']}-{digits}",
                    labels={**obj["spec"]["selector"]["matchLabels"], _HASH: digits},
                    ownerReferences=owner(obj),
                ),
                "data": {"spec": {"template": template}},
                "revision": highest + 1,
            }
        elif found["revision"] < highest:
            found = {**found, "revision": highest + 1}
        return self._store.put("controllerrevisions", found)

    def _labels(self, obj: Json, revision: Json, pod_name: str) -> Json:
        digits = revision["metadata"]["labels"][_HASH]
        if obj["kind"] == "StatefulSet":
            return {
                _HASH: revision["metadata"]["name"],
                "statefulset.kubernetes.io/pod-name": pod_name,
            }
        return {_HASH: digits}

    def _pods(self, obj: Json, revision: Json) -> tuple[list[Json], list[Json]]:
        """Those of the revision, and the others."""
        mark = self._labels(obj, revision, "")[_HASH]
        pods = pods_of(self._store, obj)
        new = [p for p in pods if p["metadata"]["labels"].get(_HASH) == mark]
        return new, [p for p in pods if p not in new]

    def _create(self, obj: Json, revision: Json, name: str) -> None:
        labels = self._labels(obj, revision, name)
        create_pod(self._store, obj, obj["spec"]["template"], labels, name)

    def _step_stateful(self, obj: Json, revision: Json) -> None:
        if leaving_of(self._store, obj):
            return
        new, old = self._pods(obj, revision)
        by_name = {p["metadata"]["name"]: p for p in [*new, *old]}
        ordered = obj["spec"].get("podManagementPolicy") == "OrderedReady"
        for ordinal in range(obj["spec"]["replicas"]):
            name = f"{obj['metadata']['name']}-{ordinal}"
            pod = by_name.get(name)
            if pod is None:
                self._create(obj, revision, name)
            if ordered and (pod is None or not is_ready(pod)):
                return
        partition = obj["spec"]["updateStrategy"].get("rollingUpdate", {}).get("partition", 0)
        outdated = [p for p in old if _ordinal(p) >= partition]
        if outdated and all(map(is_ready, new)):
            remove_pod(self._store, max(outdated, key=_ordinal))

    def _write_stateful(self, obj: Json, revision: Json) -> None:
        obj = self._store.get("statefulsets", obj["metadata"]["namespace"], obj["metadata"]["name"])
        new, old = self._pods(obj, revision)
        ready = sum(map(is_ready, [*new, *old]))
        name = revision["metadata"]["name"]
        done = not old and len(new) == obj["spec"]["replicas"] and all(map(is_ready, new))
        current = name if done else obj["status"].get("currentRevision", name)
        status = {"replicas": len(new) + len(old), "availableReplicas": ready, "collisionCount": 0}
        status |= {"currentRevision": current, "updateRevision": name}
        status |= omit_zeros(
            {
                "readyReplicas": ready,
                "updatedReplicas": len(new),
                "currentReplicas": len(new) if done else len(old),
            }
        )
        status["observedGeneration"] = obj["metadata"]["generation"]
        self._store.put("statefulsets", {**obj, "status": status})

    def _step_daemon(self, obj: Json, revision: Json) -> None:
        leaving = leaving_of(self._store, obj)
        new, old = self._pods(obj, revision)
        missing = self.nodes - len(new) - len(old) - len(leaving)
        for _ in range(max(0, missing)):
            self._create(obj, revision, "")
        if not missing and not leaving and old:
            broken = [p for p in old if not is_ready(p)]
            if broken or all(map(is_ready, new)):
                remove_pod(self._store, (broken or old)[0])

    def _write_daemon(self, obj: Json, revision: Json) -> None:
        obj = self._store.get("daemonsets", obj["metadata"]["namespace"], obj["metadata"]["name"])
        new, old = self._pods(obj, revision)
        ready = sum(map(is_ready, [*new, *old]))
        status = {
            "currentNumberScheduled": len(new) + len(old),
            "desiredNumberScheduled": self.nodes,
            "numberMisscheduled": 0,
            "numberReady": ready,
        }
        status |= omit_zeros(
            {
                "updatedNumberScheduled": len(new),
                "numberAvailable": ready,
                "numberUnavailable": self.nodes - ready,
            }
        )
        status["observedGeneration"] = obj["metadata"]["generation"]
        self._store.put("daemonsets", {**obj, "status": status})


def _ordinal(pod: Json) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])
