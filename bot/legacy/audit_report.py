"""What an audit found, for people and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from operations.integration.legacy.coverage import Coverage, Verdict
from operations.integration.legacy.inventory import PartKind
from operations.integration.legacy.programs import Look

_MARKS = {
    Verdict.COVERED: "covered  ",
    Verdict.LOOK: "LOOK AT  ",
    Verdict.DECIDE: "DECIDE   ",
    Verdict.UNCOVERED: "UNCOVERED",
}


@dataclass(frozen=True, slots=True)
class AuditReport:
    """`looks` are programs that HMS-SYS does nothing in the place of."""

    found: Sequence[Coverage]
    looks: Sequence[Look]

    @property
    def is_covered(self) -> bool:
        """Whether nothing is lost with HMS-OPS. What is to be decided is asked again by `config migrate`."""
        well = {Verdict.COVERED, Verdict.DECIDE}
        return not self.looks and all(each.verdict in well for each in self.found)

    def document(self) -> str:
        """As JSON."""
        found = {
            "covered": self.is_covered,
            "look_at": [_look(each) for each in self.looks],
            "parts": [_part(each) for each in self.found],
        }
        return json.dumps(found, ensure_ascii=False, indent=2) + "\n"

    def sentences(self) -> str:
        """For a person."""
        return "".join([*self._parts(), *self._summary(), *self._programs()])

    def _parts(self) -> Iterator[str]:
        for each in self.found:
            part, text = each.part, each.text
            name = "" if part.name == part.file else f" {part.name}"
            said = (" → " if each.verdict is Verdict.COVERED else ": ") + text if text else ""
            yield f"{_MARKS[each.verdict]}  {part.kind.value}{name} ({_place(part.file, part.line)}){said}\n"

    def _summary(self) -> Iterator[str]:
        yield f"\n{self._count(Verdict.COVERED)} of {len(self.found)} parts are covered.\n"
        if number := self._count(Verdict.UNCOVERED):
            yield f"UNCOVERED: {number}. Decide for each whether somebody still needs it.\n"
        if number := self._count(Verdict.LOOK):
            yield f"LOOK AT: {number}. See what each does: its name does not say it.\n"
        if number := self._count(Verdict.DECIDE):
            yield f"DECIDE: {number}, with `hms-sys config migrate`.\n"

    def _count(self, verdict: Verdict) -> int:
        return sum(each.verdict is verdict for each in self.found)

    def _programs(self) -> Iterator[str]:
        told = {
            each.part.name
            for each in self.found
            if each.part.kind is PartKind.FUNCTION and each.verdict is Verdict.LOOK
        }
        rest = [look for look in self.looks if look.function not in told]
        if rest:
            yield "\nHMS-SYS does nothing in the place of these programs. Look at each:\n"
        for look in rest:
            where = f", in {look.function}" if look.function else ""
            yield f"LOOK AT    {look.program} ({_place(look.file, look.line)}{where})\n"
        if self.looks:
            yield (
                "\nWhat is still needed belongs to where the platform deploys: Forge's deployment script,"
                " the image, a job of CI.\n"
            )


def _place(file: str, line: int) -> str:
    return f"{file}:{line}" if line else file


def _look(look: Look) -> dict[str, object]:
    return {
        "program": look.program,
        "function": look.function or None,
        "file": look.file,
        "line": look.line,
    }


def _part(each: Coverage) -> dict[str, object]:
    is_covered = each.verdict is Verdict.COVERED
    return {
        "kind": each.part.kind.value,
        "name": each.part.name,
        "file": each.part.file,
        "line": each.part.line or None,
        "verdict": each.verdict.value,
        "covered_by": each.text or None if is_covered else None,
        "note": None if is_covered else each.text or None,
    }
