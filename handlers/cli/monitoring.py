"""monitor, ack and silence."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.cli.exits import DONE, FAILED
from handlers.cli.pages import print_checks
from handlers.cli.session import Session
from handlers.cli.wording import clock_time
from handlers.language import Ack, Monitor, MonitorAction, Silence
from handlers.monitoring_documents import alert_document, checks_document
from handlers.standing import count_words, is_failing
from operations.monitoring.check import Check

Monitoring = Monitor | Ack | Silence


async def monitor(command: Monitoring, session: Session) -> int:
    """List what is watched, or act on checks and alerts."""
    match command:
        case Monitor(action=MonitorAction.LIST):
            return await _list(command, session)
        case Monitor():
            return await _set_watching(command, session)
        case Ack() | Silence():
            return await _act(command, session)


async def _list(command: Monitor, session: Session) -> int:
    """Its code says whether a check is failing, so that a script can ask."""
    reports = await session.alerting.report(command.project, command.environment)
    if session.terminal.as_json:
        session.terminal.document(checks_document(reports))
    else:
        print_checks(reports, session.terminal)
    session.terminal.note([count_words(reports)])
    return FAILED if any(is_failing(report) for report in reports) else DONE


async def _set_watching(command: Monitor, session: Session) -> int:
    change = (
        session.alerting.stop if command.action is MonitorAction.STOP else session.alerting.start
    )
    checks = await change(session.actor, command.project, command.environment)
    if session.terminal.as_json:
        reports = await session.alerting.report(command.project, command.environment)
        session.terminal.document(checks_document(reports))
    session.terminal.say(_change_lines(command, checks))
    return DONE


def _change_lines(command: Monitor, checks: Sequence[Check]) -> list[str]:
    stopped = command.action is MonitorAction.STOP
    said = "stopped: nobody is told of failures" if stopped else "started"
    place = " ".join(part for part in (command.project, command.environment) if part)
    undo = f"monitor {'start' if stopped else 'stop'} {place}".strip()
    named = ", ".join(f"{check.target_name} {check.name}" for check in checks)
    return [f"{named} {said}.", f"`{undo}` undoes it."]


async def _act(command: Ack | Silence, session: Session) -> int:
    if isinstance(command, Ack):
        alert = await session.alerting.acknowledge(command.alert_id, session.actor)
        said = f"You look after {alert.label} now: {alert.name} of {alert.target_name}."
    else:
        alert = await session.alerting.silence(command.alert_id, session.actor, command.span)
        until = clock_time(alert.silenced_until)
        said = f"{alert.label} is silent until {until}; that it is well again is told all the same."
    if session.terminal.as_json:
        session.terminal.document(alert_document(alert))
    session.terminal.say([said])
    return DONE
