"""What a reading of a service means for a rollout. Pure: no AWS, no clock.

Truth is the PRIMARY deployment: only when it is our task definition and complete has the rollout
succeeded. A complete PRIMARY with the former task definition is a rollback, whatever brought it about.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.deployment.progress import Progress, Verdict
from providers.aws.definitions import short
from providers.aws.handles import EcsHandle
from providers.aws.records import ONGOING, RETURNING, Record
from providers.aws.services import Deployment, Service

SETTLING = timedelta(seconds=60)
"""How long ECS may take to show a change that it has accepted, or a rollback that it will make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at a service, and at the service deployment when it can be read."""

    service: Service | None
    record: Record | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """`why` is the platform's word for a bad end, "" while it goes on."""

    progress: Progress
    why: str = ""


def judge(handle: EcsHandle, reading: Reading) -> Judgement:
    """Where a rollout, or its way back, stands."""
    service = reading.service
    if service is None or service.status != "ACTIVE":
        return _end(Verdict.UNKNOWN, "The service is gone.")
    primary = service.primary
    if primary is None:
        return _end(Verdict.UNKNOWN, "The service has no deployment.")
    if handle.is_own(primary):
        return _judge_own(handle, reading, service, primary)
    if handle.returning:
        return _judge_before_return(handle, service, primary)
    return _judge_other(handle, reading, service, primary)


def is_complete(service: Service, deployment: Deployment) -> bool:
    """Whether ECS is done with a deployment; by counts where it keeps no rollout state."""
    if deployment.rollout_state:
        return deployment.rollout_state == "COMPLETED"
    return len(service.deployments) == 1 and deployment.is_full


def _judge_own(
    handle: EcsHandle, reading: Reading, service: Service, primary: Deployment
) -> Judgement:
    record = None if handle.returning else reading.record
    going = _going("New tasks" if not handle.returning else "Former tasks", primary)
    if record is not None and record.status == "ROLLBACK_FAILED":
        return _end(Verdict.FAILED, record.reason or primary.reason, primary)
    if record is not None and record.status == "STOPPED":
        return _end(_stopped(record, primary), record.reason or primary.reason, primary)
    if record is not None and record.status in RETURNING:
        return _going_back(primary)
    if primary.rollout_state == "FAILED":
        waits = service.breaker_rolls_back and reading.at - primary.updated_at < SETTLING
        if waits and (record is None or record.status in ONGOING):
            return going
        return _end(Verdict.FAILED, primary.reason, primary)
    still_baking = record is not None and record.status in ONGOING
    if is_complete(service, primary) and not still_baking:
        return _end(Verdict.SUCCEEDED, "", primary)
    return going


def _judge_before_return(handle: EcsHandle, service: Service, primary: Deployment) -> Judgement:
    """The way back was asked for and is not PRIMARY yet."""
    known = {handle.former_task_definition, handle.task_definition}
    if primary.task_definition in known or primary.id == handle.former_deployment:
        return _going_back(primary)
    return _superseded(primary)


def _judge_other(
    handle: EcsHandle, reading: Reading, service: Service, primary: Deployment
) -> Judgement:
    """Something else than ours is PRIMARY: not visible yet, rolled back, stopped, or replaced."""
    record = reading.record
    if record is not None and record.status == "ROLLBACK_FAILED":
        return _end(Verdict.FAILED, record.reason or record.rollback_reason, primary)
    if record is not None and record.status == "ROLLBACK_SUCCESSFUL":
        return _end(_rolled_back(record), _why_back(service, handle, record), primary)
    if record is not None and record.status in RETURNING:
        return _going_back(primary)
    if not _is_former(handle, primary):
        return _superseded(primary)
    if record is not None and record.status == "STOPPED":
        return _end(_stopped(record, primary), record.reason or primary.reason, primary)
    if not _gave_way(handle, reading, service, primary):
        return _going("New tasks", primary, detail="not visible yet")
    if not is_complete(service, primary):
        return _going_back(primary)
    return _end(Verdict.ROLLED_BACK, _why_back(service, handle, record), primary)


def _is_former(handle: EcsHandle, primary: Deployment) -> bool:
    return (
        primary.task_definition == handle.former_task_definition
        or primary.id == handle.former_deployment
    )


def _gave_way(handle: EcsHandle, reading: Reading, service: Service, primary: Deployment) -> bool:
    """Whether the former deployment is PRIMARY again, rather than still."""
    if primary.id != handle.former_deployment:
        return True
    if any(handle.is_own(d) and d.rollout_state == "FAILED" for d in service.deployments):
        return True
    if _failing_event(service, handle):
        return True
    moved_off = service.task_definition != handle.task_definition
    return moved_off and reading.at - handle.started_at > SETTLING


def _failing_event(service: Service, handle: EcsHandle) -> str:
    """The event that tells of our deployment's failure, "" when there is none."""
    word = f"(deployment {handle.deployment}) deployment failed"
    return next((e.message for e in service.events if handle.deployment and word in e.message), "")


def _why_back(service: Service, handle: EcsHandle, record: Record | None) -> str:
    own = next((d for d in service.deployments if handle.is_own(d)), None)
    candidates = (
        own.reason if own and own.rollout_state == "FAILED" else "",
        record.rollback_reason if record else "",
        _failing_event(service, handle),
        record.reason if record else "",
    )
    return next((c for c in candidates if c), "The former task definition is back in place.")


def _rolled_back(record: Record) -> Verdict:
    return Verdict.ROLLED_BACK if record.tripped else Verdict.CANCELLED


def _stopped(record: Record, primary: Deployment) -> Verdict:
    failed = record.tripped or primary.rollout_state == "FAILED"
    return Verdict.FAILED if failed else Verdict.CANCELLED


def _superseded(primary: Deployment) -> Judgement:
    return _end(
        Verdict.UNKNOWN,
        f"Another deployment took its place: {short(primary.task_definition)}.",
        primary,
    )


def _going(activity: str, deployment: Deployment, *, detail: str = "") -> Judgement:
    if not detail:
        detail = f"{deployment.running} of {deployment.desired} running"
        if deployment.failed:
            detail += f", {deployment.failed} failed"
        elif deployment.is_full:
            detail += ", former tasks stop"
        return Judgement(progress=_counted(activity, detail, deployment))
    return Judgement(progress=Progress(activity=activity, detail=detail))


def _going_back(primary: Deployment) -> Judgement:
    detail = f"{primary.running} of {primary.desired} running"
    return Judgement(progress=_counted("Rolling back", detail, primary))


def _counted(
    activity: str, detail: str, deployment: Deployment, verdict: Verdict | None = None
) -> Progress:
    return Progress(
        activity=activity,
        detail=detail,
        ready=deployment.running,
        total=deployment.desired,
        verdict=verdict,
    )


def _end(verdict: Verdict, why: str, primary: Deployment | None = None) -> Judgement:
    if primary is None:
        return Judgement(progress=Progress(activity="New tasks", verdict=verdict), why=why)
    detail = f"{primary.running} of {primary.desired} running"
    return Judgement(progress=_counted("New tasks", detail, primary, verdict), why=why)
