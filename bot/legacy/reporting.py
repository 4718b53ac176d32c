"""What a migration did, for people and as JSON. Never a secret's value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

from bot.config.wording import listing
from operations.integration.legacy.findings import Finding, FindingKind
from operations.integration.legacy.translation import Translation

_MASK = "[redacted]"
_SHORTEST = 4
"""Characters: less is no secret, and stands in every other word."""
_NO_TARGET = (
    "No target was found: nothing in the file says what is deployed where. HMS-SYS needs a project, its"
    " environment, and its place on forge, aws or k8s; hms.example.yaml shows how to write one."
)


def say_report(translation: Translation) -> str:
    """What came of it in a line, then the findings under their headings, what needs a person first."""
    lines: list[str] = [_summary(translation)]
    for kind, findings in groupby(translation.findings, lambda finding: finding.kind):
        lines += ["", f"{kind.value.capitalize()}:", *_lines(findings)]
    return _masked("\n".join(lines).strip(), translation)


def _summary(translation: Translation) -> str:
    if not translation.targets and not translation.left_out:
        return _NO_TARGET
    if not translation.targets:
        return (
            f"No target was taken over: {listing(translation.left_out)} lack something, see below."
        )
    count = len(translation.targets)
    taken = f"{count} target{'s' if count > 1 else ''} taken over"
    left = f", {len(translation.left_out)} left out" if translation.left_out else ""
    return f"{taken}{left}."


def _lines(findings: Iterator[Finding]) -> Iterator[str]:
    for finding in findings:
        place = f"{finding.place} " if finding.place else ""
        path = f"{finding.path}: " if finding.path else ""
        yield f"  {place}{path}{finding.text}"


def report_document(translation: Translation, written: str, secrets_file: str) -> str:
    """One JSON document. `written` and `secrets_file` are "" for what was not written."""
    kinds = {finding.kind for finding in translation.findings}
    document = {
        "written": written or None,
        "secrets_file": secrets_file or None,
        "variables": sorted({s.variable for s in translation.secrets if s.variable}),
        "targets": list(translation.targets),
        "left_out": list(translation.left_out),
        "needs_decision": FindingKind.DECISION in kinds,
        "not_understood": FindingKind.UNKNOWN in kinds,
        "findings": [_finding_document(finding, translation) for finding in translation.findings],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _finding_document(finding: Finding, translation: Translation) -> dict[str, object]:
    place = finding.place
    return {
        "kind": finding.kind.name.lower(),
        "path": _masked(finding.path, translation),
        "text": _masked(finding.text, translation),
        "line": place.line if place else None,
        "column": place.column if place else None,
    }


def _masked(text: str, translation: Translation) -> str:
    """Without the secrets that stand somewhere else too: in a key, or in a name that is told."""
    for secret in translation.secrets:
        if len(secret.value) >= _SHORTEST:
            text = text.replace(secret.value, _MASK)
    return text
