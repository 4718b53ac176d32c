"""Answers that fill more than a line: tables for people, CSV for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from handlers import statistic_words
from handlers.cli.cells import harmless
from handlers.cli.tables import print_table
from handlers.cli.terminal import Terminal
from handlers.cli.wording import (
    clock_time,
    headline,
    plain,
    step_line,
    who,
    with_zone,
)
from handlers.documents import pinned, rollout_document, why_it_ended
from handlers.nothing import no_statistics
from handlers.standing import Standing, say_last, standing_of
from handlers.states import past_words, way_words
from handlers.tickets import Ticket, plainly
from handlers.timeline import say_event
from operations.deployment.inquiries import Obstacles, RolloutReport
from operations.deployment.phrases import say_state
from operations.deployment.progress import StepState
from operations.deployment.rollout import HistoryPage, Rollout, RolloutKind, RolloutState
from operations.deployment.start_time import is_scheduled
from operations.deployment.statistics import Statistics
from operations.durations import say_duration
from operations.monitoring.alerting import CheckReport

if TYPE_CHECKING:
    from rich.text import Text

_STYLES = {
    **dict.fromkeys((RolloutState.SUCCEEDED.value, "healthy", Standing.OK.value), "green"),
    **dict.fromkeys((RolloutState.FAILED.value, RolloutState.ROLLED_BACK.value, "down"), "red"),
    **dict.fromkeys((Standing.FAILING.value, Standing.FLAPPING.value), "red"),
    **dict.fromkeys(("degraded", RolloutState.PENDING_APPROVAL.value), "yellow"),
    **dict.fromkeys(
        (RolloutState.RUNNING.value, RolloutState.VERIFYING.value, "deploying"), "blue"
    ),
    **dict.fromkeys((RolloutState.UNKNOWN.value, Standing.UNHEARD.value), "magenta"),
}
_CSV_COLUMNS = (
    "id",
    "project",
    "environment",
    "provider",
    "state",
    "version",
    "artifact",
    "previous",
    "requested_by",
    "requested_at",
    "reason",
    "approvals",
    "started_at",
    "ended_at",
    "outcome",
    "kind",
)


def print_history(page: HistoryPage, terminal: Terminal, serving: Collection[int] = ()) -> None:
    """One rollout a line, newest first; `serving` are the ids of what is live now."""
    rows = [_history_row(each, terminal, each.id in serving) for each in page.rollouts]
    when = with_zone("When", page.rollouts[0].requested_at)
    print_table(("Id", when, "What", "Where", "State", "Took", "Who", "Why"), rows, terminal)


def _history_row(rollout: Rollout, terminal: Terminal, serves: bool) -> list[str | Text]:
    return [
        rollout.name,
        clock_time(rollout.requested_at),
        f"{rollout.project} {rollout.release.version}",
        rollout.environment,
        styled(_state_words(rollout, serves), rollout.state.value),
        say_duration(rollout.took) if rollout.took else "",
        who(rollout.requested_by, terminal.names),
        rollout.reason,
    ]


def _state_words(rollout: Rollout, serves: bool) -> str:
    scheduled = f"At {clock_time(rollout.start_at)}" if is_scheduled(rollout) else ""
    emergency = "to be reviewed" if rollout.is_to_be_reviewed else "emergency"
    parts = (
        scheduled or past_words(rollout, serves=serves),
        way_words(rollout),
        emergency if rollout.emergency else "",
    )
    return ", ".join(part for part in parts if part)


def _origin(rollout: Rollout) -> str:
    """What served before, which nobody knows of an imported one."""
    if rollout.kind is RolloutKind.IMPORT:
        return rollout.provider
    return (
        f"From {rollout.previous.version if rollout.previous else 'nothing'} · {rollout.provider}"
    )


def _artifact(rollout: Rollout) -> Sequence[str]:
    release = rollout.release
    if not release.artifact and not release.is_pinned:
        return ()
    return (f"Artifact {pinned(release)}" + ("" if release.is_pinned else " (not pinned)"),)


def print_rollout(report: RolloutReport, terminal: Terminal, ticket: Ticket | None = None) -> None:
    """Everything about one rollout."""
    rollout, names = report.rollout, terminal.names
    terminal.say(
        [
            f"{headline(rollout, serves=report.serves)} ({rollout.name})",
            f"{_origin(rollout)} · asked by {who(rollout.requested_by, names)}"
            + (f" for {plainly(ticket)}" if ticket else "")
            + (f": {rollout.reason}" if rollout.reason else ""),
            *_artifact(rollout),
            *_special_lines(rollout, terminal),
            *(f"Note: {warning}" for warning in rollout.warnings),
            *(
                f"  {step_line(step)}"
                for step in rollout.steps
                if step.state is not StepState.PENDING
            ),
            *(line for line in [why_it_ended(rollout)] if line),
        ]
    )
    if rollout.failure is not None:
        terminal.copy(f"  {line}" for line in rollout.failure.evidence)
    rows: list[list[str | Text]] = [
        [
            clock_time(event.at),
            who(event.actor, names),
            plain(say_event(event), names),
        ]
        for event in report.timeline
    ]
    if rows:
        terminal.say([""])
        when = with_zone("When", report.timeline[0].at)
        print_table((when, "Who", "What"), rows, terminal)


def _special_lines(rollout: Rollout, terminal: Terminal) -> Iterator[str]:
    """That it has a time to start, and what an emergency asks for."""
    if rollout.start_at is not None:
        yield f"To start at {clock_time(rollout.start_at)}."
    if not rollout.emergency:
        return
    yield "Emergency: locks and windows were passed."
    if rollout.review is not None:
        note = f": {rollout.review.note}" if rollout.review.note else "."
        yield f"Reviewed by {who(rollout.review.actor, terminal.names)}{note}"
    elif rollout.is_to_be_reviewed:
        yield f"To be reviewed: `review {rollout.name}`."


def print_checks(reports: Sequence[CheckReport], terminal: Terminal) -> None:
    """One check a line."""
    rows = [_check_row(report, terminal) for report in reports]
    asked = with_zone("Asked", next((r.record.last.at for r in reports if r.record.last), None))
    print_table(("Check", "Target", "State", "Said", asked, "Alert"), rows, terminal)


def _check_row(report: CheckReport, terminal: Terminal) -> list[str | Text]:
    standing, record, alert = standing_of(report), report.record, report.alert
    by = record.stopped_by
    words = f"{standing.value} by {terminal.names.get(by, by)}" if by else standing.value
    looks_after = alert.acknowledged_by if alert else None
    acknowledged = f", {who(looks_after, terminal.names)} looks after it" if looks_after else ""
    return [
        report.check.name,
        report.check.target_name,
        styled(words, standing.value),
        say_last(report),
        clock_time(record.last.at) if record.last else "",
        f"{alert.label}{acknowledged}" if alert else "",
    ]


def print_statistics(found: Statistics, terminal: Terminal) -> None:
    """A column for each environment, a line for each figure."""
    head = statistic_words.headline(found)
    if not found.environments:
        terminal.note_nothing(no_statistics(head, found.project, found.until - found.since))
        return
    terminal.say([f"{head}."])
    columns = [statistic_words.figure_lines(each, found) for each in found.environments]
    rows = [
        [name, *(column[number][1] for column in columns)]
        for number, (name, _) in enumerate(columns[0])
    ]
    print_table(("", *(each.environment for each in found.environments)), rows, terminal)
    terminal.note([statistic_words.MEANS])


def why_lines(found: Obstacles) -> list[str]:
    """What stands in the way, who can lift it, and what happens then."""
    target = found.target
    lines = []
    for obstacle in found.answer.obstacles:
        lines += [obstacle.message, *([obstacle.hint] if obstacle.hint else [])]
    if not lines:
        lines.append(f"Nothing stands in the way of a deploy to {target.name}.")
    rule = found.answer.rule
    if rule is not None:
        people = " or ".join(
            f"<!subteam^{v}>" if v.startswith("S") else f"<@{v}>" for v in sorted(rule.voters)
        )
        lines.append(
            f"It needs {rule.required} approval{'s' if rule.required > 1 else ''}"
            f" of {people or 'anyone who may deploy there'}."
        )
    if found.active is not None:
        lines.append(f"{found.active.name} is being carried out first.")
    lines += [f"{r.name} {say_state(r)} and would give way." for r in found.waiting]
    held = ((r.name, found.held[r.id]) for r in found.waiting if r.id in found.held)
    return [*lines, *(f"{name} waits: {why.message} {why.hint}" for name, why in held)]


def print_csv(page: HistoryPage, terminal: Terminal) -> None:
    """The promised keys as columns; approvals as `WHO TIME`, separated by semicolons."""
    writer = csv.writer(terminal.out)
    writer.writerow(_CSV_COLUMNS)
    for rollout in page.rollouts:
        document = rollout_document(rollout)
        cells: dict[str, object] = {
            **document,
            "approvals": "; ".join(f"{a['by']} {a['at']}" for a in document["approvals"]),
            "reason": harmless(document["reason"]),
            "outcome": harmless(document["outcome"] or ""),
        }
        writer.writerow([cells[column] for column in _CSV_COLUMNS])


def styled(text: str, state: str) -> Text:
    """In the colour of a state."""
    from rich.text import Text

    return Text(text, style=_STYLES.get(state, ""))
