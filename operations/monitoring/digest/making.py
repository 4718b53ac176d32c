"""A digest's numbers from what the database tells: pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.monitoring.alert import Alert
from operations.monitoring.check import Check, CheckRecord, Flip
from operations.monitoring.digest.digest import (
    SUCCEEDED,
    Alerts,
    EndedRollout,
    Errors,
    GroupLine,
    OpenAlert,
    ProjectErrors,
    Rollouts,
    Uptime,
)
from operations.monitoring.digest.ports import AlertTimes, HourCount, WatchChange
from operations.monitoring.digest.span import Span
from operations.monitoring.digest.uptime import History, uptime

GROUPS = 10
ALERTS = 20
FAILURES = 20
MARKS = 200
UNREVIEWED = 20
"""How many of each a digest names at most."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Hour counts of the span, of the day before and of the week before."""

    span: Sequence[HourCount]
    day_before: Sequence[HourCount]
    week_before: Sequence[HourCount]


def errors_of(
    counted: Counted,
    hours: Span,
    before: Span,
    new: tuple[Sequence[GroupLine], int],
    worst: Sequence[GroupLine],
) -> Errors:
    """`hours` and `before` are the hours of the span and of the day before; new groups are not told twice."""
    listed, count = new
    ids = {group.id for group in listed}
    return Errors(
        projects=_by_project(counted),
        hours=_by_hour(counted.span, hours),
        hours_before=_by_hour(counted.day_before, before),
        new=tuple(listed),
        new_count=count,
        worst=tuple(group for group in worst if group.id not in ids)[:GROUPS],
    )


def _by_project(counted: Counted) -> tuple[ProjectErrors, ...]:
    """The loudest first; a project that was silent in all three spans is left out."""
    now, day, week = (
        _totals(rows) for rows in (counted.span, counted.day_before, counted.week_before)
    )
    lines = [
        ProjectErrors(project=name, count=now[name], day_before=day[name], week_before=week[name])
        for name in {**now, **day, **week}
    ]
    return tuple(sorted(lines, key=lambda line: (-line.count, -line.day_before, line.project)))


def _totals(rows: Iterable[HourCount]) -> Mapping[str, int]:
    totals: dict[str, int] = defaultdict(int)
    for row in rows:
        totals[row.project] += row.count
    return totals


def _by_hour(rows: Iterable[HourCount], hours: Span) -> tuple[int, ...]:
    counts = [0] * (hours.length // _HOUR)
    for row in rows:
        counts[(row.hour - hours.since) // _HOUR] += row.count
    return tuple(counts)


def alerts_of(found: Sequence[AlertTimes], still_open: Sequence[Alert], span: Span) -> Alerts:
    """`found` are those that something happened to in the span, `still_open` all that are open.

    An alert that is told in another's message is left out, as people were told of one.
    """
    still_open = [alert for alert in still_open if alert.led_by is None]
    to_acknowledge = [
        alert.acknowledged_at - alert.fired_at
        for alert in found
        if alert.acknowledged_at is not None and _is_within(alert.acknowledged_at, span)
    ]
    to_resolve = [
        alert.resolved_at - alert.fired_at
        for alert in found
        if alert.resolved_at is not None and _is_within(alert.resolved_at, span)
    ]
    return Alerts(
        fired=sum(_is_within(alert.fired_at, span) for alert in found),
        acknowledged=len(to_acknowledge),
        resolved=len(to_resolve),
        to_acknowledge=_median(to_acknowledge),
        to_resolve=_median(to_resolve),
        open=tuple(_open_alert(alert) for alert in still_open[:ALERTS]),
        open_count=len(still_open),
    )


def _median(spans: Sequence[timedelta]) -> timedelta | None:
    """The middle one, or the middle between the two in the middle."""
    ordered = sorted(spans)
    if not ordered:
        return None
    lower, upper = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return lower + (upper - lower) / 2


def _is_within(at: datetime, span: Span) -> bool:
    return span.since <= at < span.until


def _open_alert(alert: Alert) -> OpenAlert:
    return OpenAlert(
        id=alert.id,
        name=alert.name,
        project=alert.project,
        environment=alert.environment,
        since=alert.since,
    )


def rollouts_of(
    ended: Sequence[EndedRollout], unreviewed: tuple[Sequence[EndedRollout], int] = ((), 0)
) -> Rollouts:
    """How the rollouts went, and which emergencies are to be looked at, with how many there are."""
    listed, count = unreviewed
    failures = tuple(rollout for rollout in ended if rollout.has_failed)
    live = tuple(rollout for rollout in ended if rollout.state == SUCCEEDED)
    touched = [r for r in ended if r.has_failed or r.state == SUCCEEDED]
    return Rollouts(
        live=len(live),
        failed=len(failures),
        withdrawn=len(ended) - len(live) - len(failures),
        failures=failures[-FAILURES:],
        marks=tuple(touched[-MARKS:]),
        unreviewed=tuple(listed),
        unreviewed_count=count,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is known of all checks since the span began."""

    checks: Sequence[Check]
    records: Sequence[CheckRecord]
    flips: Sequence[Flip]
    changes: Sequence[WatchChange]


def uptimes_of(watched: Watched, span: Span) -> tuple[Uptime, ...]:
    """The worst first, those of which nothing is known last."""
    records = {record.check_id: record for record in watched.records}
    flips: dict[str, list[Flip]] = defaultdict(list)
    for flip in watched.flips:
        flips[flip.check_id].append(flip)
    changes: dict[str, list[WatchChange]] = defaultdict(list)
    for change in watched.changes:
        changes[change.check_id].append(change)
    found = [
        uptime(
            check,
            History(
                records.get(check.id, CheckRecord(check_id=check.id)),
                flips[check.id],
                changes[check.id],
            ),
            span,
        )
        for check in watched.checks
    ]
    return tuple(sorted(found, key=_badness))


def _badness(line: Uptime) -> tuple[bool, int, str]:
    share = line.permyriad
    return share is None, 0 if share is None else share, line.check_id
