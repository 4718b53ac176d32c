"""One word of a shell script: its quotes, and what is put in for it.

Only text that is passed over: what substitutions hold is given back to whoever reads commands (`shell`).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

SPECIAL = frozenset(" \t\r\n;&|()<>")
ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=")
DEEPEST = 40
_ANSI_C = re.compile(r"\$'((?:[^'\\]|\\.)*)'", re.DOTALL)
_BRACE = re.compile(r"\\.|\$\{|\}", re.DOTALL)


class WordReader(ABC):
    """Reads on. `lost_at` is the first line where something opens that is never closed, 0 for none."""

    def __init__(self, text: str) -> None:
        self.lost_at = 0
        self._text = text
        self._at = 0
        self._line = 1
        self._depth = 0
        self._end = ""

    @abstractmethod
    def read(self, end: str) -> None:
        """Commands, up to `end`, which is "" for the whole text, `)` or a backtick."""

    def move(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def lose(self, line: int) -> None:
        """Remembers the first line where something opens that is never closed."""
        lost = self.lost_at
        self.lost_at = min(line, lost) if line and lost else line or lost

    def skip_past(self, mark: str) -> None:
        end = self._text.find(mark, self._at)
        self.lose(0 if end >= 0 else self._line)
        self.move((end + len(mark) if end >= 0 else len(self._text)) - self._at)

    def skip(self, shape: re.Pattern[str]) -> None:
        found = shape.match(self._text, self._at)
        self.move(len(found[0]) if found else 0)

    def word(self) -> str:
        """One word, its quotes taken off; substitutions in it are read, and stand for themselves."""
        parts: list[str] = []
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in SPECIAL:
            if self._end == "`" and self._text[self._at] == "`":
                break
            parts.append(self._piece())
        word = "".join(parts)
        if ASSIGNMENT.fullmatch(word) and self._text.startswith("(", self._at):
            self.skip_past(")")  # an array
        if self._at == start:
            self.move(1)
        return word

    def _piece(self) -> str:
        char = self._text[self._at]
        if char == "\\":
            piece = self._text[self._at + 1 : self._at + 2]
            self.move(2)
            return "" if piece == "\n" else piece
        if char == "'":
            return self._single()
        if self._text.startswith("$'", self._at):
            return self._escaped()
        if char == '"':
            return self._double()
        if (
            char == "`"
            or self._text.startswith("$(", self._at)
            or self._text.startswith("${", self._at)
        ):
            return self._substitution()
        self.move(1)
        return char

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        self.lose(0 if end >= 0 else self._line)
        end = end if end >= 0 else len(self._text)
        word = self._text[self._at + 1 : end]
        self.move(end + 1 - self._at)
        return word

    def _escaped(self) -> str:
        """`$'it\\'s'`."""
        found = _ANSI_C.match(self._text, self._at)
        self.lose(0 if found else self._line)
        self.move(len(found[0]) if found else len(self._text) - self._at)
        return found[1] if found else ""

    def _double(self) -> str:
        begun = self._line
        self.move(1)
        parts: list[str] = []
        while self._at < len(self._text) and self._text[self._at] != '"':
            char = self._text[self._at]
            if char in "\\`$":
                parts.append(self._piece())
            else:
                parts.append(char)
                self.move(1)
        self.lose(0 if self._at < len(self._text) else begun)
        self.move(1)
        return "".join(parts)

    def _substitution(self) -> str:
        start = self._at
        if self._text.startswith("$((", start):
            self.skip_past("))")
        elif self._text[start] == "`" or self._text.startswith("$(", start):
            self.move(1 if self._text[start] == "`" else 2)
            if self._depth < DEEPEST:
                self.read("`" if self._text[start] == "`" else ")")
            return "$()"
        else:
            self._skip_braces()
        return self._text[start : self._at]

    def _skip_braces(self) -> None:
        """Past `${…}`, in which there may be others."""
        begun, deep = self._line, 0
        while found := _BRACE.search(self._text, self._at):
            self.move(found.end() - self._at)
            deep += {"${": 1, "}": -1}.get(found[0], 0)
            if deep <= 0:
                return
        self.lose(begun)
        self.move(len(self._text) - self._at)
