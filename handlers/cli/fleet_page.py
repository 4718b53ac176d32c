"""The fleet in a terminal: one target a line, and below what people were alerted of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from handlers.cli.pages import styled
from handlers.cli.tables import print_table
from handlers.cli.terminal import Terminal
from handlers.cli.wording import clock_time, who
from handlers.standing import Standing
from handlers.states import alert_names, alert_state, concerned, rollout_words, troubles_at
from operations.deployment.inquiries import TargetReport
from operations.deployment.rollout import TargetLock
from operations.monitoring.grouping import AlertGroup

if TYPE_CHECKING:
    from rich.text import Text

_COLUMNS = ("Target", "On", "Serves", "Healthy", "State", "Lock", "Last")


def print_fleet(
    reports: Sequence[TargetReport], alerts: Sequence[AlertGroup], terminal: Terminal
) -> None:
    """Alerts of other targets are left out."""
    found = [(r, troubles_at(r.target.project, r.target.environment, alerts)) for r in reports]
    rows = [_row(report, groups, terminal) for report, groups in found]
    print_table(_COLUMNS, rows, terminal, spared="On")
    terminal.say(_alert_lines([group for _, groups in found for group in groups], terminal))


def _alert_lines(groups: Sequence[AlertGroup], terminal: Terminal) -> Iterator[str]:
    """`A-17 failing since 14:02: web of myapp/prod`, and who looks after it."""
    if groups:
        yield ""
    for group in groups:
        leader, failing = group.leader, concerned(group)
        since = clock_time(min(alert.since for alert in failing))
        by = leader.acknowledged_by
        yield (
            f"{leader.label} {alert_state(group).lower()} since {since}: "
            f"{alert_names(failing, 90)} of {leader.target_name}"
            + (f", {who(by, terminal.names)} looks after it" if by else f" · `ack {leader.label}`")
        )


def _row(
    report: TargetReport, groups: Sequence[AlertGroup], terminal: Terminal
) -> list[str | Text]:
    health = report.health
    counted = f"{health.healthy} of {health.desired}" if health and health.desired >= 0 else "–"
    state = health.state if health else "unknown"
    detail = health.detail if health else report.trouble
    words = f"{state}: {detail}" if detail and state != "healthy" else state
    labels = [group.leader.label for group in groups]
    moving = report.active or report.last
    return [
        report.target.name,
        report.target.spec.title,
        health.version if health else "–",
        counted,
        styled(", ".join([words, *labels]), Standing.FAILING.value if labels else state),
        _lock_words(report.lock, terminal) if report.lock else "",
        f"{moving.name} {rollout_words(moving)}" if moving else "",
    ]


def _lock_words(lock: TargetLock, terminal: Terminal) -> str:
    until = f" until {clock_time(lock.until)}" if lock.until else ""
    return f"{who(lock.actor, terminal.names)}{until}" + (f": {lock.reason}" if lock.reason else "")
