"""The private answer to `doctor`: a line for each trouble, and how much is well."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.slack.views.blocks import (
    Message,
    bold,
    context,
    dots,
    message,
    one_line,
    paragraphs,
    said,
    section,
)
from operations.diagnosis import Condition, Finding

_SIGNS = {Condition.WELL: "🟢", Condition.DOUBTFUL: "🟡", Condition.FAILING: "🔴"}
_ORDER = [Condition.FAILING, Condition.DOUBTFUL]


def findings(found: Sequence[Finding]) -> Message:
    """What fails before what is doubtful."""
    troubles = [each for condition in _ORDER for each in found if each.condition is condition]
    head = _head(found)
    well = sum(each.condition is Condition.WELL for each in found)
    return message(
        head,
        [
            section(bold(head)),
            *paragraphs([_line(each) for each in troubles]),
            context(f"{well} of {len(found)} well"),
        ],
    )


def _head(found: Sequence[Finding]) -> str:
    failing = sum(each.condition is Condition.FAILING for each in found)
    doubtful = sum(each.condition is Condition.DOUBTFUL for each in found)
    parts = [f"{failing} failing" if failing else "", f"{doubtful} doubtful" if doubtful else ""]
    return f"Doctor: {', '.join(filter(None, parts)) or 'all is well'}"


def _line(finding: Finding) -> str:
    what = f"{bold(finding.area, 60)} {one_line(finding.subject, 100)}"
    advice = f" → {said(finding.advice, 300)}" if finding.advice else ""
    return f"{_SIGNS[finding.condition]} {dots(what, one_line(finding.detail, 300))}{advice}"
