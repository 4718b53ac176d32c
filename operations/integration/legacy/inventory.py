"""What an HMS-OPS checkout consists of: functions, commands, configuration keys and log files.

Pure: names and texts of files in, parts out. Shell and PHP are read by the shapes that people give to
functions and to a `case` over the command; nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath


class PartKind(StrEnum):
    """What HMS-OPS is made of."""

    COMMAND = "command"
    FUNCTION = "function"
    CONFIGURATION = "configuration key"
    LOG = "log file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`file` is relative to the checkout; `line` counts from 1, 0 for a file as such."""

    kind: PartKind
    name: str
    file: str
    line: int = 0


_SHELL_FUNCTION = re.compile(
    r"^\s*(?:function\s+([\w:-]+)\s*(?:\(\s*\))?|([\w:-]+)\s*\(\s*\))\s*\{?"
)
_PHP_FUNCTION = re.compile(
    r"^\s*(?:(?:public|private|protected|static|final)\s+)*function\s+&?(\w+)\s*\("
)
_CASE = re.compile(
    r"""^\s*case\s+["']?\$\{?(?:1|cmd|command|action|subcommand|COMMAND|CMD|ACTION)\b"""
)
_ESAC = re.compile(r"^\s*esac\b")
_INNER_CASE = re.compile(r"^\s*case\s")
_LABEL = re.compile(r"""^\s*\(?((?:["']?[\w-]+["']?\s*\|?\s*)+)\)""")
_JQ_KEY = re.compile(r"""\bjq\b[^|;]*?["']\s*(\.[A-Za-z_][\w.-]*)""")
_LOG_NAME = re.compile(r"\.(?:log|jsonl|ndjson)(?:\.\d+)?(?:\.gz)?$")
_SHEBANG = re.compile(r"\A#!.*\b(?:ba|da|z|k)?sh\b")


def find_parts(file: PurePath, text: str) -> Iterator[Part]:
    """The parts that one file holds; a log file is a part by itself."""
    name = str(file)
    if _LOG_NAME.search(file.name):
        yield Part(kind=PartKind.LOG, name=file.name, file=name)
    elif file.suffix == ".php":
        yield from _functions(name, text, _PHP_FUNCTION)
    elif is_shell(file, text):
        yield from _functions(name, text, _SHELL_FUNCTION)
        yield from _commands(name, text)
        yield from _keys(name, text)


def is_shell(file: PurePath, text: str) -> bool:
    """By its name or its first line."""
    return file.suffix in {".sh", ".bash"} or _SHEBANG.match(text) is not None


def _functions(file: str, text: str, shape: re.Pattern[str]) -> Iterator[Part]:
    for number, line in enumerate(text.splitlines(), start=1):
        if found := shape.match(line):
            name = next(filter(None, found.groups()))
            yield Part(kind=PartKind.FUNCTION, name=name, file=file, line=number)


def _commands(file: str, text: str) -> Iterator[Part]:
    """Labels of the `case` over the command; those of a `case` within it are its arguments."""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if depth == 0:
            depth = 1 if _CASE.match(line) else 0
        elif _ESAC.match(line):
            depth -= 1
        elif _INNER_CASE.match(line):
            depth += 1
        elif depth == 1 and (label := _LABEL.match(line)):
            for word in re.split(r"\s*\|\s*", label[1].strip()):
                yield Part(kind=PartKind.COMMAND, name=word.strip("\"'"), file=file, line=number)


def _keys(file: str, text: str) -> Iterator[Part]:
    for number, line in enumerate(text.splitlines(), start=1):
        for found in _JQ_KEY.finditer(line):
            key = found[1].strip(".")
            yield Part(kind=PartKind.CONFIGURATION, name=key, file=file, line=number)
