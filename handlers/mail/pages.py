"""What a message without buttons is made of, before it is HTML or text: nothing here is escaped yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from operations.letters import Picture, Tone


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph. `small`: the last one, ids and times."""

    text: str
    small: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """What a platform said, in its own lines."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """What to do next, as it is typed: `hms-sys ack A-17`."""

    purpose: str
    command: str


@dataclass(frozen=True, slots=True)
class Heading:
    """Before a part of a longer message."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; the first column is words, the others are figures."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of the page, by its name; `words` say what it shows."""

    name: str
    words: str


Part: TypeAlias = Line | Code | Command | Heading | Table | Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`title` is the mail's subject, without a colour; `headline` the state line with it."""

    title: str
    headline: str
    tone: Tone
    parts: Sequence[Part | None]
    pictures: tuple[Picture, ...] = ()


def dots(*parts: str) -> str:
    """Those that are not empty, joined as everywhere in our messages."""
    return " · ".join(part for part in parts if part)


def line(*parts: str, small: bool = False) -> Line | None:
    """One paragraph; None when there is nothing to say."""
    text = dots(*parts)
    return Line(text, small) if text else None
