"""How far a rollout is, by exactly the conditions of `kubectl rollout status`.

Source: kubectl, pkg/polymorphichelpers/rollout_status.go. Beyond it, `minReadySeconds` of a StatefulSet is
waited for. That the right image is rolled out is looked at elsewhere (see `scene`).
"""

from __future__ import annotations

from dataclasses import dataclass

from providers.kubernetes.objects import condition, mapping, number, text
from providers.kubernetes.workload import Workload


@dataclass(frozen=True, slots=True)
class Stage:
    """`waiting` says for what, "" when done; `failed` is the platform's own word that it gave up."""

    waiting: str = ""
    failed: str = ""
    observed: bool = True

    @property
    def is_done(self) -> bool:
        """Whether everything is rolled out."""
        return not self.waiting and not self.failed


def stage_of(workload: Workload) -> Stage:
    """Judge a workload's status."""
    observed = number(workload.raw, "status", "observedGeneration")
    if workload.generation > observed or not observed:
        return Stage("waiting for the controller", observed=False)
    return {
        "Deployment": _deployment,
        "StatefulSet": _stateful_set,
        "DaemonSet": _daemon_set,
    }[workload.kind](workload)


def refusal_of(workload: Workload) -> tuple[str, str]:
    """Reason and message of a controller that cannot make pods at all; ("", "") when it can."""
    failure = condition(workload.raw, "ReplicaFailure")
    if text(failure, "status") != "True":
        return "", ""
    return text(failure, "reason") or "ReplicaFailure", text(failure, "message")


def has_settled(workload: Workload) -> bool:
    """Whether the last rollout was completed, so that missing pods are a fault and no progress."""
    if workload.kind == "Deployment":
        progressing = condition(workload.raw, "Progressing")
        return text(progressing, "reason") == "NewReplicaSetAvailable"
    if workload.kind == "StatefulSet":
        status = mapping(workload.raw, "status")
        return text(status, "updateRevision") == text(status, "currentRevision")
    updated = number(workload.raw, "status", "updatedNumberScheduled")
    return updated >= workload.replicas


def _deployment(workload: Workload) -> Stage:
    status = mapping(workload.raw, "status")
    progressing = condition(workload.raw, "Progressing")
    if text(progressing, "reason") == "ProgressDeadlineExceeded":
        return Stage("no progress", failed=text(progressing, "message") or "no progress")
    updated, total = number(status, "updatedReplicas"), number(status, "replicas")
    available = number(status, "availableReplicas")
    if updated < workload.replicas:
        return Stage(f"{updated} of {workload.replicas} new pods created")
    if total > updated:
        return Stage(f"{_pods(total - updated, 'old')} still to stop")
    if available < updated:
        return Stage(f"{available} of {updated} new pods available")
    return Stage()


def _stateful_set(workload: Workload) -> Stage:
    status = mapping(workload.raw, "status")
    updated, ready = number(status, "updatedReplicas"), number(status, "readyReplicas")
    if ready < workload.replicas:
        return Stage(f"{ready} of {workload.replicas} pods ready")
    if number(workload.raw, "spec", "minReadySeconds") > 0:
        available = number(status, "availableReplicas")
        if available < workload.replicas:
            return Stage(f"{available} of {workload.replicas} pods available")
    if mapping(workload.raw, "spec", "updateStrategy", "rollingUpdate"):
        wanted = workload.replicas - workload.partition
        return Stage(f"{updated} of {wanted} new pods created") if updated < wanted else Stage()
    if text(status, "updateRevision") != text(status, "currentRevision"):
        return Stage(f"{updated} of {workload.replicas} new pods created")
    return Stage()


def _daemon_set(workload: Workload) -> Stage:
    status = mapping(workload.raw, "status")
    updated, available = (
        number(status, "updatedNumberScheduled"),
        number(status, "numberAvailable"),
    )
    if updated < workload.replicas:
        return Stage(f"{updated} of {workload.replicas} new pods created")
    if available < workload.replicas:
        return Stage(f"{available} of {workload.replicas} new pods available")
    return Stage()


def _pods(count: int, what: str) -> str:
    return f"{count} {what} pod{'' if count == 1 else 's'}"
