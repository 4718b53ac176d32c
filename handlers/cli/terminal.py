"""Where answers go: results to stdout, everything else to stderr when stdout carries a document."""

from __future__ import annotations

import io
import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TextIO

from handlers.cli.wording import Names, plain
from handlers.nothing import Nothing
from operations.errors import OperationError

_NARROWEST = 20
_COMMAND = re.compile(r"`[^`]+`")
_STAYS = "\u00a0"  # a space that no line ends at


@dataclass(slots=True, kw_only=True)
class Terminal:
    """`waiting_for` names the rollout that is waited for, so that Ctrl-C can say how to find it."""

    out: TextIO
    err: TextIO
    as_json: bool = False
    names: Names = field(default_factory=dict)
    waiting_for: str = ""

    @classmethod
    def open(cls) -> Terminal:
        """The process's own streams; a character that they cannot show never fails a command."""
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        return cls(out=sys.stdout, err=sys.stderr)

    @property
    def is_live(self) -> bool:
        """Whether what was written to stderr can be drawn over."""
        return self.err.isatty()

    @property
    def text(self) -> TextIO:
        """Where people's text goes."""
        return self.err if self.as_json else self.out

    def say(self, lines: Iterable[str]) -> None:
        """An answer for people."""
        for line in lines:
            self.text.write(_fitted(plain(line, self.names), self.text) + "\n")

    def show(self, lines: Iterable[str]) -> None:
        """Help: in our own words, as they are."""
        for line in lines:
            self.text.write(_fitted(line, self.text) + "\n")

    def copy(self, lines: Iterable[str]) -> None:
        """An outsider's lines, as they are."""
        for line in lines:
            self.text.write(f"{line}\n")
        self.text.flush()

    def note(self, lines: Iterable[str]) -> None:
        """Something beside the answer: always to stderr."""
        for line in lines:
            self.err.write(_fitted(plain(line, self.names), self.err) + "\n")
        self.err.flush()

    def note_nothing(self, found: Nothing) -> None:
        """There is nothing to show, and what to say next."""
        self.note([found.text, found.hint])

    def document(self, document: Mapping[str, object]) -> None:
        """The one JSON document."""
        json.dump(document, self.out, ensure_ascii=False, indent=2)
        self.out.write("\n")

    def complain(self, error: OperationError) -> None:
        """One sentence, and what to do next on a line of its own."""
        self.note([line for line in (error.message, error.hint) if line])


def _fitted(line: str, stream: TextIO) -> str:
    """On a terminal no word and no command is torn; elsewhere a sentence is a line."""
    if not stream.isatty():
        return line
    width = os.get_terminal_size(stream.fileno()).columns
    indent = line[: len(line) - len(line.lstrip())]
    whole = _COMMAND.sub(lambda found: found[0].replace(" ", _STAYS), line)
    wrapped = textwrap.wrap(
        whole,
        max(width, _NARROWEST),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(wrapped).replace(_STAYS, " ")
