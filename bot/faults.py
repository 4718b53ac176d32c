"""What is wrong with the settings or the configuration, gathered so that it is told all at once.

Not the place for faults at run time: those are in `operations.errors`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from operations.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class Fault:
    """`path` is a dotted key (`projects.myapp.channel`) or a variable's name.

    `line` and `column` count from 1; 0: the fault has no place in a file.
    """

    path: str
    line: int
    column: int
    message: str


class ConfigError(InvalidRequest):
    """The configuration file cannot be used; `faults` says everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault], file: str = "hms.yaml") -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.line, fault.column)))
        self.file = file
        super().__init__(format_faults(file, self.faults))


class SettingsError(InvalidRequest):
    """The environment cannot be used; `faults` says everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(format_faults("", self.faults))


def format_faults(file: str, faults: Sequence[Fault]) -> str:
    """One line a fault: `hms.yaml:12:7 projects.myapp.channel: …`, which editors can jump to."""
    return "\n".join(_line(file, fault) for fault in faults)


def _line(file: str, fault: Fault) -> str:
    place = f"{file}:{fault.line}:{fault.column}" if fault.line else file
    subject = f"{fault.path}: " if fault.path else ""
    if place and not subject:
        return f"{place}: {fault.message}"
    return f"{place} {subject}{fault.message}".strip()
