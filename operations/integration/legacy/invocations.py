"""Where a line calls HMS-OPS: what names the program, and the words after it. Pure, and runs nothing.

Lines come from scripts, CI files, cron tables, Makefiles, unit files and Dockerfiles, so this reads what is
common to them: words, quotes, variables, redirections. Whether it is a call at all, says `places`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_FOLDER = r"(?:\$\{\{[^}\n]*\}\}|\$\{[^}\s]*\}|\$\([\w.-]+\)|\$\w+|~[\w-]*|\.{1,2}|[\w.-]+)"
_CALL = re.compile(
    rf"""(?:^[ \t]*[@+-]+|^|(?<=[\s;&|("'`=@]))      # where a command can begin
         (?P<shell>(?:(?:/\S*/)?(?:ba|da|k|z)?sh\s+(?:-[a-z]+\s+)*)?)
         (?P<open>["']?)
         (?P<program>(?:{_FOLDER}?/(?:[\w.${{}}~-]+/)*)?hms-ops(?:\.sh)?)
         (?P<close>["']?)
         (?=[ \t]|\\\r?\n)""",
    re.VERBOSE,
)
_BLANK = r"(?:[ \t\r]|\\\r?\n)+"
_PART = r"""(?: \$\{\{.*?\}\} | \{\{.*?\}\} | \$\{[^}\n]*\} | \$\$?\((?:[^()\n]|\([^()\n]*\))*\)
              | \$[\w@*\#?!$]+ | \\[^"'\r\n] | [^\s;&|()<>"'`\\$]+ | \$ )"""
_QUOTED = r"""(?: "(?:[^"\\\n]|\\.)*" | '[^'\n]*' | \\"(?:(?!\\").)*\\" | `[^`\n]*` )"""
_WORD = re.compile(rf"(?!\#)(?:{_QUOTED}|{_PART})(?:{_PART}|(?<==){_QUOTED})*", re.VERBOSE)
_REDIRECTION = re.compile(rf"""\d*&?(?:>>|>|<)&?[ \t]*(?:{_QUOTED}|[^\s;&|()<>"'`]+)""", re.VERBOSE)
_VARIABLE = re.compile(r"[$`]|\{\{|%\w+%")
_MANY = re.compile(r"\$[@*]|\$\{[@*]|\[[@*]\]")
_COMMAND = re.compile(r"[a-z][a-z-]*")


@dataclass(frozen=True, slots=True)
class Word:
    """One of a call's words without its quotes, and where it stands in the line."""

    text: str
    start: int
    end: int

    @property
    def is_variable(self) -> bool:
        """Whether what it is going to be is not known here."""
        return _VARIABLE.search(self.text) is not None

    @property
    def is_many(self) -> bool:
        """Whether it may become any number of words: `"$@"`."""
        return _MANY.search(self.text) is not None


@dataclass(frozen=True, slots=True)
class Invocation:
    """A program's name, from `start` to `end` with its quotes and a shell before it; and what follows."""

    line: str
    program: str
    start: int
    end: int
    words: tuple[Word, ...]

    @property
    def before(self) -> str:
        """What stands before it in the line."""
        return self.line[: self.start]

    @property
    def after(self) -> str:
        """What stands behind its last word and redirection."""
        return self.line[_end_of(self.line, self.end) :]

    @property
    def command(self) -> str:
        """The first word, `deploy`."""
        return self.words[0].text

    @property
    def is_placed(self) -> bool:
        """Whether it was called by where it is, whatever the PATH: `/opt/…`, `~/…`, `$DIR/…`."""
        return self.program.startswith(("/", "~", "$"))


def find_invocations(line: str) -> Iterator[Invocation]:
    """Every call with a word after it that reads like a command; `line` may go on after a backslash."""
    for found in _CALL.finditer(line):
        opened, closed = found["open"], found["close"]
        if closed and closed != opened:
            continue
        words = tuple(_read_words(line, found.end()))
        if not words or not _COMMAND.fullmatch(words[0].text):
            continue
        # A quote that is not closed behind the program is the one around the whole command.
        start = found.start("program") if opened and not closed else found.start("shell")
        yield Invocation(line, found["program"], start, found.end("close"), words)


def _read_words(line: str, at: int) -> Iterator[Word]:
    for kind, start, end in _pieces(line, at):
        if kind == "word":
            yield Word(_bare(line[start:end]), start, end)


def _end_of(line: str, at: int) -> int:
    return max((end for _, _, end in _pieces(line, at)), default=at)


def _pieces(line: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Words and redirections up to what ends the command."""
    blank = re.compile(_BLANK)
    while found := blank.match(line, at):
        at = found.end()
        if redirection := _REDIRECTION.match(line, at):
            at = redirection.end()
            yield "redirection", redirection.start(), at
        elif word := _WORD.match(line, at):
            at = word.end()
            yield "word", word.start(), at
        else:
            return


def _bare(word: str) -> str:
    """Without the quotes around it, or around what stands behind its `=`."""
    key, equals, value = word.partition("=")
    if equals and value[:1] in {'"', "'"} and value[-1:] == value[:1]:
        return f"{key}={value[1:-1]}"
    if word.startswith('\\"') and word.endswith('\\"') and len(word) > 3:
        return word[2:-2]
    return word[1:-1] if len(word) > 1 and word[0] in "\"'" and word[-1] == word[0] else word
