"""What an import of old logs found and did, counted; for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypedDict

from bot.legacy.log_files import LogFile
from operations.integration.legacy.old_logs import Finding, Nothing
from operations.redaction import shorten

_SHOWN = 5
_LONGEST = 120


class LineDocument(TypedDict):
    """A line that was not understood."""

    file: str
    line: int
    text: str


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """`lines` counts those that became nothing, by why; `too_old` errors that nobody would keep.

    `days` is how long errors are kept (`errors.keep.counts`).
    """

    dry_run: bool
    days: int
    deployments: int = 0
    known_deployments: int = 0
    errors: int = 0
    known_errors: int = 0
    too_old: int = 0
    lines: Counter[Nothing] = field(default_factory=Counter)
    strange: list[LineDocument] = field(default_factory=list)
    files: list[LogFile] = field(default_factory=list)

    def add_nothing(self, file: LogFile, finding: Finding, why: Nothing) -> None:
        """Count it, and remember the first that were not understood."""
        self.lines[why] += finding.size
        if why is not Nothing.OTHER and len(self.strange) < _SHOWN:
            text = shorten(finding.text, limit=_LONGEST)
            self.strange.append({"file": str(file.path), "line": finding.line, "text": text})

    @property
    def unreadable(self) -> list[LogFile]:
        """Files that could not be read to their end."""
        return [file for file in self.files if file.trouble]

    def document(self) -> str:
        """As JSON."""
        found = {
            "dry_run": self.dry_run,
            "files": len(self.files),
            "deployments": {"imported": self.deployments, "known": self.known_deployments},
            "errors": {"imported": self.errors, "known": self.known_errors},
            "left_out": {
                "too_old": self.too_old,
                "impossible_time": self.lines[Nothing.IMPOSSIBLE_TIME],
                "unfinished": self._unfinished,
            },
            "other_lines": self.lines[Nothing.OTHER],
            "not_understood": self.lines[Nothing.NOT_UNDERSTOOD],
            "first_lines": self.strange,
            "unreadable": [
                {"file": str(file.path), "reason": file.trouble} for file in self.unreadable
            ],
        }
        return json.dumps(found, ensure_ascii=False, indent=2) + "\n"

    def sentences(self) -> str:
        """For a person."""
        return "\n".join(self._lines()) + "\n"

    @property
    def _unfinished(self) -> int:
        return sum(1 for file in self.files if file.is_unfinished)

    def _lines(self) -> Iterator[str]:
        went = "would go" if self.dry_run else "went"
        yield (
            f"{_many(self.deployments, 'deployment')} {went} into history, marked as imported;"
            f" {self.known_deployments:,} {_was(self.known_deployments)} there already."
        )
        yield (
            f"{_many(self.errors, 'error')} {went} into the central log, marked as imported;"
            f" {self.known_errors:,} {_was(self.known_errors)} there already."
        )
        yield from self._left_out()
        for each in self.strange:
            yield f"  {each['file']}:{each['line']}: {each['text']}"
        for file in self.unreadable:
            yield f"Not read to its end: {file.path}: {file.trouble}"
        if self.dry_run:
            yield "Nothing was stored."

    def _left_out(self) -> Iterable[str]:
        told = (
            (
                self.too_old,
                f"left out: older than {self.days} days, which is how long errors are kept"
                " (errors.keep.counts).",
                "error",
            ),
            (self._unfinished, "left for the next time: still being written.", "last line"),
            (
                self.lines[Nothing.IMPOSSIBLE_TIME],
                "left out: the time is before 2005 or still to come; is --timezone right?",
                "line",
            ),
            (self.lines[Nothing.OTHER], "of neither, such as beginnings and status.", "line"),
            (self.lines[Nothing.NOT_UNDERSTOOD], "not understood.", "line"),
        )
        return (f"{_many(number, noun)} {words}" for number, words, noun in told if number)


def _was(number: int) -> str:
    return "was" if number == 1 else "were"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
