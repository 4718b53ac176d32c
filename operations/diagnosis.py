"""What `doctor` finds: one finding for each thing that the product needs, with what to do about it.

Not monitoring: nothing is stored and nobody is told but the one who asks. Nothing is changed by asking.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from operations.errors import OperationError
from operations.redaction import clean


class Condition(StrEnum):
    """How it is with one thing."""

    WELL = "ok"
    DOUBTFUL = "warning"  # works, but not as well as it could
    FAILING = "failing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`area` groups (`Slack`, `targets`), `subject` names (`SLACK_BOT_TOKEN`, `myapp/prod`).

    `advice` says what to do, "" when nothing is.
    """

    area: str
    subject: str
    condition: Condition
    detail: str
    advice: str = ""


Examine = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True)
class Examination:
    """One question, or several that belong together; `examine` may raise OperationError."""

    area: str
    subject: str
    examine: Examine


async def diagnose(examinations: Sequence[Examination], *, seconds: float) -> list[Finding]:
    """Ask all at once, each within the deadline; the findings in the order of the examinations."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_examine(each, seconds)) for each in examinations]
    return [finding for task in tasks for finding in task.result()]


async def _examine(examination: Examination, seconds: float) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(seconds):
            return await examination.examine()
    except OperationError as exc:
        return [_failing(examination, clean(exc.message, limit=300), exc.hint)]
    except TimeoutError:
        return [_failing(examination, f"no answer within {seconds:g} s", "")]


def _failing(examination: Examination, detail: str, advice: str) -> Finding:
    return Finding(
        area=examination.area,
        subject=examination.subject,
        condition=Condition.FAILING,
        detail=detail,
        advice=advice,
    )


def is_well(findings: Sequence[Finding]) -> bool:
    """Whether nothing is failing; doubts do not count."""
    return all(finding.condition is not Condition.FAILING for finding in findings)
