"""A shallow reading of shell scripts: which words stand where a command stands, and in which function.

Never runs anything, and knows no more of the language than that needs: quotes, comments, here-documents,
substitutions, `case` and braces. What it does not understand it reads as words. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from operations.integration.legacy.script import Arm, Call, Case, Definition, Script
from operations.integration.legacy.shell_words import ASSIGNMENT, DEEPEST, SPECIAL, WordReader

_OPENS_COMMAND = frozenset(
    {"then", "do", "else", "elif", "if", "while", "until", "!", "time", "{", "coproc"}
)
_CLOSES = frozenset({"fi", "done", "}", "esac"})
_DECLARES = frozenset({"local", "declare", "typeset", "readonly", "export"})
_SEPARATOR = re.compile(r";;&|;;|;&|&&|\|\||\|&|[;&|\n]")
_REDIRECTION = re.compile(r"\d*(?:<<<|<<-?|<>|<&|>&|>>|>\||&>>|&>|<|>)")
_HEREDOC = re.compile(r"\d*<<(-?)[ \t]*(['\"\\]?)([\w.-]+)['\"]?")
_FUNCTION = re.compile(r"([\w:.-]+)[ \t]*\([ \t]*\)")
_BLANK = re.compile(r"(?:[ \t\r]|\\\n)+")
_COMMENT = re.compile(r"#[^\n]*")
_SPACE = re.compile(r"\s+")
_IN = re.compile(r"\s+in\b")
_BETWEEN_ARMS = re.compile(r"(?:\s|#[^\n]*\n)*")
_ESAC = re.compile(r"esac\b")
_LABEL = re.compile(
    r"\(?((?:[^()\n'\"\\]|\\.|[@?*+!]\([^()\n]*\)|'[^'\n]*'|\"[^\"\n]*\"|\\\n){0,1000})\)"
)
_ALTERNATIVE = re.compile(r"(?:[@?*+!]\([^()]*\)|'[^']*'|\"[^\"]*\"|\\.|[^|])+")
_WORDS = 12
"""Of a command, so many are kept: the rest does not say which program it is."""


@dataclass(slots=True)
class _OpenCase:
    """`outer` is the arm that its own stand in; a label stands next while `awaits_label`."""

    case: Case
    outer: Arm | None
    awaits_label: bool = True


def find_calls(text: str) -> Iterator[Call]:
    """Every simple command of a script, in the order of its first word."""
    return iter(read_script(text).calls)


def read_script(text: str) -> Script:
    """All of it, as far as it is understood."""
    reader = _Reader(text)
    reader.read("")
    reader.end()
    script = reader.script
    script.calls = sorted((call for call in script.calls if call.words), key=lambda each: each.line)
    return script


class _Reader(WordReader):
    """Reads from `at` on; substitutions are read by the same method, one level deeper."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.script = Script()
        self._functions: list[Definition] = []
        self._awaited: Definition | None = None
        """The function whose body begins next."""
        self._cases: list[_OpenCase] = []
        self._arm: Arm | None = None
        self._heredocs: list[tuple[str, bool]] = []
        self._call: Call | None = None

    def read(self, end: str) -> None:
        """Up to `end`, which is "" for the whole text, `)` or a backtick."""
        outer, cases, outer_end, arm = self._call, self._cases, self._end, self._arm
        self._call, self._cases, self._end = None, [], end
        begun = self._line
        self._depth += 1
        while self._at < len(self._text):
            if self._is_at_label() and (self._read_label() or self._at >= len(self._text)):
                continue
            if end and self._text[self._at] == end:
                self.move(1)
                break
            self._step()
        else:
            self.lose(begun if end else 0)
        self.lose(self._cases[0].case.line if self._cases else 0)
        self._depth -= 1
        self._call, self._cases, self._end, self._arm = outer, cases, outer_end, arm

    def end(self) -> None:
        """Functions that never ended."""
        self.lose(self._functions[0].line if self._functions else 0)
        self.script.lost_at = self.lost_at

    def _is_at_label(self) -> bool:
        """What a here-document holds stands before it."""
        return bool(self._cases) and self._cases[-1].awaits_label and not self._heredocs

    def _step(self) -> None:
        text, at = self._text, self._at
        if found := _BLANK.match(text, at) or (
            _COMMENT.match(text, at) if self._is_word_start() else None
        ):
            self.move(len(found[0]))
        elif found := _HEREDOC.match(text, at):
            self._heredocs.append((found[3], bool(found[1])))
            self.move(len(found[0]))
        elif found := _REDIRECTION.match(text, at):
            self.move(len(found[0]))
            self._read_target()
        elif found := _SEPARATOR.match(text, at):
            self._separate(found[0])
        elif text[at] in "()":
            self._bracket(text[at])
        else:
            self._place(self._line, self.word())

    def _is_word_start(self) -> bool:
        return self._at == 0 or self._text[self._at - 1] in SPECIAL

    def _read_target(self) -> None:
        if found := _BLANK.match(self._text, self._at):
            self.move(len(found[0]))
        if self._at < len(self._text) and self._text[self._at] not in SPECIAL:
            self.word()
        elif self._text.startswith("(", self._at) and self._depth < DEEPEST:  # <(command)
            self.move(1)
            self.read(")")

    def _separate(self, mark: str) -> None:
        self._call = None
        self.move(len(mark))
        if mark == "\n":
            self._skip_heredocs()
        elif mark in {";;", ";&", ";;&"} and self._cases:
            self._cases[-1].awaits_label = True
            self._arm = self._cases[-1].outer

    def _skip_heredocs(self) -> None:
        for word, is_indented in self._heredocs:
            tabs = r"\t*" if is_indented else ""
            found = re.compile(rf"^{tabs}{re.escape(word)}\r?$", re.MULTILINE).search(
                self._text, self._at
            )
            self.lose(0 if found else self._line - 1)
            self.move((found.end() if found else len(self._text)) - self._at)
        self._heredocs.clear()

    def _bracket(self, mark: str) -> None:
        """A subshell's commands belong to the function that it stands in."""
        if self._text.startswith("((", self._at) and self._call is None:
            self.skip_past("))")
            return
        self.move(1)
        self._call = None
        if mark == "(" and self._depth < DEEPEST:
            if self._awaited:
                self._functions.append(self._awaited)
                self._awaited = None
                self.read(")")
                self._functions.pop()
            else:
                self.read(")")

    def _place(self, line: int, word: str) -> None:
        """As a command's name, as one of its arguments, or as a word of the language."""
        if self._call is not None:
            self._add(self._call, word)
        elif word in _CLOSES:
            self._close(word)
        elif word in _OPENS_COMMAND:
            self._open(word)
        elif word == "case":
            self._read_case()
        elif word == "[[":
            self._read_test(line)
        elif word == "function":
            self._name_function()
        elif found := _FUNCTION.match(self._text, self._at - len(word)):
            self._define(found[1])
            self.move(len(found[0]) - len(word))
        elif ASSIGNMENT.match(word):
            self._give(word)
        else:
            self._call = Call(self._inside(), line, [word], self._arm)
            self.script.calls.append(self._call)

    def _add(self, call: Call, word: str) -> None:
        if call.words[0] in _DECLARES:
            self._give(word)
        if len(call.words) < _WORDS:
            call.words.append(word)

    def _give(self, word: str) -> None:
        """A value to a variable, where the word does that."""
        if found := ASSIGNMENT.match(word):
            self.script.given[self._inside(), found[1]] = word[found.end() :]

    def _inside(self) -> str:
        return self._functions[-1].name if self._functions else ""

    def _define(self, name: str) -> None:
        self._awaited = Definition(name, self._line)
        self.script.functions.append(self._awaited)

    def _open(self, word: str) -> None:
        if word == "{":
            self._functions.append(self._awaited or Definition(self._inside(), self._line))
            self._awaited = None

    def _read_test(self, line: int) -> None:
        begun = self._at
        self.skip_past("]]")
        words = self._text[begun : self._at].replace('"', "").replace("'", "").split()
        self.script.tests.append(Call(self._inside(), line, ["[[", *words], self._arm))

    def _close(self, word: str) -> None:
        if word == "}" and self._functions:
            self._functions.pop()
        elif word == "esac" and self._cases:
            self._arm = self._cases.pop().outer

    def _name_function(self) -> None:
        found = re.compile(r"[ \t]+([\w:.-]+)(?:[ \t]*\([ \t]*\))?").match(self._text, self._at)
        if found:
            self._define(found[1])
            self.move(len(found[0]))

    def _read_case(self) -> None:
        """Past `case WORD in`."""
        line = self._line
        self.skip(_SPACE)
        is_word = self._at < len(self._text) and self._text[self._at] not in SPECIAL
        case = Case(self._inside(), line, self.word() if is_word else "", self._arm)
        self.skip(_IN)
        self.script.cases.append(case)
        self._cases.append(_OpenCase(case, self._arm))

    def _read_label(self) -> bool:
        """Past a label and its bracket; False when there is none, and everything is read as usual."""
        self.skip(_BETWEEN_ARMS)
        opened = self._cases[-1]
        opened.awaits_label = False
        if _ESAC.match(self._text, self._at):
            return False
        label = _LABEL.match(self._text, self._at)
        if label is None:
            return False
        words = (word for word in _ALTERNATIVE.findall(label[1]) if word.strip())
        names = tuple(re.sub(r"[\"'\\]", "", word.strip()) for word in words)
        self._arm = Arm(opened.case, self._line, names)
        opened.case.arms.append(self._arm)
        self.move(len(label[0]))
        self._call = None
        return True
