"""The fleet, for the one who asked: a line for each target, what is wrong with it named."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.slack.views.alert_words import label_words
from handlers.slack.views.blocks import (
    Message,
    bold,
    clock,
    code,
    context,
    dots,
    message,
    one_line,
    paragraphs,
    person,
    said,
    section,
    typed,
)
from handlers.slack.views.reports import brief, lock_span
from handlers.states import (
    alert_circle,
    alert_names,
    alert_state,
    concerned,
    rollout_words,
    troubles_at,
    unreviewed_words,
)
from operations.deployment.inquiries import TargetReport
from operations.deployment.ports import TargetHealth
from operations.deployment.rollout import Rollout
from operations.durations import say_duration
from operations.monitoring.grouping import AlertGroup

_CIRCLES = {"healthy": "🟢", "degraded": "🔴", "deploying": "🔵", "down": "🔴"}
_CHECKS = "what checks say: `monitor list`"
_SHOWN = 60
_ALERTS_SHOWN = 3


def fleet(
    reports: Sequence[TargetReport],
    now: datetime,
    alerts: Sequence[AlertGroup] = (),
    unreviewed: Sequence[Rollout] = (),
) -> Message:
    """One line per target, with its alerts, and how many emergencies nobody has looked at."""
    found = [(report, _alerts_of(report, alerts)) for report in reports]
    ailing = sum(1 for report, troubles in found if troubles or _is_ailing(report))
    head = dots(
        f"{len(reports)} {'target' if len(reports) == 1 else 'targets'}", _attention(ailing)
    )
    lines = [_line(report, troubles, now) for report, troubles in found[:_SHOWN]]
    hidden = len(reports) - _SHOWN
    more = f"{hidden} more: name a project, `status PROJECT`" if hidden > 0 else ""
    marked = f"🚨 {said(unreviewed_words(unreviewed))}" if unreviewed else ""
    nobodys = _nobodys([group for _, troubles in found for group in troubles])
    return message(
        f"Fleet: {head}",
        [
            section(f"*Fleet* · {head}"),
            *paragraphs(lines),
            context(said(more), marked, said(nobodys), said(_CHECKS)),
        ],
    )


def _alerts_of(report: TargetReport, alerts: Sequence[AlertGroup]) -> list[AlertGroup]:
    return troubles_at(report.target.project, report.target.environment, alerts)


def _is_ailing(report: TargetReport) -> bool:
    return report.health is None or _CIRCLES.get(report.health.state, "🟣") not in {"🟢", "🔵"}


def _attention(ailing: int) -> str:
    return (
        f"{ailing} {'needs' if ailing == 1 else 'need'} attention"
        if ailing
        else "all well, no alert open"
    )


def _nobodys(groups: Sequence[AlertGroup]) -> str:
    """How to say that one looks after an alert, while nobody does after one of these."""
    label = next((g.leader.label for g in groups if g.leader.acknowledged_by is None), "")
    return f"`ack {label}`: you look after it" if label else ""


def _line(report: TargetReport, troubles: Sequence[AlertGroup], now: datetime) -> str:
    target = report.target
    told = [_alert_words(group, now) for group in troubles[:_ALERTS_SHOWN]]
    head = f"{_circle(report, troubles)} {_health_words(report)}"
    if told and not _is_ailing(report):
        head = f"{head} {told.pop(0)}"
    return dots(
        head,
        *told,
        f"{len(troubles) - _ALERTS_SHOWN} more alerts" if len(troubles) > _ALERTS_SHOWN else "",
        f"🔒 locked by {person(report.lock.actor)} {lock_span(report.lock, now)}"
        + (f" “{typed(report.lock.reason, 80)}”" if report.lock.reason else "")
        if report.lock
        else "",
        f"🔵 {brief(report.active)}" if report.active else _last_words(report.last, now),
        one_line(target.spec.title, 80),
    )


def _circle(report: TargetReport, troubles: Sequence[AlertGroup]) -> str:
    """The platform's own, unless all is well to it and people were alerted all the same."""
    own = _CIRCLES.get(report.health.state, "🟣") if report.health else "🟣"
    told = [alert_circle(group) for group in troubles] if own in {"🟢", "🔵"} else []
    return "🔴" if "🔴" in told else next(iter(told), own)


def _alert_words(group: AlertGroup, now: datetime) -> str:
    """`failing since 14:02: web · A-17`."""
    failing = concerned(group)
    since = clock(min(alert.since for alert in failing), now)
    return dots(
        f"{alert_state(group).lower()} since {since}: {one_line(alert_names(failing, 90))}",
        label_words(group.leader),
    )


def _health_words(report: TargetReport) -> str:
    health = report.health
    name = f"{bold(report.target.project, 80)} {one_line(report.target.environment, 60)}"
    if health is None:
        return f"{name} cannot tell: {one_line(report.trouble, 120)}"
    word = "" if health.state == "healthy" else one_line(health.state, 30)
    detail = one_line(health.detail, 100) if word and health.detail else ""
    return dots(
        " ".join(filter(None, [name, code(health.version or "?", 60), _count(health), word])),
        detail,
    )


def _count(health: TargetHealth) -> str:
    return f"{health.healthy}/{health.desired}" if health.desired >= 0 else ""


def _last_words(last: Rollout | None, now: datetime) -> str:
    if last is None:
        return ""
    at = last.ended_at or last.requested_at
    told = f"{one_line(last.release.version, 60)} {rollout_words(last).lower()}"
    return f"{last.name} {told} {say_duration(now - at)} ago, {person(last.requested_by)}"
