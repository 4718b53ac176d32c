"""The JSON document of the fleet; see `documents`, whose promise holds here too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypedDict

from handlers.documents import LockDocument, RolloutDocument, lock_document, rollout_document
from handlers.monitoring_documents import AlertDocument, alert_document
from handlers.states import troubles_at
from operations.deployment.inquiries import TargetReport
from operations.monitoring.grouping import AlertGroup


class TargetDocument(TypedDict):
    """One target as it serves now; null where the platform does not tell, and `detail` says why.

    `alerts` are those that are open there and not well by themselves, the oldest first.
    """

    project: str
    environment: str
    provider: str
    version: str | None
    desired: int | None
    healthy: int | None
    state: str
    detail: str
    lock: LockDocument | None
    last_rollout: RolloutDocument | None
    alerts: list[AlertDocument]


class FleetDocument(TypedDict):
    """`status`."""

    targets: list[TargetDocument]


def fleet_document(reports: Iterable[TargetReport], alerts: Sequence[AlertGroup]) -> FleetDocument:
    """What serves now, and what people were alerted of."""
    return {"targets": [target_document(report, alerts) for report in reports]}


def target_document(report: TargetReport, alerts: Sequence[AlertGroup]) -> TargetDocument:
    """One target; `alerts` may be those of others too."""
    health, target = report.health, report.target
    troubles = troubles_at(target.project, target.environment, alerts)
    return {
        "project": target.project,
        "environment": target.environment,
        "provider": target.provider,
        "version": health.version or None if health else None,
        "desired": health.desired if health and health.desired >= 0 else None,
        "healthy": health.healthy if health and health.healthy >= 0 else None,
        "state": health.state if health else "unknown",
        "detail": health.detail if health else report.trouble,
        "lock": lock_document(report.lock) if report.lock else None,
        "last_rollout": rollout_document(report.last) if report.last else None,
        "alerts": [alert_document(alert) for group in troubles for alert in group.failing],
    }
