"""A JSON file as plain values that remember where they stand.

RFC 8259 and nothing more: comments, trailing commas, a byte-order mark and a key twice are faults with
their line and column, because a configuration that is only half understood must not be taken over.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from json import JSONDecodeError, JSONDecoder
from typing import TypeAlias

from operations.errors import InvalidRequest

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
Path: TypeAlias = "tuple[str | int, ...]"

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_WORD = re.compile(r"true|false|null")
_LARGEST = 1 << 20  # characters: no configuration of people comes near
_DEEPEST = 40
_DECODER = JSONDecoder()


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, counted from 1."""

    line: int
    column: int

    def __str__(self) -> str:
        """As editors read it."""
        return f"{self.line}:{self.column}"


class Unreadable(InvalidRequest):
    """The file cannot be read; `message` says what is wrong at `place`."""

    def __init__(self, message: str, place: Place) -> None:
        super().__init__(f"{place}: {message}", hint="Nothing was written.")
        self.place = place


@dataclass(frozen=True, slots=True)
class Document:
    """`content` and, by path, where each value (of an object: its key) begins.

    `origins`: the path in the file of what stands at another path here.
    """

    content: dict[str, Value]
    places: dict[Path, Place] = field(default_factory=dict)
    origins: dict[Path, Path] = field(default_factory=dict)


def read_document(raw: bytes) -> Document:
    """Read a file's bytes; raises Unreadable."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        before = raw[: exc.start]
        place = Place(before.count(b"\n") + 1, exc.start - before.rfind(b"\n"))
        raise Unreadable(_encoding(raw), place) from exc
    start = Place(1, 1)
    if text.startswith("\ufeff"):
        raise Unreadable("begins with a byte-order mark: save the file as UTF-8 without it", start)
    if not text.strip():
        raise Unreadable("is empty", start)
    if len(text) > _LARGEST:
        raise Unreadable("is larger than 1 MiB, which no configuration is", start)
    return _Reader(text).document()


def _encoding(raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "is UTF-16: save it as UTF-8"
    return "is not UTF-8 text here"


class _Reader:
    """Recursive descent; `_at` is how far it has come."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._places: dict[Path, Place] = {}
        self._line_ends = [found.start() for found in re.finditer("\n", text)]

    def document(self) -> Document:
        """The whole text."""
        self._skip()
        if self._next() != "{":
            raise self._fault(self._comment() or "must be an object: { … }")
        content = self._object(())
        self._skip()
        if self._at < len(self._text):
            raise self._fault(self._comment() or "goes on after its end")
        return Document(content, self._places)

    def _value(self, path: Path) -> Value:
        if len(path) > _DEEPEST:
            raise self._fault(f"is nested deeper than {_DEEPEST} levels")
        match self._next():
            case "{":
                return self._object(path)
            case "[":
                return self._list(path)
            case '"':
                return self._string()
        return self._plain()

    def _object(self, path: Path) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for _ in self._items("}"):
            start = self._at
            if self._next() != '"':
                raise self._fault(self._comment() or "a key in double quotes must stand here")
            key = self._string()
            if key in found:
                first = self._places[(*path, key)]
                raise self._fault(f"“{key[:60]}” stands twice, first in line {first.line}", start)
            self._places[(*path, key)] = self._place(start)
            self._skip()
            if self._next() != ":":
                raise self._fault(self._comment() or "a colon is missing after the key")
            self._at += 1
            self._skip()
            found[key] = self._value((*path, key))
        return found

    def _list(self, path: Path) -> list[Value]:
        found: list[Value] = []
        for index in self._items("]"):
            here = (*path, index)
            self._places[here] = self._place(self._at)
            found.append(self._value(here))
        return found

    def _items(self, end: str) -> _Items:
        return _Items(self, end)

    def _string(self) -> str:
        start = self._at
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except JSONDecodeError as exc:
            raise self._fault(f"this text is broken: {exc.msg.lower()}", exc.pos) from exc
        text = str(value)
        if re.search(r"[\ud800-\udfff]", text):
            raise self._fault("half of a surrogate pair is no character", start)
        return text

    def _plain(self) -> Value:
        if word := _WORD.match(self._text, self._at):
            self._at = word.end()
            return _WORDS[word[0]]
        number = _NUMBER.match(self._text, self._at)
        if number is None:
            raise self._fault(self._comment() or "a value must stand here")
        self._at = number.end()
        return float(number[0]) if number[1] or number[2] else int(number[0])

    def step(self, end: str, *, first: bool) -> bool:
        """Go to the next item of an object or list; False at its end."""
        self._at += first
        self._skip()
        if self._next() == end and first:
            self._at += 1
            return False
        if first:
            return True
        if self._next() == end:
            self._at += 1
            return False
        if self._next() != ",":
            raise self._fault(self._comment() or f"a comma or “{end}” is missing here")
        comma = self._at
        self._at += 1
        self._skip()
        if self._next() == end:
            raise self._fault("the comma before the end is one too many", comma)
        return True

    def _comment(self) -> str:
        """What to say when a comment stands here; "" when none does."""
        head = self._text[self._at : self._at + 2]
        is_comment = head in ("//", "/*") or head[:1] == "#"
        return "JSON has no comments: take this one out" if is_comment else ""

    def _skip(self) -> None:
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at

    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _place(self, at: int) -> Place:
        line = bisect_left(self._line_ends, at)
        return Place(line + 1, at - (self._line_ends[line - 1] if line else -1))

    def _fault(self, message: str, at: int | None = None) -> Unreadable:
        return Unreadable(message, self._place(self._at if at is None else at))


class _Items:
    """Counts the items of an object or a list while the reader goes through them."""

    def __init__(self, reader: _Reader, end: str) -> None:
        self._reader = reader
        self._end = end
        self._count = 0

    def __iter__(self) -> _Items:
        return self

    def __next__(self) -> int:
        if not self._reader.step(self._end, first=self._count == 0):
            raise StopIteration
        self._count += 1
        return self._count - 1
