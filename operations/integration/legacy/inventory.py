"""What an HMS-OPS checkout consists of: functions, commands, configuration keys and log files.

Pure: names and texts of files in, parts out; nothing is run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePath

from operations.integration.legacy.dispatchers import Commands, find_commands, is_main
from operations.integration.legacy.shell import read_script


class PartKind(StrEnum):
    """What HMS-OPS is made of."""

    COMMAND = "command"
    FUNCTION = "function"
    CONFIGURATION = "configuration key"
    LOG = "log file"
    SCRIPT = "script"
    """As a whole: what is not seen of it."""
    DECISION = "key of hms.yaml"
    """New, and without a part of HMS-OPS that says what it is to be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """`file` is relative to the checkout; `line` counts from 1, 0 for a file as such.

    `aliases` are other names of a command. `note` is what is to be known of the part, "" for nothing.
    """

    kind: PartKind
    name: str
    file: str
    line: int = 0
    aliases: tuple[str, ...] = ()
    note: str = ""


_PHP_FUNCTION = re.compile(r"\bfunction\s+&?(\w+)\s*\(")
_PHP_COMMENT = re.compile(r"\s*(?://|#|\*|/\*)")
_JQ_KEY = re.compile(r"""\bjq\b[^|;]*?["']\s*(\.[A-Za-z_][\w.-]*)""")
_LOG_NAME = re.compile(r"\.(?:log|jsonl|ndjson)(?:\.\d+)?(?:\.gz)?$")
_OTHER_LANGUAGES = frozenset({"", ".js", ".php", ".pl", ".py", ".rb"})
_SHEBANG = re.compile(r"\A#!.*\b(?:ba|da|z|k)?sh\b")


def find_parts(files: Iterable[tuple[PurePath, str]]) -> Iterator[Part]:
    """Of all files, by their names and texts."""
    given = list(files)
    scripts = {str(file): read_script(text) for file, text in given if is_shell(file, text)}
    for name, script in scripts.items():
        for each in script.functions:
            yield Part(kind=PartKind.FUNCTION, name=each.name, file=name, line=each.line)
    yield from _commands(find_commands(scripts))
    for file, text in given:
        if _LOG_NAME.search(file.name):
            yield Part(kind=PartKind.LOG, name=file.name, file=str(file))
        elif is_main(file.name) and file.suffix in _OTHER_LANGUAGES and str(file) not in scripts:
            note = "it is no shell script: list its commands yourself"
            yield Part(kind=PartKind.SCRIPT, name=str(file), file=str(file), note=note)
        elif file.suffix == ".php":
            yield from _php_functions(str(file), text)
        elif str(file) in scripts:
            yield from _keys(str(file), text)


def is_shell(file: PurePath, text: str) -> bool:
    """By its name or its first line."""
    return file.suffix in {".sh", ".bash"} or _SHEBANG.match(text) is not None


def _commands(commands: Commands) -> Iterator[Part]:
    for each in commands.found:
        yield Part(
            kind=PartKind.COMMAND,
            name=each.name,
            file=each.file,
            line=each.line,
            aliases=each.aliases,
        )
    for trouble in commands.troubles:
        yield Part(
            kind=PartKind.SCRIPT,
            name=trouble.file,
            file=trouble.file,
            line=trouble.line,
            note=trouble.text,
        )


def _php_functions(file: str, text: str) -> Iterator[Part]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not _PHP_COMMENT.match(line):
            for found in _PHP_FUNCTION.finditer(line):
                yield Part(kind=PartKind.FUNCTION, name=found[1], file=file, line=number)


def _keys(file: str, text: str) -> Iterator[Part]:
    for number, line in enumerate(text.splitlines(), start=1):
        for found in _JQ_KEY.finditer(line):
            key = found[1].strip(".")
            yield Part(kind=PartKind.CONFIGURATION, name=key, file=file, line=number)
