"""Groups of errors in a terminal: one a line, or one in full."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from handlers.cli.tables import print_table
from handlers.cli.terminal import Terminal
from handlers.cli.wording import clock_time, who
from handlers.error_queries import Found
from handlers.error_words import imported_words, meaning_of
from handlers.spark import spark_line
from operations.durations import say_duration
from operations.monitoring.errors.group import (
    ErrorGroup,
    GroupDetail,
    GroupReport,
    GroupState,
    Sample,
)

_COLUMNS = ("Id", "Where", "Level", "Count", "Last", "24 h", "Title")
_SAMPLES = 3


def print_groups(found: Found, terminal: Terminal) -> None:
    """One group a line; nothing when there is none."""
    if found.reports:
        rows = [_row(report) for report in found.reports]
        print_table(_COLUMNS, rows, terminal, spared="24 h")


def print_group(detail: GroupDetail, now: datetime, terminal: Terminal) -> None:
    """All that is known of a group."""
    report = detail.report
    group = report.group
    terminal.copy([f"{group.label} {one_line(group.title)}"])
    terminal.say(
        [
            f"{_state(group, terminal)} · {group.level.word} · {group.target_name}",
            f"{_counted(group)}, {sum(report.hours)} of them in the last 24 h"
            f"  {spark_line(report.hours)}",
            f"First {_when(group.first_seen, now, group.first_release)}",
            f"Last  {_when(group.last_seen, now, group.last_release)}",
            *_silence(group, now, terminal),
            *_meaning(group),
            "",
            *_changes(detail),
        ]
    )
    for sample in detail.samples[:_SAMPLES]:
        terminal.copy(["", *_sample_lines(sample)])


def _counted(group: ErrorGroup) -> str:
    times = "once" if group.count == 1 else f"{group.count} times"
    return ", ".join(part for part in (times, imported_words(group)) if part)


def one_line(text: str) -> str:
    """An outsider's text cannot pretend to be lines of ours."""
    return " ".join(text.split())


def _row(report: GroupReport) -> Sequence[str]:
    group = report.group
    return [
        group.label,
        group.target_name,
        group.level.word,
        f"{group.count}, imported" if group.is_imported else str(group.count),
        clock_time(group.last_seen),
        spark_line(report.hours),
        one_line(group.title),
    ]


def _state(group: ErrorGroup, terminal: Terminal) -> str:
    if group.state is GroupState.RESOLVED:
        by = f" by {who(group.resolved_by, terminal.names)}" if group.resolved_by else ""
        return f"Resolved{by} {clock_time(group.resolved_at)}"
    state = f"Open since {group.rollout}" if group.rollout else "Open"
    if not group.has_come_back:
        return state
    by = who(group.resolved_by, terminal.names) if group.resolved_by else "somebody"
    return f"{state}, came back after {by} resolved it {clock_time(group.resolved_at)}"


def _meaning(group: ErrorGroup) -> list[str]:
    said = meaning_of(group)
    return [said] if said else []


def _when(at: datetime, now: datetime, release: str) -> str:
    under = f" under {release}" if release else ""
    return f"{clock_time(at)} ({say_duration(now - at)} ago){under}"


def _silence(group: ErrorGroup, now: datetime, terminal: Terminal) -> list[str]:
    if group.silenced_until is None or group.silenced_until <= now:
        return []
    by = f" by {who(group.silenced_by, terminal.names)}" if group.silenced_by else ""
    return [f"Silenced until {clock_time(group.silenced_until)}{by}"]


def _changes(detail: GroupDetail) -> list[str]:
    if not detail.changes:
        return ["What changed before it began: nothing that HMS-SYS knows of."]
    return [
        "What changed before it began:",
        *(f"  {clock_time(c.at)}  {c.subject}  {one_line(c.text)}" for c in detail.changes),
    ]


def _sample_lines(sample: Sample) -> list[str]:
    """As it came: a stack in full, other fields by their names."""
    where = " · ".join(p for p in (clock_time(sample.at), sample.release, sample.source) if p)
    others = [
        f"  {name}: {one_line(text)}" for name, text in sample.fields.items() if name != "stack"
    ]
    stack = sample.fields.get("stack", "").splitlines()
    return [
        where,
        *(f"  {line}" for line in sample.message.splitlines()),
        *others,
        *(f"  | {line}" for line in stack),
    ]
