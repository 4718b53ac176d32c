"""What the adapter writes on a workload to know its own changes again, and the handle that finds them."""

from __future__ import annotations

from dataclasses import dataclass

from operations.deployment.progress import Handle
from providers.kubernetes.cluster import path_of
from providers.kubernetes.workload import KINDS, Workload
from providers.registry import ImageRef, is_digest

ROLLOUT = "hms-sys/rollout"
RESTORED = "hms-sys/restored"
VERSION = "hms-sys/version"
ARTIFACT = "hms-sys/artifact"
CAUSE = "kubernetes.io/change-cause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What must still be so for a change to be ours: the object, the image, and our mark with its key."""

    resource: str
    namespace: str
    name: str
    uid: str
    container: str
    image: str
    mark: str
    key: str
    selector: str

    @property
    def path(self) -> str:
        """The workload's path in the API."""
        return path_of(self.resource, self.namespace, self.name)

    @property
    def title(self) -> str:
        """`Deployment web`."""
        return f"{KINDS.get(self.resource.removesuffix('s'), self.resource)} {self.name}"

    @classmethod
    def read(cls, handle: Handle) -> Expectation:
        """From a stored handle; a member that is missing is ""."""

        def member(name: str) -> str:
            return str(handle.get(name) or "")

        return cls(
            resource=member("resource"),
            namespace=member("namespace"),
            name=member("name"),
            uid=member("uid"),
            container=member("container"),
            image=member("image"),
            mark=member("mark"),
            key=member("key"),
            selector=member("selector"),
        )


def handle_of(workload: Workload, container: str, image: str, mark: str, key: str) -> Handle:
    """The handle of a change that brings `image`; it finds the change without anything else."""
    metadata = workload.raw.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}
    return {
        "resource": workload.resource,
        "namespace": str(found.get("namespace", "")),
        "name": str(found.get("name", "")),
        "uid": workload.uid,
        "generation": workload.generation,
        "container": container,
        "image": image,
        "mark": mark,
        "key": key,
        "selector": workload.selector,
    }


def version_of(image: str, annotations: dict[str, str]) -> str:
    """People's word for an image: its tag, or for a bare digest the version that we deployed it as.

    The annotation counts only beside the artifact that it was written for: others change images too.
    """
    ref = ImageRef.parse(image)
    remembered = annotations.get(VERSION, "")
    if ref.tag or not ref.digest:
        return ref.tag or "latest"
    if remembered and annotations.get(ARTIFACT) == image:
        return remembered
    return ref.digest


def artifact_of(repository: str, version: str, pin: str) -> str:
    """What the template's image becomes."""
    if pin:
        return f"{repository}@{pin}"
    return f"{repository}@{version}" if is_digest(version) else f"{repository}:{version}"
