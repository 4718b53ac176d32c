"""Which keys of HMS-OPS's configuration HMS-SYS covers: those of which `config migrate` makes something.

It alone is asked, so that both say the same, and each key is told once: also where a script reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from operations.integration.legacy.coverage import Coverage, Verdict
from operations.integration.legacy.document import Document, Unreadable, read_document
from operations.integration.legacy.findings import Finding, FindingKind
from operations.integration.legacy.inventory import Part, PartKind
from operations.integration.legacy.reasons import UNWATCHED
from operations.integration.legacy.translation import Hints, Translation, translate

CONFIGURATION = ".hms-ops-config.json"
_WORST_FIRST = (
    FindingKind.UNKNOWN,
    FindingKind.DECISION,
    FindingKind.CHANGED,
    FindingKind.SECRET,
    FindingKind.TAKEN,
)


def cover_keys(read: Iterable[Part], configuration: bytes | None) -> list[Coverage]:
    """`read` are keys that scripts read. None for a checkout without a configuration."""
    keys = [part for part in read if part.kind is PartKind.CONFIGURATION]
    if configuration is None:
        return [_cover_alone(part) for part in keys]
    try:
        document = read_document(configuration)
        translation = translate(document, Hints())
    except Unreadable as exc:
        return [tell_unreadable(exc.message)]
    findings = _one_of_each(translation.findings)
    told = [_tell(each, translation) for each in findings.values()]
    return [*told, *_cover_others(keys, document, findings)]


def tell_unreadable(why: str) -> Coverage:
    """The configuration as a whole."""
    part = Part(kind=PartKind.CONFIGURATION, name=why, file=CONFIGURATION)
    return Coverage(part, Verdict.UNCOVERED)


def _one_of_each(findings: Sequence[Finding]) -> Mapping[str, Finding]:
    """By path, the one of several that matters most."""
    chosen: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda each: _WORST_FIRST.index(each.kind)):
        chosen.setdefault(finding.path, finding)
    return chosen


def _tell(finding: Finding, translation: Translation) -> Coverage:
    is_new = finding.place is None and finding.kind is FindingKind.DECISION
    part = Part(
        kind=PartKind.DECISION if is_new else PartKind.CONFIGURATION,
        name=finding.path,
        file="hms.yaml" if is_new else CONFIGURATION,
        line=finding.place.line if finding.place else 0,
    )
    match finding.kind:
        case FindingKind.UNKNOWN:
            return Coverage(part, Verdict.UNCOVERED, finding.text)
        case FindingKind.DECISION:
            is_lost = any(finding.text.startswith(f"{name}: ") for name in translation.left_out)
            return Coverage(part, Verdict.LOOK if is_lost else Verdict.DECIDE, finding.text)
        case FindingKind.CHANGED if finding.text == UNWATCHED:
            return Coverage(part, Verdict.UNCOVERED, finding.text)
        case _:
            return Coverage(part, Verdict.COVERED, f"hms-sys config migrate: {finding.text}")


def _cover_others(
    keys: Iterable[Part], document: Document, findings: Mapping[str, Finding]
) -> Iterator[Coverage]:
    """What scripts read and no finding is of: taken over without a word, or not there."""
    for part in keys:
        if any(_are_akin(part.name, path) for path in findings):
            continue
        is_there = _holds(document.content, part.name.split("."))
        text = "hms-sys config migrate" if is_there else f"not in {CONFIGURATION}: nothing is lost"
        yield Coverage(part, Verdict.COVERED, text)


def _are_akin(key: str, path: str) -> bool:
    """Whether one is the other, or a part of it."""
    short, long = sorted((key, path), key=len)
    return short == long or long.startswith((f"{short}.", f"{short}["))


def _holds(node: object, steps: Sequence[str]) -> bool:
    for step in steps:
        if not isinstance(node, Mapping) or step not in node:
            return False
        node = node[step]
    return True


def _cover_alone(part: Part) -> Coverage:
    """By what `config migrate` would make of a file that held this key alone."""
    values: Sequence[object] = ("value", 1, {})
    for value in values:
        try:
            findings = translate(_document_of(part.name, value), Hints()).findings
        except Unreadable:
            continue
        unknown = any(
            each.kind is FindingKind.UNKNOWN and _are_akin(part.name, each.path)
            for each in findings
        )
        return (
            Coverage(part, Verdict.UNCOVERED)
            if unknown
            else Coverage(part, Verdict.COVERED, "hms-sys config migrate")
        )
    return Coverage(part, Verdict.LOOK, "hms-sys config migrate may read it")


def _document_of(key: str, value: object) -> Document:
    for step in reversed(key.split(".")):
        value = {step: value}
    return read_document(json.dumps(value).encode())
