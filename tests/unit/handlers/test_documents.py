"""The keys and values that programs read."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from handlers.documents import (
    history_document,
    logs_document,
    pinned,
    plan_document,
    rollout_document,
    show_document,
    timestamp,
    why_document,
)
from handlers.fleet_documents import fleet_document
from handlers.monitoring_documents import alert_document
from operations.actor import Actor, ActorKind
from operations.audit import AuditEvent
from operations.deployment.inquiries import Obstacles, RolloutReport, TargetReport
from operations.deployment.policy import Answer
from operations.deployment.ports import TargetHealth
from operations.deployment.progress import Failure
from operations.deployment.release import Release, Resolution
from operations.deployment.requests import Plan
from operations.deployment.rollout import (
    HistoryPage,
    Rollout,
    RolloutKind,
    RolloutState,
    TargetLock,
    Vote,
    VoteKind,
)
from operations.deployment.target import ApprovalRule, Target
from operations.errors import Blocked
from operations.monitoring.grouping import AlertGroup
from tests.unit.handlers.slack.views.alarms import make_alert

_NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_ALICE = Actor("U01ALICE", ActorKind.SLACK, "alice")
_BOB = Actor("U02BOB", ActorKind.SLACK, "bob")
_V1 = Release(version="v1", artifact="acme/myapp@sha256:11", pin="sha256:11")
_V2 = Release(version="v2", artifact="acme/myapp@sha256:22", pin="sha256:22")


@dataclass(frozen=True, slots=True)
class _Spec:
    provider: str = "aws"
    title: str = "AWS ECS main/myapp"
    identity: str = "aws:main/myapp"


_TARGET = Target(project="myapp", environment="prod", spec=_Spec())
_ROLLOUT = Rollout(
    id=1042,
    project="myapp",
    environment="prod",
    provider="aws",
    kind=RolloutKind.DEPLOY,
    release=_V2,
    previous=_V1,
    requested_by=_ALICE,
    requested_at=_NOON,
    reason="login fix",
    state=RolloutState.SUCCEEDED,
    votes=(Vote(actor=_BOB, kind=VoteKind.APPROVE, at=_NOON + timedelta(minutes=1)),),
    votes_required=1,
    started_at=_NOON + timedelta(minutes=2),
    ended_at=_NOON + timedelta(minutes=3),
    outcome="3 of 3 serve",
)


def test_a_rollout_has_every_promised_key() -> None:
    document = rollout_document(_ROLLOUT)
    assert json.loads(json.dumps(document)) == {
        "id": "D-1042",
        "project": "myapp",
        "environment": "prod",
        "provider": "aws",
        "kind": "deploy",
        "state": "succeeded",
        "version": "v2",
        "artifact": "acme/myapp@sha256:22",
        "previous": "v1",
        "requested_by": "U01ALICE",
        "requested_at": "2026-03-01T12:00:00Z",
        "reason": "login fix",
        "external_id": "",
        "emergency": False,
        "approvals": [{"by": "U02BOB", "at": "2026-03-01T12:01:00Z"}],
        "approvals_required": 1,
        "expires_at": None,
        "started_at": "2026-03-01T12:02:00Z",
        "ended_at": "2026-03-01T12:03:00Z",
        "outcome": "3 of 3 serve",
        "start_at": None,
        "reviewed_by": None,
        "reviewed_at": None,
    }


def test_what_has_not_happened_is_null() -> None:
    waiting = replace(
        _ROLLOUT,
        state=RolloutState.QUEUED,
        previous=None,
        started_at=None,
        ended_at=None,
        outcome="",
    )
    document = rollout_document(waiting)
    assert document["previous"] is None
    assert document["started_at"] is None
    assert document["ended_at"] is None
    assert document["outcome"] is None


def test_an_outcome_says_what_went_wrong_before_what_serves() -> None:
    failed = replace(
        _ROLLOUT,
        state=RolloutState.ROLLED_BACK,
        failure=Failure(summary="Tasks cannot start", reason="CannotPullContainerError."),
        outcome="v1 is serving again.",
    )
    assert rollout_document(failed)["outcome"] == (
        "Tasks cannot start: CannotPullContainerError. v1 is serving again."
    )


def test_mentions_are_plain_ids() -> None:
    rejected = replace(
        _ROLLOUT, state=RolloutState.REJECTED, outcome="Rejected by <@U02BOB>: ask <!subteam^S1>"
    )
    assert rollout_document(rejected)["outcome"] == "Rejected by U02BOB: ask S1"


@pytest.mark.parametrize(
    ("release", "shown"),
    [
        (_V1, "acme/myapp@sha256:11"),
        (Release(version="main", artifact="main", pin="4f3c"), "4f3c"),
        (Release(version="main", artifact="main"), "main"),
    ],
    ids=["pin in the artifact", "pin beside it", "no pin"],
)
def test_an_artifact_shows_its_pin(release: Release, shown: str) -> None:
    assert pinned(release) == shown


@pytest.mark.parametrize(
    ("at", "written"),
    [
        (_NOON, "2026-03-01T12:00:00Z"),
        (_NOON.replace(microsecond=5), "2026-03-01T12:00:00.000005Z"),
        (_NOON.astimezone(timezone(timedelta(hours=2))), "2026-03-01T12:00:00Z"),
    ],
    ids=["whole", "fraction", "another zone"],
)
def test_times_are_rfc_3339_in_utc(at: datetime, written: str) -> None:
    assert timestamp(at) == written


def test_show_adds_the_timeline() -> None:
    event = AuditEvent(
        at=_NOON,
        actor=_ALICE,
        action="rollout.requested",
        subject="D-1042",
        detail={"version": "v2"},
    )
    document = show_document(RolloutReport(rollout=_ROLLOUT, timeline=(event,)))
    assert document["id"] == "D-1042"
    assert document["timeline"] == [
        {
            "at": "2026-03-01T12:00:00Z",
            "by": "U01ALICE",
            "action": "rollout.requested",
            "detail": {"version": "v2"},
        }
    ]


def test_history_carries_the_cursor() -> None:
    document = history_document(HistoryPage((_ROLLOUT,), 1042))
    assert [r["id"] for r in document["rollouts"]] == ["D-1042"]
    assert document["next"] == 1042


def test_status_tells_what_serves_the_lock_and_the_last_rollout() -> None:
    health = TargetHealth(version="v2", artifact="a", desired=3, healthy=2, state="degraded")
    lock = TargetLock(
        project="myapp", environment="prod", actor=_BOB, reason="db", at=_NOON, until=None
    )
    report = TargetReport(
        target=_TARGET, health=health, trouble="", lock=lock, active=None, last=_ROLLOUT
    )
    (document,) = fleet_document([report], [])["targets"]
    assert document["last_rollout"] == rollout_document(_ROLLOUT)
    assert {k: v for k, v in document.items() if k != "last_rollout"} == {
        "project": "myapp",
        "environment": "prod",
        "provider": "aws",
        "version": "v2",
        "desired": 3,
        "healthy": 2,
        "state": "degraded",
        "detail": "",
        "lock": {"by": "U02BOB", "reason": "db", "at": "2026-03-01T12:00:00Z", "until": None},
        "alerts": [],
    }


def test_a_target_names_the_alerts_that_are_open_on_it() -> None:
    report = TargetReport(
        target=_TARGET, health=None, trouble="", lock=None, active=None, last=None
    )
    well = make_alert(id=18, led_by=17, well_at=_NOON)
    groups = [AlertGroup(make_alert(), (well,)), AlertGroup(make_alert(id=19, environment="qa"))]

    (document,) = fleet_document([report], groups)["targets"]

    assert document["alerts"] == [alert_document(make_alert())]


def test_a_platform_that_does_not_answer_is_unknown_and_says_why() -> None:
    report = TargetReport(
        target=_TARGET, health=None, trouble="no answer", lock=None, active=None, last=None
    )
    (document,) = fleet_document([report], [])["targets"]
    assert (document["state"], document["detail"]) == ("unknown", "no answer")
    assert (document["version"], document["desired"], document["healthy"]) == (None, None, None)


def test_units_that_are_not_counted_are_null() -> None:
    health = TargetHealth(version="v2", artifact="a", desired=-1, healthy=-1, state="healthy")
    report = TargetReport(
        target=_TARGET, health=health, trouble="", lock=None, active=None, last=None
    )
    (document,) = fleet_document([report], [])["targets"]
    assert (document["desired"], document["healthy"]) == (None, None)


def test_why_tells_obstacles_and_whose_votes_are_needed() -> None:
    answer = Answer(
        obstacles=(Blocked("Locked by <@U02BOB>.", hint="Wait."),),
        rule=ApprovalRule(required=2, voters=frozenset({"U02BOB", "S01OPS"})),
    )
    held = {_ROLLOUT.id: Blocked("Locked by <@U02BOB>.", hint="Wait.")}
    found = Obstacles(
        target=_TARGET, answer=answer, active=_ROLLOUT, waiting=(_ROLLOUT,), held=held
    )
    assert why_document(found) == {
        "project": "myapp",
        "environment": "prod",
        "obstacles": [{"message": "Locked by U02BOB.", "hint": "Wait."}],
        "approvals_required": 2,
        "approvals_from": ["S01OPS", "U02BOB"],
        "active": "D-1042",
        "waiting": ["D-1042"],
        "held": {"D-1042": {"message": "Locked by U02BOB.", "hint": "Wait."}},
    }


def test_a_plan_tells_what_would_change() -> None:
    plan = Plan(
        target=_TARGET,
        resolution=Resolution(release=_V2, current=_V1, changes=("v1 → v2",), warnings=("slow",)),
        answer=Answer(obstacles=(), rule=None),
        behind=None,
    )
    assert plan_document(plan) == {
        "project": "myapp",
        "environment": "prod",
        "provider": "aws",
        "version": "v2",
        "artifact": "acme/myapp@sha256:22",
        "previous": "v1",
        "changes": ["v1 → v2"],
        "warnings": ["slow"],
        "obstacles": [],
        "approvals_required": 0,
        "behind": None,
        "start_at": None,
    }


def test_logs_are_lines() -> None:
    assert logs_document("myapp", "prod", ["a", "b"])["lines"] == ["a", "b"]
