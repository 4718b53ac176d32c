"""What serves now, which is not always what the template says: a rollout may have got stuck half-way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from operations.deployment.release import Release
from operations.errors import ProviderError
from providers.kubernetes.cluster import Cluster, path_of
from providers.kubernetes.conditions import stage_of
from providers.kubernetes.marks import version_of
from providers.kubernetes.objects import (
    JsonObject,
    items,
    number,
    strings,
    text,
)
from providers.kubernetes.revisions import present, read_revisions, template_in
from providers.kubernetes.troubles import is_present, is_ready
from providers.kubernetes.workload import Workload, image_in
from providers.registry import ImageRef, is_digest


@dataclass(frozen=True, slots=True)
class Running:
    """`image` serves; `version` is people's word for it."""

    image: str
    version: str

    def release(self) -> Release:
        """As a release: handing `artifact` to Kubernetes again brings the same back."""
        return Release(
            version=self.version, artifact=self.image, pin=ImageRef.parse(self.image).digest
        )


async def running_on(cluster: Cluster, workload: Workload, container: str) -> Running | None:
    """What serves: the template's image, or while a rollout is not complete, the former revision's.

    None when nothing was ever there to serve.
    """
    image = workload.image(container)
    if not image:
        return None
    here = Running(image, version_of(image, workload.annotations))
    if workload.kind != "Deployment" or stage_of(workload).is_done:
        return here
    revisions = await read_revisions(cluster, workload)
    serving = _serving(workload, revisions)
    if serving is None:
        return here
    image = image_in(template_in(serving), container)
    return Running(image, version_of(image, strings(serving, "metadata", "annotations")))


def _serving(workload: Workload, revisions: Sequence[JsonObject]) -> JsonObject | None:
    """The ReplicaSet with the most available pods; the present one where it has as many."""
    new = present(workload, revisions)
    ranked = sorted(revisions, key=lambda r: (_available(r), r is new), reverse=True)
    return ranked[0] if ranked and _available(ranked[0]) else new


def _available(replicaset: JsonObject) -> int:
    return number(replicaset, "status", "availableReplicas")


async def digest_of_pods(cluster: Cluster, workload: Workload, container: str) -> str:
    """The digest that the ready pods of the template's image run; "" unless they all agree.

    The kubelet's imageID names a repository only when the image was pulled: others are not trusted.
    """
    image = workload.image(container)
    path = path_of("pods", text(workload.raw, "metadata", "namespace"))
    try:
        listed = await cluster.list(path, {"labelSelector": workload.selector})
    except ProviderError:
        return ""
    digests = {
        _pulled(pod, container, ImageRef.parse(image))
        for pod in listed.items
        if is_present(pod)
        and is_ready(pod)
        and image_in({"spec": pod.get("spec")}, container) == image
    }
    return digests.pop() if len(digests) == 1 else ""


def _pulled(pod: JsonObject, container: str, wanted: ImageRef) -> str:
    for status in items(pod, "status", "containerStatuses"):
        if text(status, "name") == container:
            ref = ImageRef.parse(text(status, "imageID").rpartition("//")[2])
            if ref.place == wanted.place and is_digest(ref.digest):
                return ref.digest
    return ""
