"""What a shell script is made of, as far as somebody wants to know what it does. Values only; see `shell`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Call:
    """A command: its first words as written, without quotes. `function` is "" outside of any."""

    function: str
    line: int
    words: list[str] = field(default_factory=list)
    arm: Arm | None = None
    """The innermost of a `case` that it stands in."""


@dataclass(slots=True)
class Case:
    """A `case` over `word`, without quotes: `${1:-help}`. `around` is the arm it stands in."""

    function: str
    line: int
    word: str
    around: Arm | None
    arms: list[Arm] = field(default_factory=list)


@dataclass(slots=True)
class Arm:
    """One of a case's: what stands before its bracket, without quotes."""

    case: Case
    line: int
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Definition:
    """Of a function, in either spelling."""

    name: str
    line: int


@dataclass(slots=True)
class Script:
    """`given` are the values given to variables, by function and name.

    `lost_at` is the line where something opens that is never closed, 0 for none: from there on, nothing is
    sure.
    """

    calls: list[Call] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    functions: list[Definition] = field(default_factory=list)
    tests: list[Call] = field(default_factory=list)
    """What stands in `[[ ]]`, as a call of `[[`."""
    given: dict[tuple[str, str], str] = field(default_factory=dict)
    lost_at: int = 0

    def calls_of(self, function: str) -> Iterator[Call]:
        """Those that stand in one function, "" for outside of any."""
        return (call for call in self.calls if call.function == function)


Scripts = Mapping[str, Script]
"""By the file's name."""
