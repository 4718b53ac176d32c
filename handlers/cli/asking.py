"""status, history, show, why, stats and logs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from handlers.cli import pages
from handlers.cli.exits import DONE, UNREACHABLE
from handlers.cli.fleet_page import print_fleet
from handlers.cli.requesting import wait_for
from handlers.cli.session import Session
from handlers.documents import (
    history_document,
    logs_document,
    show_document,
    why_document,
)
from handlers.fleet_documents import fleet_document
from handlers.fleet_queries import of_provider
from handlers.language import History, Logs, Show, Stats, Status, Why
from handlers.nothing import no_log, no_rollouts, no_targets
from handlers.states import unreviewed_words
from handlers.statistic_documents import statistics_document
from operations.deployment.rollout import HistoryQuery
from operations.errors import InvalidRequest

Asking = Status | History | Show | Why | Stats | Logs

_FORMATS = ("table", "json", "csv")
_FOLLOW_SECONDS = 2.0
_FOLLOW_LINES = 200


async def ask(command: Asking, session: Session) -> int:
    """Answer a question."""
    match command:
        case Status():
            return await _status(command, session)
        case History():
            return await _history(command, session)
        case Show():
            return await _show(command, session)
        case Why():
            return await _why(command, session)
        case Stats():
            return await _stats(command, session)
        case Logs():
            return await _logs(command, session)


async def _status(command: Status, session: Session) -> int:
    reports = await session.deployments.inquiries.status(command.project, command.environment)
    reports = of_provider(reports, command)
    alerts = await session.alerting.standing()
    if session.terminal.as_json:
        session.terminal.document(fleet_document(reports, alerts))
    elif reports:
        print_fleet(reports, alerts, session.terminal)
    if not reports:
        session.terminal.note_nothing(no_targets())
    await _note_unreviewed(command, session)
    unheard = [report for report in reports if report.health is None]
    return UNREACHABLE if reports and len(unheard) == len(reports) else DONE


async def _note_unreviewed(command: Status, session: Session) -> None:
    inquiries = session.deployments.inquiries
    found = await inquiries.unreviewed(command.project, command.environment)
    if words := unreviewed_words(found):
        session.terminal.note([f"{words}."])


async def _history(command: History, session: Session) -> int:
    chosen = session.switches.word("format").lower() or "table"
    if chosen not in _FORMATS:
        raise InvalidRequest(f"There is no format “{chosen}”.", hint="Formats: table, json, csv.")
    command = _as_configured(command, session)
    since = session.services.clock.now() - command.since if command.since else None
    page = await session.deployments.inquiries.history(
        HistoryQuery(
            project=command.project,
            environment=command.environment,
            requested_by=_person(command.by, session),
            since=since,
            limit=command.limit,
            unreviewed=command.unreviewed,
            imported=True,
        )
    )
    if session.terminal.as_json or chosen == "json":
        session.terminal.document(history_document(page))
    elif chosen == "csv":
        pages.print_csv(page, session.terminal)
    elif page.rollouts:
        serving = await session.deployments.inquiries.serving(page.rollouts)
        pages.print_history(page, session.terminal, serving)
    if not page.rollouts:
        session.terminal.note_nothing(no_rollouts(command))
    return DONE


def _as_configured(command: History, session: Session) -> History:
    """Names in the configuration's spelling; those of projects that are gone stay as they were said."""
    catalog = session.deployments.inquiries.catalog
    project = _spelling(command.project, catalog.projects())
    environment = _spelling(command.environment, catalog.environments(project))
    return replace(command, project=project, environment=environment)


def _spelling(said: str, known: Iterable[str]) -> str:
    return next((name for name in known if name.lower() == said.lower()), said)


def _person(said: str, session: Session) -> str:
    """Whom `--by` means: `me`, a known login's user, else the id or name that was said."""
    known = {name.lower(): user for user, name in session.services.names.items()}
    if said.lower() == "me":
        return session.actor.id
    if said.lower() in known:
        return known[said.lower()]
    return said


async def _show(command: Show, session: Session) -> int:
    report = await session.deployments.inquiries.show(command.rollout_id)
    if session.switches.flag("wait") and not report.rollout.has_ended:
        return await wait_for(report.rollout, session)
    if session.terminal.as_json:
        session.terminal.document(show_document(report))
    else:
        ticket = session.services.tickets.of(report.rollout)
        pages.print_rollout(report, session.terminal, ticket)
    return DONE


async def _why(command: Why, session: Session) -> int:
    found = await session.deployments.inquiries.why(
        command.project, command.environment, session.actor
    )
    if session.terminal.as_json:
        session.terminal.document(why_document(found))
    else:
        session.terminal.say(pages.why_lines(found))
    return DONE


async def _stats(command: Stats, session: Session) -> int:
    found = await session.deployments.performance.measure(command.project, command.since)
    if session.terminal.as_json:
        session.terminal.document(statistics_document(found))
    else:
        pages.print_statistics(found, session.terminal)
    return DONE


async def _logs(command: Logs, session: Session) -> int:
    if command.follow:
        return await _follow(command, session)
    lines = await _read(command, session, command.lines, command.since)
    if session.terminal.as_json:
        session.terminal.document(logs_document(command.project, command.environment, lines))
    else:
        session.terminal.copy(lines)
    if not lines:
        session.terminal.note_nothing(no_log(command))
    return DONE


async def _follow(command: Logs, session: Session) -> int:
    """New lines as they come, until Ctrl-C."""
    if session.terminal.as_json:
        raise InvalidRequest(
            "A log that is followed never becomes one document.", hint="Leave --json out."
        )
    shown = await _read(command, session, command.lines, command.since)
    session.terminal.copy(shown)
    while True:
        session.terminal.out.flush()
        await session.services.clock.sleep(_FOLLOW_SECONDS)
        newest = await _read(command, session, _FOLLOW_LINES, None)
        session.terminal.copy(unseen(shown, newest))
        shown = newest or shown


async def _read(
    command: Logs, session: Session, lines: int, since: timedelta | None
) -> Sequence[str]:
    return await session.deployments.inquiries.logs(
        command.project, command.environment, lines=lines, since=since
    )


def unseen(shown: Sequence[str], newest: Sequence[str]) -> Sequence[str]:
    """What `newest` has after the lines that were shown already; all of it when none of them is left."""
    for end in range(len(newest), 0, -1):
        overlap = min(len(shown), end)
        if overlap and list(newest[end - overlap : end]) == list(shown[-overlap:]):
            return newest[end:]
    return newest
