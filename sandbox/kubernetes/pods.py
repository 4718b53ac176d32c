"""How controllers make, count and remove pods."""

from __future__ import annotations

import copy
import uuid

from sandbox.kubernetes.objects import Json, is_owned, meta, owner, timestamp
from sandbox.kubernetes.store import Store


def pods_of(store: Store, controller: Json) -> list[Json]:
    """The controller's pods that have not been told to go, oldest first."""
    namespace = controller["metadata"]["namespace"]
    mine = [
        p
        for p in store.find("pods", namespace)
        if is_owned(p, controller) and "deletionTimestamp" not in p["metadata"]
    ]
    return sorted(mine, key=lambda p: int(p["metadata"]["resourceVersion"]))


def leaving_of(store: Store, controller: Json) -> list[Json]:
    """The controller's pods that are on their way out."""
    namespace = controller["metadata"]["namespace"]
    return [
        p
        for p in store.find("pods", namespace)
        if is_owned(p, controller) and "deletionTimestamp" in p["metadata"]
    ]


def is_ready(pod: Json) -> bool:
    """Whether its Ready condition is true."""
    conditions = pod["status"].get("conditions", ())
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def create_pod(
    store: Store, controller: Json, template: Json, labels: Json, name: str = ""
) -> Json:
    """A pod of the template, not yet seen by any node; `name` for those with an ordinal."""
    parent = controller["metadata"]
    name = name or f"{parent['name']}-{uuid.uuid4().hex[:5]}"
    metadata = meta(parent["namespace"], name, ownerReferences=owner(controller))
    metadata["labels"] = {**template["metadata"].get("labels", {}), **labels}
    return store.put(
        "pods",
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": metadata,
            "spec": copy.deepcopy(template["spec"]),
            "status": {"phase": "Pending", "qosClass": "BestEffort"},
        },
    )


def remove_pod(store: Store, pod: Json) -> None:
    """Tell a pod to go; the kubelet removes it in its next step."""
    pod = copy.deepcopy(pod)
    pod["metadata"] |= {"deletionTimestamp": timestamp(), "deletionGracePeriodSeconds": 30}
    store.put("pods", pod)


def omit_zeros(status: Json) -> Json:
    """Numbers of zero are left out of most of a status, as Go's omitempty does."""
    return {k: v for k, v in status.items() if v not in (0, None)}
