"""How a Deployment's ReplicaSets are scaled against each other in a rolling update."""

from __future__ import annotations

import copy

from sandbox.kubernetes.objects import Json
from sandbox.kubernetes.pods import pods_of
from sandbox.kubernetes.store import Store


class Rolling:
    """One step of scaling the new ReplicaSet up and the old ones down."""

    def __init__(self, store: Store, deployment: Json, new: Json, old: list[Json]) -> None:
        self._store = store
        self._wanted = deployment["spec"]["replicas"]
        self._surge = surge_limit(deployment)
        self._unavailable = unavailable_limit(deployment)
        self._recreates = deployment["spec"]["strategy"]["type"] == "Recreate"
        self._new = new
        self._old = old

    def step(self) -> None:
        """Old first when pods are recreated, else whichever the limits allow."""
        if self._recreates:
            for replicaset in self._old:
                self._scale(replicaset, 0)
            left = any(pods_of(self._store, r) for r in self._old)
            if not left:
                self._scale(self._new, self._wanted)
            return
        total = self._new["spec"]["replicas"] + sum(r["spec"]["replicas"] for r in self._old)
        room = self._wanted + self._surge - total
        size = self._new["spec"]["replicas"]
        if size > self._wanted:
            self._scale(self._new, self._wanted)
        elif size < self._wanted and room > 0:
            self._scale(self._new, min(self._wanted, size + room))
        else:
            self._scale_down(total)

    def _scale_down(self, total: int) -> None:
        available = self._new["status"].get("availableReplicas", 0)
        lacking = self._new["spec"]["replicas"] - available
        spare = total - (self._wanted - self._unavailable) - lacking
        for replicaset in self._old:
            if spare <= 0:
                return
            removed = min(spare, replicaset["spec"]["replicas"])
            self._scale(replicaset, replicaset["spec"]["replicas"] - removed)
            spare -= removed

    def _scale(self, replicaset: Json, size: int) -> None:
        changed = copy.deepcopy(replicaset)
        changed["spec"]["replicas"] = size
        self._store.put("replicasets", changed)


def surge_limit(deployment: Json) -> int:
    """How many pods there may be beyond the wanted number; a share is rounded up."""
    given = deployment["spec"]["strategy"].get("rollingUpdate", {}).get("maxSurge", 1)
    size: int = deployment["spec"]["replicas"]
    return -(-size * int(given[:-1]) // 100) if isinstance(given, str) else int(given)


def unavailable_limit(deployment: Json) -> int:
    """How many pods may be missing; a share is rounded down, but both limits cannot be zero."""
    given = deployment["spec"]["strategy"].get("rollingUpdate", {}).get("maxUnavailable", 0)
    size: int = deployment["spec"]["replicas"]
    number = size * int(given[:-1]) // 100 if isinstance(given, str) else int(given)
    return number if number or surge_limit(deployment) else 1
