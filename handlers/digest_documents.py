"""The JSON document of a digest; see `documents`, whose promise holds here too."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict

from handlers.documents import timestamp
from operations.monitoring.digest.digest import (
    Alerts,
    Digest,
    EndedRollout,
    Errors,
    GroupLine,
    OpenAlert,
    ProjectErrors,
    StoredDigest,
    Uptime,
)


class ProjectErrorsDocument(TypedDict):
    """Counts of the same hours of three days."""

    project: str
    count: int
    day_before: int
    week_before: int


class ErrorGroupLineDocument(TypedDict):
    """`count` is of the digest's hours."""

    id: str
    project: str
    environment: str
    title: str
    count: int
    release: str | None
    rollout: str | None


class DigestErrorsDocument(TypedDict):
    """`hours` begin with the digest's first hour; `new_count` counts also those that are not listed."""

    count: int
    day_before: int
    week_before: int
    projects: list[ProjectErrorsDocument]
    hours: list[int]
    hours_before: list[int]
    new: list[ErrorGroupLineDocument]
    new_count: int
    worst: list[ErrorGroupLineDocument]


class OpenAlertDocument(TypedDict):
    """An alert that was open when the digest was made."""

    id: str
    name: str
    project: str
    environment: str
    since: str


class DigestAlertsDocument(TypedDict):
    """The medians are null when nothing was acknowledged or resolved."""

    fired: int
    acknowledged: int
    resolved: int
    seconds_to_acknowledge: float | None
    seconds_to_resolve: float | None
    open: list[OpenAlertDocument]
    open_count: int


class EndedRolloutDocument(TypedDict):
    """`state`: how it ended; of a failure `failed`, `rolled_back` or `unknown`."""

    id: str
    project: str
    environment: str
    version: str
    state: str
    ended_at: str
    outcome: str


class DigestRolloutsDocument(TypedDict):
    """`withdrawn`: rejected, expired or cancelled. `unreviewed`: emergencies, the first few of so many."""

    live: int
    failed: int
    withdrawn: int
    failures: list[EndedRolloutDocument]
    unreviewed: list[EndedRolloutDocument]
    unreviewed_count: int


class UptimeDocument(TypedDict):
    """`uptime` is the share of the known time, 0 to 1, rounded down; null when nothing is known."""

    check: str
    name: str
    project: str
    environment: str
    uptime: float | None
    up_seconds: float
    down_seconds: float


class DigestDocument(TypedDict):
    """`id` is null for one that was only read. `late_seconds` is 0 when it was made in time."""

    id: str | None
    since: str
    until: str
    timezone: str
    late_seconds: float
    missed: int
    errors: DigestErrorsDocument
    alerts: DigestAlertsDocument
    rollouts: DigestRolloutsDocument
    checks: list[UptimeDocument]


def stored_digest_document(stored: StoredDigest) -> DigestDocument:
    """One that was posted."""
    return {**digest_document(stored.digest), "id": stored.label}


def digest_document(digest: Digest) -> DigestDocument:
    """One digest."""
    return {
        "id": None,
        "since": timestamp(digest.span.since),
        "until": timestamp(digest.span.until),
        "timezone": digest.zone,
        "late_seconds": _seconds(digest.late),
        "missed": digest.missed,
        "errors": _errors_document(digest.errors),
        "alerts": _alerts_document(digest.alerts),
        "rollouts": {
            "live": digest.rollouts.live,
            "failed": digest.rollouts.failed,
            "withdrawn": digest.rollouts.withdrawn,
            "failures": [_ended_document(rollout) for rollout in digest.rollouts.failures],
            "unreviewed": [_ended_document(rollout) for rollout in digest.rollouts.unreviewed],
            "unreviewed_count": digest.rollouts.unreviewed_count,
        },
        "checks": [_uptime_document(line) for line in digest.uptimes],
    }


def _errors_document(errors: Errors) -> DigestErrorsDocument:
    return {
        "count": errors.count,
        "day_before": errors.day_before,
        "week_before": errors.week_before,
        "projects": [_project_document(line) for line in errors.projects],
        "hours": list(errors.hours),
        "hours_before": list(errors.hours_before),
        "new": [_group_document(group) for group in errors.new],
        "new_count": errors.new_count,
        "worst": [_group_document(group) for group in errors.worst],
    }


def _project_document(line: ProjectErrors) -> ProjectErrorsDocument:
    return {
        "project": line.project,
        "count": line.count,
        "day_before": line.day_before,
        "week_before": line.week_before,
    }


def _group_document(group: GroupLine) -> ErrorGroupLineDocument:
    return {
        "id": group.label,
        "project": group.project,
        "environment": group.environment,
        "title": group.title,
        "count": group.count,
        "release": group.release or None,
        "rollout": group.rollout or None,
    }


def _alerts_document(alerts: Alerts) -> DigestAlertsDocument:
    return {
        "fired": alerts.fired,
        "acknowledged": alerts.acknowledged,
        "resolved": alerts.resolved,
        "seconds_to_acknowledge": _seconds_or_none(alerts.to_acknowledge),
        "seconds_to_resolve": _seconds_or_none(alerts.to_resolve),
        "open": [_open_document(alert) for alert in alerts.open],
        "open_count": alerts.open_count,
    }


def _open_document(alert: OpenAlert) -> OpenAlertDocument:
    return {
        "id": alert.label,
        "name": alert.name,
        "project": alert.project,
        "environment": alert.environment,
        "since": timestamp(alert.since),
    }


def _ended_document(rollout: EndedRollout) -> EndedRolloutDocument:
    return {
        "id": rollout.name,
        "project": rollout.project,
        "environment": rollout.environment,
        "version": rollout.version,
        "state": rollout.state,
        "ended_at": timestamp(rollout.ended_at),
        "outcome": rollout.outcome,
    }


def _uptime_document(line: Uptime) -> UptimeDocument:
    share = line.permyriad
    return {
        "check": line.check_id,
        "name": line.name,
        "project": line.project,
        "environment": line.environment,
        "uptime": None if share is None else share / 10_000,
        "up_seconds": _seconds(line.up),
        "down_seconds": _seconds(line.down),
    }


def _seconds(span: timedelta) -> float:
    return span / timedelta(seconds=1)


def _seconds_or_none(span: timedelta | None) -> float | None:
    return None if span is None else _seconds(span)
