"""What a migration did, for people and as JSON. Never a secret's value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

from operations.integration.legacy.findings import Finding, FindingKind
from operations.integration.legacy.translation import Translation


def say_report(translation: Translation) -> str:
    """The findings under their headings, what needs a person first."""
    lines: list[str] = []
    for kind, findings in groupby(translation.findings, lambda finding: finding.kind):
        lines += ["", f"{kind.value.capitalize()}:", *_lines(findings)]
    return "\n".join(lines).strip()


def _lines(findings: Iterator[Finding]) -> Iterator[str]:
    for finding in findings:
        place = f"{finding.place} " if finding.place else ""
        path = f"{finding.path}: " if finding.path else ""
        yield f"  {place}{path}{finding.text}"


def report_document(translation: Translation, written: str, secrets_file: str) -> str:
    """One JSON document. `written` and `secrets_file` are "" for what was not written."""
    document = {
        "written": written or None,
        "secrets_file": secrets_file or None,
        "variables": sorted({s.variable for s in translation.secrets if s.variable}),
        "left_out": list(translation.left_out),
        "needs_decision": any(f.kind is FindingKind.DECISION for f in translation.findings),
        "findings": [_finding_document(finding) for finding in translation.findings],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def _finding_document(finding: Finding) -> dict[str, object]:
    place = finding.place
    return {
        "kind": finding.kind.name.lower(),
        "path": finding.path,
        "text": finding.text,
        "line": place.line if place else None,
        "column": place.column if place else None,
    }
