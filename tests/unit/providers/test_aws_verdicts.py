"""Judging a reading of a service: the table of all that ECS may show, without ECS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from operations.deployment.progress import Verdict
from providers.aws.handles import EcsHandle
from providers.aws.records import Record
from providers.aws.services import Deployment, Event, Service
from providers.aws.verdicts import SETTLING, Judgement, Reading, judge

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PREFIX = "arn:aws:ecs:eu-west-1:123456789012:task-definition/"
OLD, OURS, OTHERS = f"{PREFIX}myapp:41", f"{PREFIX}myapp:42", f"{PREFIX}myapp:43"
HANDLE = EcsHandle(
    cluster="main",
    service="myapp",
    task_definition=OURS,
    deployment="ecs-svc/2",
    started_at=NOW - timedelta(seconds=10),
    record="record",
    former_task_definition=OLD,
    former_deployment="ecs-svc/1",
)
BACK = replace(
    HANDLE,
    task_definition=OLD,
    deployment="",
    record="",
    former_task_definition=OURS,
    former_deployment="ecs-svc/2",
    returning=True,
)


def deployment(  # noqa: PLR0913 - a row of the table
    definition: str = OURS,
    *,
    state: str = "IN_PROGRESS",
    id: str = "ecs-svc/2",
    status: str = "PRIMARY",
    running: int = 1,
    reason: str = "",
    updated_at: datetime = NOW,
) -> Deployment:
    return Deployment(
        id=id,
        status=status,
        task_definition=definition,
        desired=3,
        running=running,
        failed=0,
        rollout_state=state,
        reason=reason,
        created_at=NOW,
        updated_at=updated_at,
    )


def service(
    *deployments: Deployment, rolls_back: bool = True, events: tuple[Event, ...] = ()
) -> Service:
    return Service(
        name="myapp",
        status="ACTIVE",
        controller="ECS",
        task_definition=deployments[0].task_definition if deployments else OURS,
        desired=3,
        running=3,
        breaker=rolls_back,
        breaker_rolls_back=rolls_back,
        deployments=deployments,
        events=events,
        revisions=(),
    )


def record(status: str, *, tripped: bool = False) -> Record:
    return Record(
        arn="record",
        status=status,
        reason="",
        rollback_reason="circuit breaker" if tripped else "",
        tripped=tripped,
        source_revisions=(),
    )


def judged(
    now: Service | None,
    seen: Record | None = None,
    *,
    handle: EcsHandle = HANDLE,
    at: datetime = NOW,
) -> Judgement:
    return judge(handle, Reading(service=now, record=seen, at=at))


def old(state: str = "COMPLETED", id: str = "ecs-svc/3") -> Deployment:
    return deployment(OLD, state=state, id=id, running=3)


FAILED_NOW = deployment(state="FAILED", reason="tasks failed to start")
FAILED_LONG_AGO = replace(FAILED_NOW, updated_at=NOW - SETTLING)
STALE = old(id="ecs-svc/1")
FAILED_BESIDE = deployment(state="FAILED", status="ACTIVE")


@pytest.mark.parametrize(
    ("now", "seen", "verdict"),
    [
        pytest.param(service(deployment()), None, None, id="in progress"),
        pytest.param(service(deployment(state="COMPLETED")), None, Verdict.SUCCEEDED, id="done"),
        pytest.param(
            service(deployment(state="COMPLETED")), record("IN_PROGRESS"), None, id="still baking"
        ),
        pytest.param(
            service(deployment()), record("SUCCESSFUL"), None, id="the service has the last word"
        ),
        pytest.param(service(FAILED_NOW), None, None, id="failed, a rollback may follow"),
        pytest.param(service(FAILED_LONG_AGO), None, Verdict.FAILED, id="failed, none followed"),
        pytest.param(
            service(FAILED_NOW, rolls_back=False), None, Verdict.FAILED, id="failed, none will"
        ),
        pytest.param(
            service(deployment()), record("STOPPED"), Verdict.CANCELLED, id="stopped by a person"
        ),
        pytest.param(
            service(FAILED_NOW), record("STOPPED", tripped=True), Verdict.FAILED, id="tripped"
        ),
        pytest.param(service(deployment()), record("ROLLBACK_REQUESTED"), None, id="going back"),
        pytest.param(
            service(deployment()), record("ROLLBACK_FAILED"), Verdict.FAILED, id="no way back"
        ),
        pytest.param(service(old("IN_PROGRESS")), None, None, id="rolling back"),
        pytest.param(service(old()), None, Verdict.ROLLED_BACK, id="rolled back"),
        pytest.param(
            service(old()), record("ROLLBACK_SUCCESSFUL", tripped=True), Verdict.ROLLED_BACK,
            id="rolled back by the breaker",
        ),
        pytest.param(
            service(old()), record("ROLLBACK_SUCCESSFUL"), Verdict.CANCELLED,
            id="rolled back by a person",
        ),
        pytest.param(service(STALE), None, None, id="not visible yet"),
        pytest.param(
            service(STALE, FAILED_BESIDE), None, Verdict.ROLLED_BACK, id="the same one is back"
        ),
        pytest.param(
            service(deployment(OTHERS, id="ecs-svc/9")), None, Verdict.UNKNOWN, id="superseded"
        ),
        pytest.param(
            service(deployment(OTHERS, id="ecs-svc/9")), record("STOPPED"), Verdict.UNKNOWN,
            id="superseded and stopped",
        ),
        pytest.param(None, None, Verdict.UNKNOWN, id="gone"),
        pytest.param(service(), None, Verdict.UNKNOWN, id="no deployment"),
    ],
)  # fmt: skip
def test_a_rollouts_verdict(now: Service | None, seen: Record | None, verdict: Verdict) -> None:
    assert judged(now, seen).progress.verdict is verdict


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        pytest.param(service(deployment()), None, id="not begun"),
        pytest.param(service(old("IN_PROGRESS")), None, id="coming back"),
        pytest.param(service(old()), Verdict.SUCCEEDED, id="back"),
        pytest.param(service(deployment(OTHERS, id="ecs-svc/9")), Verdict.UNKNOWN, id="superseded"),
    ],
)
def test_the_verdict_of_a_way_back(now: Service, verdict: Verdict | None) -> None:
    assert judged(now, handle=BACK).progress.verdict is verdict


@pytest.mark.parametrize(
    ("deployments", "verdict"),
    [
        pytest.param((deployment(state="", running=3),), Verdict.SUCCEEDED, id="alone and full"),
        pytest.param((deployment(state="", running=2),), None, id="not full"),
        pytest.param(
            (deployment(state="", running=3), deployment(OLD, status="ACTIVE", state="")),
            None,
            id="not alone",
        ),
    ],
)
def test_where_ecs_keeps_no_rollout_state_the_counts_decide(
    deployments: tuple[Deployment, ...], verdict: Verdict | None
) -> None:
    assert judged(service(*deployments)).progress.verdict is verdict


def test_the_former_deployment_that_stays_is_a_rollback_in_the_end() -> None:
    """ECS promoted the same deployment again, and nothing else tells of ours any more."""
    later = HANDLE.started_at + SETTLING + timedelta(seconds=1)

    assert judged(service(STALE), at=later).progress.verdict is Verdict.ROLLED_BACK


def test_an_event_tells_of_a_failure_that_nothing_else_shows() -> None:
    event = Event(NOW, "(service myapp) (deployment ecs-svc/2) deployment failed: tasks failed.")

    judgement = judged(service(STALE, events=(event,)))

    assert judgement.progress.verdict is Verdict.ROLLED_BACK
    assert "deployment failed" in judgement.why


def test_progress_counts_the_new_tasks() -> None:
    progress = judged(service(deployment(running=2))).progress

    assert (progress.activity, progress.detail) == ("New tasks", "2 of 3 running")
    assert (progress.ready, progress.total) == (2, 3)


def test_who_took_the_place_is_named() -> None:
    assert "myapp:43" in judged(service(deployment(OTHERS, id="ecs-svc/9"))).why
