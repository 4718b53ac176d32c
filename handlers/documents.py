"""The JSON documents of the public interface, for the command line and the HTTP API alike.

Their keys are a promise: what is here may gain keys and loses none. Not the place for what people read.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypedDict

from operations.audit import AuditEvent
from operations.deployment.inquiries import Obstacles, RolloutReport
from operations.deployment.release import Release
from operations.deployment.requests import Plan
from operations.deployment.rollout import HistoryPage, Rollout, TargetLock
from operations.errors import OperationError

_MENTION = re.compile(r"<(?:@|!subteam\^)([A-Z0-9]+)>")


class ApprovalDocument(TypedDict):
    """One vote in favour."""

    by: str
    at: str


class RolloutDocument(TypedDict):
    """`artifact` is what the version was pinned to, `outcome` why it ended as it did.

    `start_at` null: as soon as it may. `reviewed_by` and `reviewed_at` are of emergencies.
    """

    id: str
    project: str
    environment: str
    provider: str
    kind: str
    state: str
    version: str
    artifact: str
    previous: str | None
    requested_by: str
    requested_at: str
    reason: str
    external_id: str
    emergency: bool
    approvals: list[ApprovalDocument]
    approvals_required: int
    expires_at: str | None
    started_at: str | None
    ended_at: str | None
    outcome: str | None
    start_at: str | None
    reviewed_by: str | None
    reviewed_at: str | None


class EventDocument(TypedDict):
    """One thing that happened, as the audit trail has it."""

    at: str
    by: str
    action: str
    detail: dict[str, str]


class RolloutWithTimeline(RolloutDocument):
    """`show`: the rollout, and what happened to it, oldest first."""

    timeline: list[EventDocument]


class HistoryDocument(TypedDict):
    """A page of history, newest first; `next` is the cursor of the following page."""

    rollouts: list[RolloutDocument]
    next: int | None


class LockDocument(TypedDict):
    """A person's hold on a target. `until` null: until somebody unlocks."""

    by: str
    reason: str
    at: str
    until: str | None


class ObstacleDocument(TypedDict):
    """What stands in the way, and who or what can lift it."""

    message: str
    hint: str


class WhyDocument(TypedDict):
    """`why`. `approvals_from` empty: anyone who may deploy there.

    `held`: what holds back those of `waiting` that are agreed to, by the rollout's name.
    """

    project: str
    environment: str
    obstacles: list[ObstacleDocument]
    approvals_required: int
    approvals_from: list[str]
    active: str | None
    waiting: list[str]
    held: dict[str, ObstacleDocument]


class PlanDocument(TypedDict):
    """`deploy --dry-run`: what would ship, and what would stand in the way."""

    project: str
    environment: str
    provider: str
    version: str
    artifact: str
    previous: str | None
    changes: list[str]
    warnings: list[str]
    obstacles: list[ObstacleDocument]
    approvals_required: int
    behind: str | None
    start_at: str | None


class LogsDocument(TypedDict):
    """`logs`, oldest line first."""

    project: str
    environment: str
    lines: list[str]


def rollout_document(rollout: Rollout) -> RolloutDocument:
    """One rollout."""
    return {
        "id": rollout.name,
        "project": rollout.project,
        "environment": rollout.environment,
        "provider": rollout.provider,
        "kind": rollout.kind.value,
        "state": rollout.state.value,
        "version": rollout.release.version,
        "artifact": pinned(rollout.release),
        "previous": rollout.previous.version if rollout.previous else None,
        "requested_by": rollout.requested_by.id,
        "requested_at": timestamp(rollout.requested_at),
        "reason": rollout.reason,
        "external_id": rollout.external_id,
        "emergency": rollout.emergency,
        "approvals": [{"by": v.actor.id, "at": timestamp(v.at)} for v in rollout.approvals],
        "approvals_required": rollout.votes_required,
        "expires_at": timestamp_or_none(rollout.expires_at),
        "started_at": timestamp_or_none(rollout.started_at),
        "ended_at": timestamp_or_none(rollout.ended_at),
        "outcome": bare(why_it_ended(rollout)) or None,
        "start_at": timestamp_or_none(rollout.start_at),
        "reviewed_by": rollout.review.actor.id if rollout.review else None,
        "reviewed_at": timestamp(rollout.review.at) if rollout.review else None,
    }


def show_document(report: RolloutReport) -> RolloutWithTimeline:
    """One rollout with its timeline."""
    timeline = [event_document(event) for event in report.timeline]
    return {**rollout_document(report.rollout), "timeline": timeline}


def history_document(page: HistoryPage) -> HistoryDocument:
    """A page of history."""
    return {"rollouts": [rollout_document(r) for r in page.rollouts], "next": page.next}


def lock_document(lock: TargetLock) -> LockDocument:
    """One lock."""
    return {
        "by": lock.actor.id,
        "reason": lock.reason,
        "at": timestamp(lock.at),
        "until": timestamp_or_none(lock.until),
    }


def why_document(obstacles: Obstacles) -> WhyDocument:
    """What stands in the way."""
    rule = obstacles.answer.rule
    return {
        "project": obstacles.target.project,
        "environment": obstacles.target.environment,
        "obstacles": [_obstacle(error) for error in obstacles.answer.obstacles],
        "approvals_required": obstacles.answer.votes_required,
        "approvals_from": sorted(rule.voters) if rule else [],
        "active": obstacles.active.name if obstacles.active else None,
        "waiting": [rollout.name for rollout in obstacles.waiting],
        "held": {f"D-{each}": _obstacle(error) for each, error in obstacles.held.items()},
    }


def plan_document(plan: Plan) -> PlanDocument:
    """A dry run."""
    found = plan.resolution
    return {
        "project": plan.target.project,
        "environment": plan.target.environment,
        "provider": plan.target.provider,
        "version": found.release.version,
        "artifact": pinned(found.release),
        "previous": found.current.version if found.current else None,
        "changes": list(found.changes),
        "warnings": list(found.warnings),
        "obstacles": [_obstacle(error) for error in plan.answer.obstacles],
        "approvals_required": plan.answer.votes_required,
        "behind": plan.behind.name if plan.behind else None,
        "start_at": timestamp_or_none(plan.start_at),
    }


def logs_document(project: str, environment: str, lines: Sequence[str]) -> LogsDocument:
    """Lines of a log."""
    return {"project": project, "environment": environment, "lines": list(lines)}


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC: `2026-03-01T12:00:00Z`, with a fraction only when there is one."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def pinned(release: Release) -> str:
    """The artifact with its immutable name, whichever of both holds it."""
    if not release.pin or release.pin in release.artifact:
        return release.artifact
    return release.pin


def why_it_ended(rollout: Rollout) -> str:
    """What went wrong, in the platform's words, and how it ended; "" while it goes on."""
    if not rollout.has_ended:
        return ""
    failure = rollout.failure
    wrong = (
        ": ".join(p.rstrip(".") for p in (failure.summary, failure.reason) if p) if failure else ""
    )
    return " ".join(part for part in (f"{wrong}." if wrong else "", rollout.outcome) if part)


def event_document(event: AuditEvent) -> EventDocument:
    """One thing that happened."""
    return {
        "at": timestamp(event.at),
        "by": event.actor.id,
        "action": event.action,
        "detail": {key: bare(value) for key, value in event.detail.items()},
    }


def _obstacle(error: OperationError) -> ObstacleDocument:
    return {"message": bare(error.message), "hint": bare(error.hint)}


def bare(text: str) -> str:
    """Slack's mentions as plain ids."""
    return _MENTION.sub(r"\1", text)


def timestamp_or_none(at: datetime | None) -> str | None:
    """The same of a time that may not have come."""
    return timestamp(at) if at else None
