"""`audit verify` and `audit export`: whether the trail is whole, and the trail for whoever asks for it."""

from __future__ import annotations

import csv
from contextlib import aclosing
from datetime import timedelta
from typing import Annotated

import typer

from handlers.audit_documents import COLUMNS, audit_cells, audit_line
from handlers.cli.cells import harmless
from handlers.cli.exits import DONE
from handlers.cli.running import run_program
from handlers.cli.services import Hooks, Trail
from handlers.cli.terminal import Terminal
from operations.durations import parse_duration
from operations.errors import InvalidRequest

_FORMATS = ("jsonl", "csv")


def add_audit(app: typer.Typer, hooks: Hooks) -> None:
    """Adds the group `audit`."""
    group = typer.Typer(
        name="audit", help="The audit trail.", no_args_is_help=True, rich_markup_mode=None
    )
    app.add_typer(group)

    @group.command("verify", help="Check that nobody has changed it.")
    def verify() -> None:
        raise typer.Exit(run_program(hooks, "audit verify", hooks.audit_verify))

    @group.command("export", help="Print it, one event a line, with the hashes that chain it.")
    def export(
        since: Annotated[str, typer.Option(help="Only what is newer: 30d.", metavar="30d")] = "",
        format: Annotated[str, typer.Option("--format", metavar="jsonl|csv")] = "jsonl",
    ) -> None:
        program = run_program(
            hooks, "audit export", lambda: _export(hooks.audit_trail, since, format.lower())
        )
        raise typer.Exit(program)


async def _export(trail: Trail, since: str, form: str) -> int:
    """Written as it is read: however long the trail is, it is never all in memory."""
    if form not in _FORMATS:
        raise InvalidRequest(f"There is no format “{form}”.", hint="Formats: jsonl, csv.")
    terminal = Terminal.open()
    writer = csv.writer(terminal.out)
    if form == "csv":
        writer.writerow(COLUMNS)
    async with aclosing(trail(_span(since))) as events:
        async for recorded in events:
            if form == "csv":
                writer.writerow([harmless(cell) for cell in audit_cells(recorded)])
            else:
                terminal.out.write(f"{audit_line(recorded)}\n")
    terminal.out.flush()
    return DONE


def _span(since: str) -> timedelta | None:
    if not since:
        return None
    try:
        return parse_duration(since)
    except ValueError as exc:
        raise InvalidRequest(
            f"“{since[:40]}” is not a duration.", hint="Write 30d: `--since 30d`."
        ) from exc
