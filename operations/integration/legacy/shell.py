"""A shallow reading of shell scripts: which words stand where a command stands, and in which function.

Never runs anything, and knows no more of the language than that needs: quotes, comments, here-documents,
substitutions, `case` and braces. What it does not understand it reads as words. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_OPENS_COMMAND = frozenset(
    {"then", "do", "else", "elif", "if", "while", "until", "!", "time", "{", "coproc"}
)
_CLOSES = frozenset({"fi", "done", "}", "esac"})
_SEPARATOR = re.compile(r";;&|;;|;&|&&|\|\||\|&|[;&|\n]")
_REDIRECTION = re.compile(r"\d*(?:<<<|<<-?|<>|<&|>&|>>|>\||&>>|&>|<|>)")
_HEREDOC = re.compile(r"\d*<<(-?)[ \t]*(['\"\\]?)([\w.-]+)['\"]?")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=")
_FUNCTION = re.compile(r"([\w:.-]+)[ \t]*\([ \t]*\)")
_BLANK = re.compile(r"(?:[ \t\r]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_SPECIAL = frozenset(" \t\r\n;&|()<>")
_DEEPEST = 40
_WORDS = 8
"""Of a command, so many are kept: the rest does not say which program it is."""


@dataclass(slots=True)
class Call:
    """A command: its first words as written, without quotes. `function` is "" outside of any."""

    function: str
    line: int
    words: list[str] = field(default_factory=list)


def find_calls(text: str) -> Iterator[Call]:
    """Every simple command of a script, in the order of its first word."""
    reader = _Reader(text)
    reader.read("")
    return iter(sorted((call for call in reader.calls if call.words), key=lambda each: each.line))


class _Reader:
    """Reads from `at` on; substitutions are read by the same method, one level deeper."""

    def __init__(self, text: str) -> None:
        self.calls: list[Call] = []
        self._text = text
        self._at = 0
        self._line = 1
        self._depth = 0
        self._functions: list[str] = []
        self._awaited = ""
        """The function whose body begins next."""
        self._cases: list[bool] = []
        """Of each `case` around: whether a label stands next."""
        self._heredocs: list[tuple[str, bool]] = []
        self._call: Call | None = None
        self._end = ""

    def read(self, end: str) -> None:
        """Up to `end`, which is "" for the whole text, `)` or a backtick."""
        outer, cases, outer_end = self._call, self._cases, self._end
        self._call, self._cases, self._end = None, [], end
        self._depth += 1
        while self._at < len(self._text):
            if self._cases and self._cases[-1] and self._read_label():
                continue
            if end and self._text[self._at] == end:
                self._move(1)
                break
            self._step()
        self._depth -= 1
        self._call, self._cases, self._end = outer, cases, outer_end

    def _step(self) -> None:
        text, at = self._text, self._at
        if found := _BLANK.match(text, at) or (
            _COMMENT.match(text, at) if self._is_word_start() else None
        ):
            self._move(len(found[0]))
        elif found := _HEREDOC.match(text, at):
            self._heredocs.append((found[3], bool(found[1])))
            self._move(len(found[0]))
        elif found := _REDIRECTION.match(text, at):
            self._move(len(found[0]))
            self._read_target()
        elif found := _SEPARATOR.match(text, at):
            self._separate(found[0])
        elif text[at] in "()":
            self._bracket(text[at])
        else:
            self._place(self._line, self._word())

    def _is_word_start(self) -> bool:
        return self._at == 0 or self._text[self._at - 1] in _SPECIAL

    def _move(self, count: int) -> None:
        self._line += self._text.count("\n", self._at, self._at + count)
        self._at += count

    def _read_target(self) -> None:
        if found := _BLANK.match(self._text, self._at):
            self._move(len(found[0]))
        if self._at < len(self._text) and self._text[self._at] not in _SPECIAL:
            self._word()
        elif self._text.startswith("(", self._at) and self._depth < _DEEPEST:  # <(command)
            self._move(1)
            self.read(")")

    def _separate(self, mark: str) -> None:
        self._call = None
        self._move(len(mark))
        if mark == "\n":
            self._skip_heredocs()
        elif mark in {";;", ";&", ";;&"} and self._cases:
            self._cases[-1] = True

    def _skip_heredocs(self) -> None:
        for word, is_indented in self._heredocs:
            tabs = r"\t*" if is_indented else ""
            found = re.compile(rf"^{tabs}{re.escape(word)}$", re.MULTILINE).search(
                self._text, self._at
            )
            self._move((found.end() if found else len(self._text)) - self._at)
        self._heredocs.clear()

    def _bracket(self, mark: str) -> None:
        """A subshell's commands belong to the function that it stands in."""
        if self._text.startswith("((", self._at) and self._call is None:
            self._skip_past("))")
            return
        self._move(1)
        self._call = None
        if mark == "(" and self._depth < _DEEPEST:
            if self._awaited:
                self._functions.append(self._awaited)
                self._awaited = ""
                self.read(")")
                self._functions.pop()
            else:
                self.read(")")

    def _skip_past(self, mark: str) -> None:
        end = self._text.find(mark, self._at)
        self._move((end + len(mark) if end >= 0 else len(self._text)) - self._at)

    def _place(self, line: int, word: str) -> None:
        """As a command's name, as one of its arguments, or as a word of the language."""
        if self._call is not None:
            if len(self._call.words) < _WORDS:
                self._call.words.append(word)
        elif word in _CLOSES:
            self._close(word)
        elif word in _OPENS_COMMAND:
            self._open(word)
        elif word == "case":
            self._read_case()
        elif word == "[[":
            self._skip_past("]]")
        elif word == "function":
            self._name_function()
        elif found := _FUNCTION.match(self._text, self._at - len(word)):
            self._awaited = found[1]
            self._move(len(found[0]) - len(word))
        elif not _ASSIGNMENT.match(word):
            self._call = Call(self._inside(), line, [word])
            self.calls.append(self._call)

    def _inside(self) -> str:
        return self._functions[-1] if self._functions else ""

    def _open(self, word: str) -> None:
        if word == "{":
            self._functions.append(self._awaited or self._inside())
            self._awaited = ""

    def _close(self, word: str) -> None:
        if word == "}" and self._functions:
            self._functions.pop()
        elif word == "esac" and self._cases:
            self._cases.pop()

    def _name_function(self) -> None:
        found = re.compile(r"[ \t]+([\w:.-]+)(?:[ \t]*\([ \t]*\))?").match(self._text, self._at)
        if found:
            self._awaited = found[1]
            self._move(len(found[0]))

    def _read_case(self) -> None:
        """Past `case WORD in`."""
        found = re.compile(r"\s+").match(self._text, self._at)
        self._move(len(found[0]) if found else 0)
        if self._at < len(self._text) and self._text[self._at] not in _SPECIAL:
            self._word()
        found = re.compile(r"\s+in\b").match(self._text, self._at)
        self._move(len(found[0]) if found else 0)
        self._cases.append(True)

    def _read_label(self) -> bool:
        """Past a label and its bracket; False when there is none, and everything is read as usual."""
        found = re.compile(r"(?:\s|#[^\n]*\n)*").match(self._text, self._at)
        self._move(len(found[0]) if found else 0)
        self._cases[-1] = False
        if re.compile(r"esac\b").match(self._text, self._at):
            return False
        label = re.compile(r"\(?(?:[^()\n'\"]|'[^'\n]*'|\"[^\"\n]*\")*\)").match(
            self._text, self._at
        )
        if label is None:
            return False
        self._move(len(label[0]))
        self._call = None
        return True

    def _word(self) -> str:
        """One word, its quotes taken off; substitutions in it are read, and stand for themselves."""
        parts: list[str] = []
        start = self._at
        while self._at < len(self._text) and self._text[self._at] not in _SPECIAL:
            if self._end == "`" and self._text[self._at] == "`":
                break
            parts.append(self._piece())
        word = "".join(parts)
        if _ASSIGNMENT.fullmatch(word) and self._text.startswith("(", self._at):
            self._skip_past(")")  # an array
        if self._at == start:
            self._move(1)
        return word

    def _piece(self) -> str:
        char = self._text[self._at]
        if char == "\\":
            piece = self._text[self._at + 1 : self._at + 2]
            self._move(2)
            return "" if piece == "\n" else piece
        if char == "'":
            return self._single()
        if char == '"':
            return self._double()
        if (
            char == "`"
            or self._text.startswith("$(", self._at)
            or self._text.startswith("${", self._at)
        ):
            return self._substitution()
        self._move(1)
        return char

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        end = end if end >= 0 else len(self._text)
        word = self._text[self._at + 1 : end]
        self._move(end + 1 - self._at)
        return word

    def _double(self) -> str:
        self._move(1)
        parts: list[str] = []
        while self._at < len(self._text) and self._text[self._at] != '"':
            char = self._text[self._at]
            if char in "\\`$":
                parts.append(self._piece())
            else:
                parts.append(char)
                self._move(1)
        self._move(1)
        return "".join(parts)

    def _substitution(self) -> str:
        start = self._at
        if self._text.startswith("$((", start):
            self._skip_past("))")
        elif self._text[start] == "`" or self._text.startswith("$(", start):
            self._move(1 if self._text[start] == "`" else 2)
            if self._depth < _DEEPEST:
                self.read("`" if self._text[start] == "`" else ")")
            return "$()"
        else:
            self._skip_past("}")
        return self._text[start : self._at]
