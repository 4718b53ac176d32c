"""The objects, their history and who watches it: what etcd and the watch cache are to a real API server.

One counter numbers every change of any object. Nothing awaits here, so a change is seen whole.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.kubernetes.objects import RESOURCES, Json, timestamp
from sandbox.kubernetes.statuses import conflict, not_found

Key = tuple[str, str, str]

_HISTORY = 10_000
"""Changes that are kept; a demo that runs for days must not grow."""


@dataclass(frozen=True, slots=True)
class Change:
    """One step of history: `before` is None for a new object, `after` for a deleted one."""

    version: int
    resource: str
    namespace: str
    before: Json | None
    after: Json | None

    @property
    def last(self) -> Json:
        """The object as it is told to watchers; a deleted one carries the deletion's version."""
        if self.after is not None:
            return self.after
        gone = copy.deepcopy(self.before) or {}
        gone["metadata"]["resourceVersion"] = str(self.version)
        return gone


class Store:
    """All objects by resource, namespace and name; what it hands out must not be changed in place."""

    def __init__(self) -> None:
        self.version = 1000
        self.oldest = 1000
        self.history: list[Change] = []
        self._objects: dict[Key, Json] = {}
        self._watchers: set[asyncio.Event] = set()

    def get(self, resource: str, namespace: str, name: str) -> Json:
        """One object; raises ApiError 404."""
        found = self._objects.get((resource, namespace, name))
        if found is None:
            raise not_found(resource, name)
        return found

    def find(self, resource: str, namespace: str | None = None) -> Iterator[Json]:
        """Those of a resource, by name, in a namespace or in all."""
        for key, obj in sorted(self._objects.items(), key=lambda item: item[0]):
            if key[0] == resource and namespace in (None, key[1]):
                yield obj

    def put(self, resource: str, obj: Json) -> Json:
        """Create or replace; an equal object is no change. Returns what is stored."""
        obj = copy.deepcopy(obj)
        kind = RESOURCES[resource]
        obj.setdefault("apiVersion", kind.api_version)
        obj.setdefault("kind", kind.kind)
        metadata = obj["metadata"]
        key = (resource, metadata["namespace"], metadata["name"])
        before = self._objects.get(key)
        if before is not None:
            metadata["resourceVersion"] = before["metadata"]["resourceVersion"]
            if obj == before:
                return before
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        self._objects[key] = obj
        self._record(Change(self.version, resource, key[1], before, obj))
        return obj

    def update(self, resource: str, obj: Json) -> Json:
        """A client's write: checks resourceVersion, keeps what clients cannot set, bumps generation."""
        metadata = obj["metadata"]
        before = self.get(resource, metadata["namespace"], metadata["name"])
        if metadata.get("resourceVersion") not in (None, before["metadata"]["resourceVersion"]):
            raise conflict(resource, metadata["name"])
        obj = copy.deepcopy(obj)
        for fixed in ("uid", "creationTimestamp", "generation"):
            obj["metadata"][fixed] = before["metadata"][fixed]
        obj["status"] = before["status"]
        if obj["spec"] != before["spec"] or _is_renumbered_by_marks(resource, obj, before):
            obj["metadata"]["generation"] += 1
        return self.put(resource, obj)

    def delete(self, resource: str, obj: Json) -> None:
        """Remove an object; one that is gone already is no fault."""
        metadata = obj["metadata"]
        before = self._objects.pop((resource, metadata["namespace"], metadata["name"]), None)
        if before is not None:
            self.version += 1
            self._record(Change(self.version, resource, metadata["namespace"], before, None))

    def compact(self) -> None:
        """Forget history, as after five minutes: watches from before it are told 410."""
        self.version += 2  # so that no version handed out before is recent enough
        self.oldest = self.version
        self.history.clear()
        self._wake()

    def subscribe(self) -> asyncio.Event:
        """An event that is set at every change, until `unsubscribe`."""
        event = asyncio.Event()
        self._watchers.add(event)
        return event

    def unsubscribe(self, event: asyncio.Event) -> None:
        """Stop waking a watcher."""
        self._watchers.discard(event)

    def record_event(self, about: Json, kind: str, reason: str, message: str) -> None:
        """Write or count up an Event about an object, as the recorder of a controller does."""
        metadata = about["metadata"]
        name = f"{metadata['name']}.{reason.lower()}"
        known = self._objects.get(("events", metadata["namespace"], name))
        self.put("events", _event(about, name, kind, (reason, message), known))

    def _record(self, change: Change) -> None:
        self.history.append(change)
        if len(self.history) > _HISTORY:
            self.oldest = self.history[_HISTORY // 2].version
            del self.history[: _HISTORY // 2]
        self._wake()

    def _wake(self) -> None:
        for event in self._watchers:
            event.set()


def _is_renumbered_by_marks(resource: str, obj: Json, before: Json) -> bool:
    """A Deployment's annotations count as its spec does (kubernetes: deployment/strategy.go)."""
    return resource == "deployments" and (
        obj["metadata"].get("annotations") != before["metadata"].get("annotations")
    )


def _event(about: Json, name: str, kind: str, what: tuple[str, str], known: Json | None) -> Json:
    metadata, now = about["metadata"], timestamp()
    return {
        "metadata": {
            "name": name,
            "namespace": metadata["namespace"],
            "uid": known["metadata"]["uid"] if known else f"{metadata['uid']}-{what[0].lower()}",
            "creationTimestamp": known["metadata"]["creationTimestamp"] if known else now,
        },
        "involvedObject": {
            "kind": about["kind"],
            "namespace": metadata["namespace"],
            "name": metadata["name"],
            "uid": metadata["uid"],
            "apiVersion": about["apiVersion"],
        },
        "reason": what[0],
        "message": what[1],
        "source": {"component": "stand-in"},
        "firstTimestamp": known["firstTimestamp"] if known else now,
        "lastTimestamp": now,
        "count": (known["count"] if known else 0) + 1,
        "type": kind,
        "eventTime": None,
        "reportingComponent": "stand-in",
        "reportingInstance": "",
    }
