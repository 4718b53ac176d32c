"""`hms-sys doctor`: what is wrong and what to do about it, one line for each thing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby
from typing import Annotated

import typer

from handlers.cli.exits import DONE, FAILED
from handlers.cli.running import run_program
from handlers.cli.services import Hooks
from handlers.cli.terminal import Terminal
from operations.diagnosis import Condition, Finding, is_well

Doctor = Callable[[], Awaitable[Sequence[Finding]]]

_MARKS = {Condition.WELL: "ok     ", Condition.DOUBTFUL: "warning", Condition.FAILING: "FAILING"}


def add_doctor(app: typer.Typer, hooks: Hooks) -> None:
    """Adds the command."""

    @app.command("doctor", help="Test tokens, channels, targets, mail, database and clock.")
    def doctor(
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        raise typer.Exit(run_program(hooks, "doctor", lambda: _report(hooks.doctor, json)))


async def _report(doctor: Doctor, as_json: bool) -> int:
    terminal = Terminal.open()
    terminal.as_json = as_json
    findings = await doctor()
    if as_json:
        terminal.document(diagnosis_document(findings))
    terminal.say(say_findings(findings))
    return DONE if is_well(findings) else FAILED


def say_findings(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings under their areas, then how many there are of each kind."""
    for area, members in groupby(findings, lambda finding: finding.area):
        yield f"{area}"
        for finding in members:
            yield f"  {_MARKS[finding.condition]}  {finding.subject}: {finding.detail}"
            if finding.advice:
                yield f"           → {finding.advice}"
    yield ""
    yield count_conditions(findings)


def count_conditions(findings: Sequence[Finding]) -> str:
    """`12 ok, 1 warning, 2 failing.`"""
    counts = [
        f"{sum(finding.condition is each for finding in findings)} {each.value}"
        for each in Condition
    ]
    return ", ".join(counts) + "."


def diagnosis_document(findings: Sequence[Finding]) -> dict[str, object]:
    """One JSON document; `condition` is `ok`, `warning` or `failing`."""
    return {
        "well": is_well(findings),
        "findings": [
            {
                "area": finding.area,
                "subject": finding.subject,
                "condition": finding.condition.value,
                "detail": finding.detail,
                "advice": finding.advice or None,
            }
            for finding in findings
        ],
    }
