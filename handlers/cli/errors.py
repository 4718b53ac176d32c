"""errors: what went wrong of late, and one group of it in full."""

from __future__ import annotations

from handlers.cli.error_pages import print_group, print_groups
from handlers.cli.exits import DONE
from handlers.cli.session import Session
from handlers.error_documents import error_document, errors_document
from handlers.error_queries import find_groups
from handlers.language import Errors
from handlers.nothing import no_errors


async def list_errors(command: Errors, session: Session) -> int:
    """That there are errors is no failure of the question."""
    if command.group_id is not None:
        return await _show(command.group_id, session)
    catalog = session.deployments.inquiries.catalog
    found = await find_groups(session.triage, catalog, command, session.services.clock.now())
    if session.terminal.as_json:
        session.terminal.document(errors_document(found.reports))
    else:
        print_groups(found, session.terminal)
    if not found.reports:
        session.terminal.note_nothing(no_errors(found))
    elif found.has_more:
        session.terminal.note([f"There are more: `{found.longer}`."])
    return DONE


async def _show(group_id: int, session: Session) -> int:
    detail = await session.triage.show(group_id)
    if session.terminal.as_json:
        session.terminal.document(error_document(detail))
    else:
        print_group(detail, session.services.clock.now(), session.terminal)
    return DONE
