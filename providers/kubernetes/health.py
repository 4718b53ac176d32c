"""What serves now, in numbers, and the application's own log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from operations.deployment.ports import TargetHealth
from operations.deployment.target import Target
from operations.errors import ProviderRejected
from operations.redaction import clean
from providers.kubernetes.cluster import Cluster, path_of
from providers.kubernetes.conditions import Stage, has_settled, refusal_of, stage_of
from providers.kubernetes.objects import JsonObject, name, number, text
from providers.kubernetes.running import running_on
from providers.kubernetes.troubles import is_present
from providers.kubernetes.workload import Workload, read_workload, spec_of

_PODS = 5
_LOG_BYTES = 512 * 1024


async def status(cluster: Cluster, target: Target) -> TargetHealth:
    """See `operations.deployment.ports.Provider.status`."""
    spec = spec_of(target)
    workload = await read_workload(cluster, spec)
    running = await running_on(cluster, workload, workload.container(spec.container))
    stage, healthy = stage_of(workload), _healthy(workload)
    state = _state(workload, stage, healthy)
    return TargetHealth(
        version=running.version if running else "",
        artifact=running.image if running else "",
        desired=workload.replicas,
        healthy=healthy,
        state=state,
        detail=_detail(workload, stage, state),
    )


def _healthy(workload: Workload) -> int:
    """Available pods, of any version: they all serve."""
    if workload.kind == "DaemonSet":
        return number(workload.raw, "status", "numberAvailable")
    available = number(workload.raw, "status", "availableReplicas", default=-1)
    if available < 0 and workload.kind == "StatefulSet":
        return number(workload.raw, "status", "readyReplicas")
    return max(0, available)


def _state(workload: Workload, stage: Stage, healthy: int) -> str:
    if stage.is_done:
        return "healthy" if workload.replicas and healthy >= workload.replicas else "down"
    stuck = stage.failed or refusal_of(workload)[0] or workload.is_paused
    if not stuck and (not stage.observed or not has_settled(workload)):
        return "deploying"
    return "degraded" if healthy else "down"


def _detail(workload: Workload, stage: Stage, state: str) -> str:
    if state == "healthy":
        return ""
    if not workload.replicas:
        return "scaled to 0"
    reason, message = refusal_of(workload)
    if reason:
        return clean(f"{reason}: {message}", limit=300)
    paused = "paused; " if workload.is_paused else ""
    return clean(paused + (stage.failed or stage.waiting), limit=300)


async def logs(
    cluster: Cluster, target: Target, *, lines: int, since: timedelta | None
) -> Sequence[str]:
    """See `operations.deployment.ports.Provider.logs`: the newest pods' lines in the order of time."""
    spec = spec_of(target)
    workload = await read_workload(cluster, spec)
    container = workload.container(spec.container)
    pods = await _newest_pods(cluster, workload)
    query = {
        "container": container,
        "tailLines": str(max(1, lines)),
        "limitBytes": str(_LOG_BYTES),
        "timestamps": "true",
    }
    if since is not None:
        query["sinceSeconds"] = str(max(1, int(since.total_seconds())))
    stamped = [
        (stamp, f"[{pod}] {line}" if len(pods) > 1 else line)
        for pod in pods
        for stamp, line in await _read(cluster, spec.namespace, pod, query)
    ]
    stamped.sort(key=lambda entry: entry[0])
    return [clean(line, limit=2000) for _, line in stamped[-lines:]]


async def _newest_pods(cluster: Cluster, workload: Workload) -> list[str]:
    path = path_of("pods", text(workload.raw, "metadata", "namespace"))
    listed = await cluster.list(path, {"labelSelector": workload.selector})
    present = [p for p in listed.items if is_present(p)]
    present.sort(key=_created, reverse=True)
    return [name(p) for p in present[:_PODS]]


def _created(pod: JsonObject) -> str:
    return text(pod, "metadata", "creationTimestamp")


async def _read(
    cluster: Cluster, namespace: str, pod: str, query: dict[str, str]
) -> list[tuple[str, str]]:
    """Lines with their timestamps; none of a pod that has not started or is gone meanwhile."""
    try:
        told = await cluster.text(path_of("pods", namespace, pod, "log"), query)
    except ProviderRejected:
        return []
    return [(stamp, line) for stamp, _, line in (t.partition(" ") for t in told.splitlines())]
