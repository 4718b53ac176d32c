"""A workload's history: which ReplicaSet or ControllerRevision is the present one, and which was before.

Source: kubectl, pkg/polymorphichelpers/rollback.go, and the Deployment controller's way of finding the new
ReplicaSet: by an equal template, ignoring the hash label.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

from providers.kubernetes.cluster import Cluster, path_of
from providers.kubernetes.objects import (
    JsonObject,
    is_owned,
    mapping,
    number,
    strings,
    text,
)
from providers.kubernetes.workload import REVISION, Workload, image_in

HASH = "pod-template-hash"
REVISION_HASH = "controller-revision-hash"


def collection_of(resource: str) -> str:
    """Where a kind's history is kept."""
    return "replicasets" if resource == "deployments" else "controllerrevisions"


async def read_revisions(cluster: Cluster, workload: Workload) -> list[JsonObject]:
    """The workload's own history, in no order."""
    path = path_of(collection_of(workload.resource), text(workload.raw, "metadata", "namespace"))
    listed = await cluster.list(path, {"labelSelector": workload.selector})
    return owned(listed.items, workload)


def owned(revisions: Iterable[JsonObject], workload: Workload) -> list[JsonObject]:
    """Those that the workload controls."""
    return [r for r in revisions if is_owned(r, workload.uid)]


def template_in(revision: JsonObject) -> JsonObject:
    """The pod template of a revision, without what the controller put in."""
    data = "data" if "data" in revision else ""
    found = (
        mapping(revision, data, "spec", "template")
        if data
        else mapping(revision, "spec", "template")
    )
    template = copy.deepcopy(found)
    template.pop("$patch", None)
    mapping(template, "metadata", "labels").pop(HASH, None)
    return template


def order_of(revision: JsonObject) -> int:
    """The revision's number; a revision that serves again gets a new highest one."""
    if "revision" in revision:
        return number(revision, "revision")
    given = strings(revision, "metadata", "annotations").get(REVISION, "")
    return int(given) if given.isdigit() else 0


def present(workload: Workload, revisions: Sequence[JsonObject]) -> JsonObject | None:
    """The revision of the present template; None while the controller has not made it.

    By an equal template, the oldest of several; else by number, as fields that a newer API server fills in
    make equal templates look different.
    """
    mine = owned(revisions, workload)
    equal = [r for r in mine if template_in(r) == _without_hash(workload.template)]
    if equal:
        return min(equal, key=lambda r: text(r, "metadata", "creationTimestamp"))
    if workload.kind == "Deployment":
        numbered = workload.annotations.get(REVISION, "")
        return next((r for r in mine if numbered == str(order_of(r)) != "0"), None)
    return max(mine, key=order_of, default=None)


def pod_mark(workload: Workload, revisions: Sequence[JsonObject]) -> tuple[str, str]:
    """The label and value that pods of the present template carry; ("", "") while it is not known."""
    if workload.kind == "StatefulSet":
        return REVISION_HASH, text(workload.raw, "status", "updateRevision")
    revision = present(workload, revisions)
    label = HASH if workload.kind == "Deployment" else REVISION_HASH
    value = strings(revision, "metadata", "labels").get(label, "")
    return (label, value) if value else ("", "")


def former(
    workload: Workload, revisions: Sequence[JsonObject], container: str, image: str
) -> JsonObject | None:
    """The newest revision with this image; None when history no longer has it."""
    found = [r for r in owned(revisions, workload) if image_in(template_in(r), container) == image]
    return max(found, key=order_of, default=None)


def _without_hash(template: JsonObject) -> JsonObject:
    bare = copy.deepcopy(template)
    mapping(bare, "metadata", "labels").pop(HASH, None)
    return bare
