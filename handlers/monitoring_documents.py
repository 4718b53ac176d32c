"""The JSON documents of checks and alerts; see `documents`, whose promise holds here too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TypedDict

from handlers.documents import (
    EventDocument,
    event_document,
    timestamp,
    timestamp_or_none,
)
from operations.actor import Actor
from operations.monitoring.alert import Alert, AlertPage
from operations.monitoring.alert_inquiries import AlertReport
from operations.monitoring.alerting import CheckReport
from operations.monitoring.check import Check, Observation
from operations.redaction import redact


class AnswerDocument(TypedDict):
    """The newest answer. `outcome`: `ok`, `failing`, `error` or `inconclusive`."""

    outcome: str
    at: str
    detail: str
    took_seconds: float


class AlertDocument(TypedDict):
    """`since` is the first miss; `rollout` what was under way or had just ended on the target.

    `source` is the system that raised it, null for our own checks. `told_in` is the alert in whose
    message it is told as both share a cause, `well_at` when its own check was well though not all are.
    """

    id: str
    check: str
    name: str
    project: str
    environment: str
    state: str
    since: str
    seen: int
    reason: str
    flapping: bool
    cannot_be_asked: bool
    rollout: str | None
    source: str | None
    told_in: str | None
    well_at: str | None
    escalated_at: str | None
    acknowledged_by: str | None
    acknowledged_at: str | None
    silenced_until: str | None
    resolved_at: str | None
    resolved_by: str | None


class AlertWithTimeline(AlertDocument):
    """The alert, and what happened to it, oldest first."""

    timeline: list[EventDocument]


class AlertsDocument(TypedDict):
    """A page of alerts, newest first; `next` is the cursor of the following page."""

    alerts: list[AlertDocument]
    next: int | None


class CheckDocument(TypedDict):
    """`state`: `ok`, `failing` or `unknown`, by the answers so far; it stands still while stopped."""

    id: str
    name: str
    project: str
    environment: str
    kind: str
    url: str | None
    every_seconds: float
    state: str
    flapping: bool
    stopped_by: str | None
    last: AnswerDocument | None
    alert: AlertDocument | None


class ChecksDocument(TypedDict):
    """`monitor list`."""

    checks: list[CheckDocument]


def checks_document(reports: Iterable[CheckReport]) -> ChecksDocument:
    """What is watched, and how it is."""
    return {"checks": [_check_document(report) for report in reports]}


def alert_document(alert: Alert) -> AlertDocument:
    """One alert."""
    return {
        "id": alert.label,
        "check": alert.check_id,
        "name": alert.name,
        "project": alert.project,
        "environment": alert.environment,
        "state": alert.state.value,
        "since": timestamp(alert.since),
        "seen": alert.seen,
        "reason": alert.reason,
        "flapping": alert.is_flapping,
        "cannot_be_asked": alert.is_unasked,
        "rollout": alert.rollout or None,
        "source": alert.source or None,
        "told_in": f"A-{alert.led_by}" if alert.led_by else None,
        "well_at": timestamp_or_none(alert.well_at),
        "escalated_at": timestamp_or_none(alert.escalated_at),
        "acknowledged_by": _id(alert.acknowledged_by),
        "acknowledged_at": timestamp_or_none(alert.acknowledged_at),
        "silenced_until": timestamp_or_none(alert.silenced_until),
        "resolved_at": timestamp_or_none(alert.resolved_at),
        "resolved_by": _id(alert.resolved_by),
    }


def alerts_document(page: AlertPage) -> AlertsDocument:
    """A page of alerts."""
    return {"alerts": [alert_document(alert) for alert in page.alerts], "next": page.next}


def alert_report_document(report: AlertReport) -> AlertWithTimeline:
    """One alert with its timeline."""
    timeline = [event_document(event) for event in report.timeline]
    return {**alert_document(report.alert), "timeline": timeline}


def _check_document(report: CheckReport) -> CheckDocument:
    check, record = report.check, report.record
    return {
        "id": check.id,
        "name": check.name,
        "project": check.project,
        "environment": check.environment,
        "kind": check.kind.value,
        "url": _address(check),
        "every_seconds": check.every / timedelta(seconds=1),
        "state": record.state.value,
        "flapping": record.is_flapping,
        "stopped_by": record.stopped_by or None,
        "last": _answer_document(record.last) if record.last else None,
        "alert": alert_document(report.alert) if report.alert else None,
    }


def _address(check: Check) -> str | None:
    return redact(check.url) or None


def _answer_document(seen: Observation) -> AnswerDocument:
    return {
        "outcome": seen.outcome.value,
        "at": timestamp(seen.at),
        "detail": seen.detail,
        "took_seconds": seen.took / timedelta(seconds=1),
    }


def _id(actor: Actor | None) -> str | None:
    return actor.id if actor else None
