"""Where other files call HMS-OPS, and what the line says afterwards. Pure: text in, lines out.

Only calls are changed: the program's name in front of a command that HMS-SYS has too. Prose, comments
about HMS-OPS and paths of its own files are shown for a person to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

COMMANDS = ("deploy", "status", "monitor", "errors", "logs", "help")
"""What HMS-OPS could do. HMS-SYS has each under the same name."""

_OPTIONAL_PATH = r"""(?:(?:\$\{?\w+\}?|~|\.{1,2})?/(?:[\w.${}~-]+/)*)?"""
_CALL = re.compile(
    rf"""(?P<start>^|[\s;&|("'`=@])            # where a command can begin
         (?P<shell>(?:ba|da|z)?sh\s+(?:-[a-z]+\s+)*)?
         (?P<program>{_OPTIONAL_PATH}hms-ops(?:\.sh)?)
         (?P<quote>["']?)
         (?P<rest>\s+(?:{"|".join(COMMANDS)})(?=[\s;&|)"'`<>]|$))
         (?P<alone>(?=\s*(?:[;&|)"'`<>\#]|\d>|$)))?""",
    re.VERBOSE,
)
_HANDLES_FILES = re.compile(
    r"\b(?:cp|mv|ln|rm|cat|chmod|chown|scp|rsync|install|source|less|vim?|nano|stat|touch|tar)\b[^;&|(]*$"
)
"""Before the name of a file that is moved about, not called."""

_MENTION = re.compile(
    r"hms[-_ ]?ops|forge-api\.php|integrate-all\.sh|hms-dev-integration\.sh", re.IGNORECASE
)
_LONGEST = 2000
"""Longer lines are minified or generated: nobody calls a shell tool there."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A line (from 1) that mentions HMS-OPS; `after` is None when a person has to look."""

    line: int
    before: str
    after: str | None


def find_references(text: str) -> Iterator[Reference]:
    """Every line of a file that mentions HMS-OPS."""
    for number, line in enumerate(text.splitlines(), start=1):
        if len(line) > _LONGEST or not _MENTION.search(line):
            continue
        changed = replace_calls(line)
        yield Reference(number, line, changed if changed != line else None)


def replace_calls(line: str) -> str:
    """The line with `hms-sys` in every call; a closing quote around the program stays where it was."""

    def call(found: re.Match[str]) -> str:
        start, quote = found["start"], found["quote"]
        handled = _HANDLES_FILES.search(line[: found.start("program")])
        if handled or (quote and start != quote):
            return found[0]
        rest = found["rest"]
        if rest.strip() == "logs" and found["alone"] is not None:  # those of its deployments
            rest = rest.replace("logs", "history")
        return f"{start}hms-sys{quote}{rest}"

    return _CALL.sub(call, line)


def replace_all(text: str) -> str:
    """The whole file with every call changed, line ends as they were."""
    return "".join(
        replace_calls(line) if len(line) <= _LONGEST else line for line in text.splitlines(True)
    )
