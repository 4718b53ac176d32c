"""Values for tests: each with everything filled in, each detail changeable by keyword."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from operations.actor import Actor, ActorKind
from operations.deployment.release import Release
from operations.deployment.rollout import Rollout, RolloutKind, RolloutState
from operations.deployment.target import ApprovalRule, Catalog, Target

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # a Monday

ALICE = Actor(id="U01ALICE", kind=ActorKind.SLACK, name="alice")
BOB = Actor(id="U02BOB", kind=ActorKind.SLACK, name="bob")
CAROL = Actor(id="U03CAROL", kind=ActorKind.SLACK, name="carol")
NOBODY = Actor(id="cli:mallory", kind=ActorKind.CLI, name="mallory")

OLD = Release(version="1.0", artifact="acme/myapp@sha256:aaa", pin="sha256:aaa")
NEW = Release(version="1.1", artifact="acme/myapp@sha256:bbb", pin="sha256:bbb")


@dataclass(frozen=True)
class PlainSpec:
    """A provider's part of a target, for tests that need no provider in particular."""

    provider: str = "k8s"
    title: str = "Kubernetes default/web"
    identity: str = "k8s:default:web"


def make_target(**changes: object) -> Target:
    """myapp/prod: one vote of anybody who may deploy, nothing else in the way."""
    plain = Target(
        project="myapp",
        environment="prod",
        spec=PlainSpec(),
        channel="C01GEN",
        approval=ApprovalRule(required=1),
        timeout=timedelta(seconds=5),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


def make_catalog(*targets: Target) -> Catalog:
    """The targets given, or myapp/prod and an open myapp/staging."""
    return Catalog(targets or (make_target(), make_target(environment="staging", approval=None)))


def make_rollout(**changes: object) -> Rollout:
    """D-1042: Alice asks for myapp 1.1 in prod; it waits for one vote."""
    plain = Rollout(
        id=1042,
        project="myapp",
        environment="prod",
        provider="k8s",
        kind=RolloutKind.DEPLOY,
        release=NEW,
        previous=OLD,
        requested_by=ALICE,
        requested_at=NOON,
        reason="rounding fix",
        channel="C01GEN",
        state=RolloutState.PENDING_APPROVAL,
        votes_required=1,
        expires_at=NOON + timedelta(hours=1),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself
