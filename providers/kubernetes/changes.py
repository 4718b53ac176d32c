"""The two changes that the adapter makes: bringing an image, and bringing the former revision back.

Each is one strategic merge patch that names the resourceVersion it was made for, so that it happens to what
was read or not at all, and that carries our key, so that a second call finds it.
"""

from __future__ import annotations

from dataclasses import dataclass

from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Started
from operations.errors import ProviderRejected, ProviderUnavailable
from operations.redaction import clean
from providers.kubernetes.cluster import Cluster
from providers.kubernetes.faults import Conflict
from providers.kubernetes.marks import (
    ARTIFACT,
    CAUSE,
    RESTORED,
    ROLLOUT,
    VERSION,
    handle_of,
)
from providers.kubernetes.objects import JsonObject, strings
from providers.kubernetes.revisions import former, read_revisions, template_in
from providers.kubernetes.workload import REVISION, Workload, read_workload, spec_of

_TRIES = 6
_KEPT = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        REVISION,
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)
"""Annotations that stay the Deployment's own when a ReplicaSet's are put back, as kubectl has it."""


@dataclass(frozen=True, slots=True)
class _Change:
    """A patch without its lock, the image that is expected after it, and what it does in a few words."""

    patch: JsonObject
    image: str
    summary: str


async def start(cluster: Cluster, order: StartOrder) -> Started:
    """Bring the release's image. See `operations.deployment.ports.Provider.start`."""
    spec = spec_of(order.target)
    for _ in range(_TRIES):
        workload = await read_workload(cluster, spec)
        container = workload.container(spec.container)
        image, release = order.release.artifact, order.release
        if _is_made(workload, ROLLOUT, order.key, image):
            handle = handle_of(workload, container, image, ROLLOUT, order.key)
            return Started(handle=handle, summary=f"{workload.title} was patched already")
        _refuse(workload)
        marks: dict[str, str | None] = {
            CAUSE: clean(order.cause, limit=400),
            ROLLOUT: order.key,
            RESTORED: None,
            VERSION: release.version,
            ARTIFACT: image,
        }
        change = _bring(workload, container, image, marks, f"patched to {release.version}")
        try:
            return await _apply(cluster, workload, container, change, (ROLLOUT, order.key))
        except Conflict:
            continue
    raise ProviderUnavailable("The workload changes faster than it can be patched.")


async def restore(cluster: Cluster, order: RestoreOrder) -> Started:
    """Bring the former release back. See `operations.deployment.ports.Provider.restore`."""
    spec = spec_of(order.target)
    for _ in range(_TRIES):
        workload = await read_workload(cluster, spec)
        container = workload.container(spec.container)
        image = order.previous.artifact
        if _is_made(workload, RESTORED, order.key, image):
            handle = handle_of(workload, container, image, RESTORED, order.key)
            return Started(handle=handle, summary=f"{workload.title} was put back already")
        _refuse(workload)
        _refuse_foreign(workload.image(container), order)
        change = await _way_back(cluster, workload, container, order)
        try:
            return await _apply(cluster, workload, container, change, (RESTORED, order.key))
        except Conflict:
            continue
    raise ProviderUnavailable("The workload changes faster than it can be patched.")


def _is_made(workload: Workload, mark: str, key: str, image: str) -> bool:
    """Whether this very change was made before.

    The key alone does not tell: a database that was begun anew counts its rollouts from the start again.
    """
    found = workload.annotations
    return found.get(mark) == key and found.get(ARTIFACT) == image


def _refuse(workload: Workload) -> None:
    if workload.is_paused:
        raise ProviderRejected(
            f"{workload.title} is paused, so Kubernetes would not roll anything out.",
            hint="Resume it first: kubectl rollout resume.",
        )
    if workload.updates_by_hand:
        raise ProviderRejected(
            f"{workload.title} updates only when pods are deleted (OnDelete).",
            hint="Set its updateStrategy to RollingUpdate.",
        )


def _refuse_foreign(image: str, order: RestoreOrder) -> None:
    """Going back from what somebody else brought since would undo their work, not ours."""
    ours = str((order.handle or {}).get("image") or image)
    if image not in (ours, order.previous.artifact):
        raise ProviderRejected(f"another change took its place: the image is now {image}")


async def _way_back(
    cluster: Cluster, workload: Workload, container: str, order: RestoreOrder
) -> _Change:
    """Undo to the revision that had the former image; without one, patch that image."""
    previous = order.previous
    image, version = previous.artifact, previous.version
    marks: dict[str, str | None] = {
        CAUSE: clean(order.cause, limit=400),
        RESTORED: order.key,
        VERSION: version,
        ARTIFACT: image,
    }
    if workload.image(container) == image:
        return _Change(_patch({}, marks), image, f"has {version} already")
    revision = former(workload, await read_revisions(cluster, workload), container, image)
    if revision is None:
        marks[ROLLOUT] = None
        return _bring(workload, container, image, marks, f"patched back to {version}")
    annotations = _former_annotations(workload, revision) | marks
    template = {**template_in(revision), "$patch": "replace"}
    return _Change(_patch({"template": template}, annotations), image, f"rolled back to {version}")


def _former_annotations(workload: Workload, revision: JsonObject) -> dict[str, str | None]:
    """A Deployment gets its ReplicaSet's annotations back; ControllerRevisions keep none."""
    if workload.kind != "Deployment":
        return {ROLLOUT: None}
    before = strings(revision, "metadata", "annotations")
    dropped: dict[str, str | None] = {k: None for k in workload.annotations if k not in _KEPT}
    return dropped | {k: v for k, v in before.items() if k not in _KEPT}


def _bring(
    workload: Workload, container: str, image: str, marks: dict[str, str | None], summary: str
) -> _Change:
    spec: JsonObject = {"containers": [{"name": container, "image": image}]}
    return _Change(_patch({"template": {"spec": spec}}, marks), image, summary)


def _patch(spec: JsonObject, annotations: dict[str, str | None]) -> JsonObject:
    body: JsonObject = {"metadata": {"annotations": annotations}}
    return {**body, "spec": spec} if spec else body


async def _apply(
    cluster: Cluster, workload: Workload, container: str, change: _Change, mark: tuple[str, str]
) -> Started:
    """Raises Conflict when the workload changed since it was read."""
    metadata = change.patch.get("metadata")
    locked = {
        **(metadata if isinstance(metadata, dict) else {}),
        "resourceVersion": workload.version,
    }
    raw = await cluster.patch(workload.path, {**change.patch, "metadata": locked})
    patched = Workload(workload.resource, raw)
    # An admission webhook may have written the image in another way, such as a mirror's name.
    image = patched.image(container) or change.image
    handle = handle_of(patched, container, image, *mark)
    return Started(handle=handle, summary=f"{workload.title} {change.summary}")
