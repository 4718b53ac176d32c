"""From people's word for a version to an image that cannot change under its name."""

from __future__ import annotations

from dataclasses import dataclass

from operations.deployment.release import Release, Resolution
from operations.deployment.target import Target
from operations.errors import InvalidRequest
from operations.redaction import clean
from providers.kubernetes.cluster import Cluster
from providers.kubernetes.conditions import stage_of
from providers.kubernetes.marks import artifact_of
from providers.kubernetes.objects import strings
from providers.kubernetes.running import Running, digest_of_pods, running_on
from providers.kubernetes.workload import Workload, read_workload, spec_of
from providers.registry import ImageRef, Registry, is_digest, is_tag


@dataclass(frozen=True, slots=True)
class _Wanted:
    repository: str
    version: str


async def resolve(cluster: Cluster, registry: Registry, target: Target, version: str) -> Resolution:
    """See `operations.deployment.ports.Provider.resolve`."""
    spec = spec_of(target)
    _check(version)
    workload = await read_workload(cluster, spec)
    container = workload.container(spec.container)
    running = await running_on(cluster, workload, container)
    wanted = _wanted(spec.image, version, workload, container, running)
    pin = await _pin(cluster, registry, workload, container, wanted)
    release = Release(
        version=wanted.version,
        artifact=artifact_of(wanted.repository, wanted.version, pin),
        pin=pin,
    )
    return Resolution(
        release=release,
        current=running.release() if running else None,
        changes=_changes(workload, container, release),
        warnings=_warnings(workload, container, release),
    )


def _check(version: str) -> None:
    if version and not is_tag(version) and not is_digest(version):
        shown = clean(version, limit=80)
        raise InvalidRequest(
            f"“{shown}” cannot be the tag of an image.",
            hint="A tag has letters, digits, “.”, “_” and “-”; a digest is sha256: and 64 digits.",
        )


def _wanted(
    image: str | None, version: str, workload: Workload, container: str, running: Running | None
) -> _Wanted:
    """Repository from the configuration, else from the template; version from the request, else running."""
    named = ImageRef.parse(image or workload.image(container))
    if not named.repository:
        raise InvalidRequest(
            f"{workload.title} names no image yet.", hint="Set “image” in hms.yaml."
        )
    if not version and running is None:
        raise InvalidRequest(f"{workload.title} runs nothing yet.", hint="Say which version.")
    return _Wanted(named.repository, version or (running.version if running else ""))


async def _pin(
    cluster: Cluster, registry: Registry, workload: Workload, container: str, wanted: _Wanted
) -> str:
    """The registry's word; where it gives none, what runs under this name already; else ""."""
    found = await registry.digest(wanted.repository, wanted.version)
    if found or is_digest(wanted.version):
        return found or wanted.version
    now = ImageRef.parse(workload.image(container))
    if now.place != ImageRef.parse(wanted.repository).place or now.tag != wanted.version:
        return ""
    return now.digest or await digest_of_pods(cluster, workload, container)


def _changes(workload: Workload, container: str, release: Release) -> tuple[str, ...]:
    image = workload.image(container)
    if image == release.artifact:
        return (f"{workload.title} names this image already: nothing would change",)
    return (f"image of {workload.title}/{container}: {image} → {release.artifact}",)


def _warnings(workload: Workload, container: str, release: Release) -> tuple[str, ...]:
    found = []
    if owner := _owner(workload):
        found.append(f"{workload.title} belongs to {owner}, which may undo this change.")
    if workload.is_paused:
        found.append(f"{workload.title} is paused: it must be resumed before a deploy.")
    if workload.updates_by_hand:
        found.append(f"{workload.title} updates only when pods are deleted (OnDelete).")
    if workload.partition:
        found.append(f"Pods below ordinal {workload.partition} keep the old version (partition).")
    if not release.is_pinned:
        found.append("The registry does not tell the digest: the tag may move before it is pulled.")
        if workload.image(container) == release.artifact:
            found.append("Kubernetes does not pull a tag again that the template names already.")
    if not workload.replicas and workload.kind != "DaemonSet":
        found.append(f"{workload.title} is scaled to 0: no pod will run.")
    stage = stage_of(workload)
    if not workload.is_paused and not stage.is_done:
        found.append(f"{workload.title} is not settled: {stage.waiting or stage.failed}.")
    return tuple(found)


def _owner(workload: Workload) -> str:
    """A tool that keeps the object in its own state and may put the old image back."""
    labels = strings(workload.raw, "metadata", "labels")
    marks = labels | workload.annotations
    if any(k.startswith("argocd.argoproj.io/") for k in marks):
        return "Argo CD"
    for tool in ("kustomize", "helm"):
        if f"{tool}.toolkit.fluxcd.io/name" in labels:
            return "Flux"
    if labels.get("app.kubernetes.io/managed-by") == "Helm" or "meta.helm.sh/release-name" in marks:
        return "Helm"
    return ""
