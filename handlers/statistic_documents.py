"""The JSON document of `stats`; as with all documents, it may gain keys and loses none."""

from __future__ import annotations

from typing import TypedDict

from handlers.documents import timestamp
from operations.deployment.statistics import EnvironmentFigures, Middle, Statistics


class MiddleDocument(TypedDict):
    """A median in seconds, of so many; null of none."""

    median_seconds: float | None
    count: int


class EnvironmentFiguresDocument(TypedDict):
    """`change_failure_rate` is between 0 and 1, null where there was no change.

    `rollouts` counts by state; `rollbacks` are those asked for; `deploys` went live.
    """

    environment: str
    rollouts: dict[str, int]
    rollbacks: int
    deploys: int
    deploys_per_week: float
    days_with_deploys: int
    changes: int
    failed_changes: int
    unrestored_changes: int
    change_failure_rate: float | None
    time_to_restore: MiddleDocument
    lead_time: MiddleDocument
    duration: MiddleDocument
    approval_wait: MiddleDocument


class StatisticsDocument(TypedDict):
    """`stats`. `project` null: all of them."""

    project: str | None
    since: str
    until: str
    environments: list[EnvironmentFiguresDocument]


def statistics_document(found: Statistics) -> StatisticsDocument:
    """All environments."""
    return {
        "project": found.project or None,
        "since": timestamp(found.since),
        "until": timestamp(found.until),
        "environments": [_environment(each, found.weeks) for each in found.environments],
    }


def _environment(figures: EnvironmentFigures, weeks: float) -> EnvironmentFiguresDocument:
    return {
        "environment": figures.environment,
        "rollouts": {state.value: count for state, count in figures.outcomes.items()},
        "rollbacks": figures.rollbacks,
        "deploys": figures.live,
        "deploys_per_week": round(figures.live / weeks, 3),
        "days_with_deploys": figures.days,
        "changes": figures.changes,
        "failed_changes": figures.failures,
        "unrestored_changes": figures.unrestored,
        "change_failure_rate": figures.failure_rate,
        "time_to_restore": _middle(figures.restore),
        "lead_time": _middle(figures.lead),
        "duration": _middle(figures.duration),
        "approval_wait": _middle(figures.wait),
    }


def _middle(middle: Middle) -> MiddleDocument:
    seconds = middle.span.total_seconds() if middle.span is not None else None
    return {"median_seconds": seconds, "count": middle.count}
