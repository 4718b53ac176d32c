"""The Deployment and ReplicaSet controllers, as far as a rollout shows them.

Written after the real ones: a ReplicaSet is found by its template without the hash label; one that serves
again gets a new highest revision; surge and unavailability are counted as there.
"""

from __future__ import annotations

import copy
import time

from sandbox.kubernetes.objects import (
    Json,
    condition,
    is_owned,
    meta,
    owner,
    template_hash,
)
from sandbox.kubernetes.pods import create_pod, is_ready, omit_zeros, pods_of, remove_pod
from sandbox.kubernetes.rolling import Rolling, unavailable_limit
from sandbox.kubernetes.store import Store

REVISION = "deployment.kubernetes.io/revision"
_HASH = "pod-template-hash"
_NOT_COPIED = frozenset({"kubectl.kubernetes.io/last-applied-configuration", REVISION})


class DeploymentController:
    """One pass a tick over every Deployment and ReplicaSet. `quota_full` lets no pod be created."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._progress: dict[str, tuple[object, float]] = {}
        self._made: set[str] = set()
        self.quota_full = False

    def tick(self) -> None:
        """Bring every Deployment one step nearer to its spec."""
        self._made.clear()
        for deployment in list(self._store.find("deployments")):
            self._reconcile(deployment)
        for replicaset in list(self._store.find("replicasets")):
            self._scale_pods(replicaset)
        for deployment in list(self._store.find("deployments")):
            self._write_status(deployment)

    def _reconcile(self, deployment: Json) -> None:
        if deployment["spec"].get("paused"):
            return
        new = self._new_replicaset(deployment)
        old = [r for r in self._replicasets(deployment) if r is not new and r["spec"]["replicas"]]
        Rolling(self._store, deployment, new, old).step()
        self._clean_up(deployment)

    def _replicasets(self, deployment: Json) -> list[Json]:
        found = self._store.find("replicasets", deployment["metadata"]["namespace"])
        return [r for r in found if is_owned(r, deployment)]

    def _matching(self, deployment: Json) -> Json | None:
        wanted = deployment["spec"]["template"]
        return next((r for r in self._replicasets(deployment) if _bare_template(r) == wanted), None)

    def _new_replicaset(self, deployment: Json) -> Json:
        known = self._replicasets(deployment)
        highest = max((_revision(r) for r in known), default=0)
        found = self._matching(deployment)
        if found is None:
            found = _replicaset(deployment, highest + 1)
            self._made.add(found["metadata"]["name"])
        elif _revision(found) < highest:
            found = copy.deepcopy(found)
            found["metadata"]["annotations"][REVISION] = str(highest + 1)
        found = copy.deepcopy(found)
        found["metadata"]["annotations"] |= _copied(deployment["metadata"].get("annotations", {}))
        stored = self._store.put("replicasets", found)
        self._number(deployment, stored)
        return stored

    def _number(self, deployment: Json, replicaset: Json) -> None:
        number = replicaset["metadata"]["annotations"][REVISION]
        if deployment["metadata"].setdefault("annotations", {}).get(REVISION) != number:
            changed = copy.deepcopy(deployment)
            changed["metadata"]["annotations"][REVISION] = number
            self._store.put("deployments", changed)

    def _scale_pods(self, replicaset: Json) -> None:
        pods = pods_of(self._store, replicaset)
        wanted = replicaset["spec"]["replicas"]
        refused = self.quota_full and len(pods) < wanted
        for _ in range(0 if refused else wanted - len(pods)):
            labels = {_HASH: replicaset["metadata"]["labels"][_HASH]}
            create_pod(self._store, replicaset, replicaset["spec"]["template"], labels)
        for pod in sorted(pods, key=is_ready)[: max(0, len(pods) - wanted)]:
            remove_pod(self._store, pod)
        self._write_replicaset(replicaset, refused=refused)

    def _write_replicaset(self, replicaset: Json, *, refused: bool) -> None:
        pods = pods_of(self._store, replicaset)
        ready = sum(map(is_ready, pods))
        status: Json = {"replicas": len(pods), "observedGeneration": 1}
        status |= omit_zeros({"readyReplicas": ready, "availableReplicas": ready})
        status |= omit_zeros({"fullyLabeledReplicas": len(pods)})
        if refused:
            text = "pods is forbidden: exceeded quota: compute, requested: pods=1, limited: pods=3"
            known = replicaset["status"].get("conditions")
            status["conditions"] = known or [
                condition("ReplicaFailure", True, "FailedCreate", text)
            ]
            if not known:
                self._store.record_event(
                    replicaset, "Warning", "FailedCreate", f"Error creating: {text}"
                )
        self._store.put("replicasets", {**replicaset, "status": status})

    def _write_status(self, deployment: Json) -> None:
        deployment = self._store.get(
            "deployments", deployment["metadata"]["namespace"], deployment["metadata"]["name"]
        )
        known = self._replicasets(deployment)
        new = self._matching(deployment)
        counts = _counts(deployment, known, new)
        status: Json = omit_zeros(counts)
        status["observedGeneration"] = deployment["metadata"]["generation"]
        status["conditions"] = _keep_times(
            deployment["status"].get("conditions", []), self._conditions(deployment, counts, new)
        )
        self._store.put("deployments", {**deployment, "status": status})

    def _conditions(self, deployment: Json, counts: Json, new: Json | None) -> list[Json]:
        name = deployment["metadata"]["name"]
        wanted = deployment["spec"]["replicas"]
        enough = counts["availableReplicas"] >= wanted - unavailable_limit(deployment)
        conditions = [_available(enough)]
        if deployment["spec"].get("paused"):
            conditions.append(
                condition("Progressing", False, "DeploymentPaused", "Deployment is paused")
            )
        elif new is not None:
            conditions.append(self._progressing(deployment, counts, new))
        for replicaset in [new] if new is not None else []:
            conditions += [
                c
                for c in replicaset["status"].get("conditions", ())
                if c["type"] == "ReplicaFailure"
            ]
        return sorted(conditions, key=lambda c: f"{name}{c['type']}")

    def _progressing(self, deployment: Json, counts: Json, new: Json) -> Json:
        name = new["metadata"]["name"]
        wanted = deployment["spec"]["replicas"]
        if (stale := self._former_word(deployment, new)) is not None:
            return stale
        if (
            counts["updatedReplicas"] == wanted
            and counts["replicas"] == wanted
            and counts["availableReplicas"] == wanted
        ):
            text = f'ReplicaSet "{name}" has successfully progressed.'
            self._progress.pop(deployment["metadata"]["uid"], None)
            return condition("Progressing", True, "NewReplicaSetAvailable", text)
        if self._completed(deployment, new):
            return next(c for c in deployment["status"]["conditions"] if c["type"] == "Progressing")
        if self._is_overdue(deployment, counts, new):
            text = f'ReplicaSet "{name}" has timed out progressing.'
            return condition("Progressing", False, "ProgressDeadlineExceeded", text)
        return condition(
            "Progressing", True, "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'
        )

    def _former_word(self, deployment: Json, new: Json) -> Json | None:
        """A ReplicaSet that serves again does not take back at once that the one before was overdue."""
        status, generation = deployment["status"], deployment["metadata"]["generation"]
        if status.get("observedGeneration") == generation or new["metadata"]["name"] in self._made:
            return None
        overdue = (
            c for c in status.get("conditions", ()) if c.get("reason") == "ProgressDeadlineExceeded"
        )
        return next(overdue, None)

    def _completed(self, deployment: Json, new: Json) -> bool:
        """A rollout that was complete stays so while its pods come and go."""
        return any(
            c.get("reason") == "NewReplicaSetAvailable" and new["metadata"]["name"] in c["message"]
            for c in deployment["status"].get("conditions", ())
        )

    def _is_overdue(self, deployment: Json, counts: Json, new: Json) -> bool:
        uid, now = deployment["metadata"]["uid"], time.monotonic()
        deadline: float = deployment["spec"]["progressDeadlineSeconds"]
        seen = (tuple(counts.values()), new["metadata"]["name"])
        last, since = self._progress.get(uid, (None, now))
        if seen != last:
            self._progress[uid] = (seen, now)
            return False
        return now - since > deadline

    def _clean_up(self, deployment: Json) -> None:
        spent = [
            r
            for r in self._replicasets(deployment)
            if not r["spec"]["replicas"] and _bare_template(r) != deployment["spec"]["template"]
        ]
        spent.sort(key=_revision)
        for replicaset in spent[: max(0, len(spent) - deployment["spec"]["revisionHistoryLimit"])]:
            self._store.delete("replicasets", replicaset)


def _replicaset(deployment: Json, revision: int) -> Json:
    template = copy.deepcopy(deployment["spec"]["template"])
    digits = template_hash(template)
    template["metadata"]["labels"][_HASH] = digits
    metadata = deployment["metadata"]
    labels = dict(template["metadata"]["labels"])
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": meta(
            metadata["namespace"],
            f"{metadata['name']}-{digits}",
            generation=1,
            labels=labels,
            annotations={REVISION: str(revision)},
            ownerReferences=owner(deployment),
        ),
        "spec": {
            "replicas": 0,
            "selector": {
                "matchLabels": {**deployment["spec"]["selector"]["matchLabels"], _HASH: digits}
            },
            "template": template,
        },
        "status": {"replicas": 0},
    }


def _bare_template(replicaset: Json) -> Json:
    template: Json = copy.deepcopy(replicaset["spec"]["template"])
    template["metadata"]["labels"].pop(_HASH, None)
    return template


def _revision(replicaset: Json) -> int:
    return int(replicaset["metadata"]["annotations"].get(REVISION, 0))


def _copied(annotations: Json) -> Json:
    return {k: v for k, v in annotations.items() if k not in _NOT_COPIED}


def _counts(deployment: Json, known: list[Json], new: Json | None) -> Json:
    total = sum(r["status"].get("replicas", 0) for r in known)
    available = sum(r["status"].get("availableReplicas", 0) for r in known)
    return {
        "replicas": total,
        "updatedReplicas": new["status"].get("replicas", 0) if new else 0,
        "readyReplicas": sum(r["status"].get("readyReplicas", 0) for r in known),
        "availableReplicas": available,
        "unavailableReplicas": max(0, max(total, deployment["spec"]["replicas"]) - available),
    }


def _available(enough: bool) -> Json:
    if enough:
        text = "Deployment has minimum availability."
        return condition("Available", True, "MinimumReplicasAvailable", text)
    text = "Deployment does not have minimum availability."
    return condition("Available", False, "MinimumReplicasUnavailable", text)


def _keep_times(old: list[Json], new: list[Json]) -> list[Json]:
    """A condition that did not change keeps its times, so that nothing is written."""
    kept = []
    for fresh in new:
        same = next((c for c in old if c["type"] == fresh["type"]), None)
        fields = ("status", "reason", "message")
        if same is not None and all(same.get(f) == fresh.get(f) for f in fields):
            kept.append(same)
        else:
            kept.append({**fresh, "lastUpdateTime": fresh["lastTransitionTime"]})
    return kept
