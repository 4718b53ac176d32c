"""Private answers about checks and alerts: what is watched and how it is, and what became of a word."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.slack.views.alert_words import label_words
from handlers.slack.views.blocks import (
    Message,
    bold,
    clock,
    context,
    dots,
    message,
    one_line,
    paragraphs,
    person,
    said,
    section,
)
from handlers.standing import Standing, count_words, say_last, standing_of
from operations.actor import Actor, ActorKind
from operations.durations import say_duration
from operations.monitoring.alert import Alert
from operations.monitoring.alerting import CheckReport
from operations.monitoring.check import Check

_CIRCLES = {
    Standing.OK: "🟢",
    Standing.FAILING: "🔴",
    Standing.FLAPPING: "🔴",
    Standing.UNHEARD: "🟣",
    Standing.UNASKED: "⚪",
    Standing.STOPPED: "⚪",
}
_SHOWN = 60


def standings(reports: list[CheckReport], now: datetime) -> Message:
    """One line per check."""
    head = count_words(reports)
    lines = [_line(report, now) for report in reports[:_SHOWN]]
    hidden = len(reports) - _SHOWN
    more = f"{hidden} more: name a project, `monitor list PROJECT`" if hidden > 0 else ""
    return message(
        f"Checks: {head}",
        [section(f"*Checks* · {head}"), *paragraphs(lines), context(said(more))],
    )


def stopped(checks: Sequence[Check]) -> Message:
    """Nobody asks them any more."""
    head = f"{_many(checks)} stopped: nobody is told should they fail."
    return _changed(head, checks, "start")


def started(checks: Sequence[Check]) -> Message:
    """They are asked again."""
    return _changed(f"{_many(checks)} started.", checks, "stop")


def acknowledged(alert: Alert) -> Message:
    """The asker looks after it now."""
    text = f"You look after {alert.label} now: {_named(alert)}."
    return message(text, [section(f"👀 {text}"), context(said(f"`silence {alert.label} 1h`"))])


def silenced(alert: Alert, now: datetime) -> Message:
    """Nothing more is said of it for a while."""
    until = clock(alert.silenced_until or now, now)
    text = f"{alert.label} is silent until {until}: {_named(alert)}."
    return message(
        text, [section(f"🔕 {text}"), context("That it is well again is told all the same.")]
    )


def _named(alert: Alert) -> str:
    return f"{one_line(alert.name, 60)} of {one_line(alert.target_name, 130)}"


def _changed(head: str, checks: Sequence[Check], undo: str) -> Message:
    lines = [f"• {bold(check.name, 80)} {one_line(check.target_name, 130)}" for check in checks]
    where = _common_place(checks)
    return message(
        head,
        [section(head), *paragraphs(lines[:_SHOWN]), context(said(f"`monitor {undo}{where}`"))],
    )


def _common_place(checks: Sequence[Check]) -> str:
    """The words that name these checks again, when they all are of one target or project."""
    projects = {check.project for check in checks}
    if len(projects) != 1:
        return ""
    environments = {check.environment for check in checks}
    place = [*projects, *environments] if len(environments) == 1 else [*projects]
    return "".join(f" {word}" for word in place)


def _many(checks: Sequence[Check]) -> str:
    return f"{len(checks)} {'check is' if len(checks) == 1 else 'checks are'}"


def _line(report: CheckReport, now: datetime) -> str:
    check, standing = report.check, standing_of(report)
    name = f"{bold(check.name, 80)} {one_line(check.target_name, 130)}"
    words = "" if standing is Standing.OK else f" {_standing_words(report, now)}"
    told = "" if standing is Standing.STOPPED else one_line(say_last(report), 160)
    return dots(
        f"{_CIRCLES[standing]} {name}{words}",
        told,
        label_words(report.alert) if report.alert else "",
        _asked_words(report, now),
    )


def _standing_words(report: CheckReport, now: datetime) -> str:
    standing = standing_of(report)
    if standing is Standing.STOPPED:
        return f"stopped by {person(Actor(id=report.record.stopped_by, kind=ActorKind.SLACK))}"
    since = report.alert.since if report.alert else report.record.first_bad_at
    if standing in {Standing.FAILING, Standing.FLAPPING} and since:
        return f"{standing.value} since {clock(since, now)}"
    return standing.value


def _asked_words(report: CheckReport, now: datetime) -> str:
    last = report.record.last
    return f"asked {say_duration(now - last.at)} ago" if last else ""
