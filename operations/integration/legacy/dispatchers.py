"""HMS-OPS's commands: the labels of the `case` that its first argument comes to, wherever that stands.

Followed from the script's own lines through the functions and files that are given its arguments. Chains of
`if` and commands that are called by their name (`cmd_$1`) are read too; where none is found, that is said,
because a list that is too short would look like one that is whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from operations.integration.legacy.script import Arm, Call, Case, Script, Scripts

_NAMES = "1|cmd|command|action|subcommand|sub_command|verb|operation|COMMAND|CMD|ACTION|SUBCOMMAND"
_OVER_COMMAND = re.compile(rf"\$(?:(?:{_NAMES})\b|\{{(?:{_NAMES})\b)")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*|\d)")
_FIRST = re.compile(r"\$(?:1\b|\{1\b)")
_SECOND = re.compile(r"\$(?:[12]\b|\{[12]\b)")
_HANDS_ON = re.compile(rf"\$(?:[@*]|\{{[@*])|\[@\]|{_OVER_COMMAND.pattern}")
_RUNS = frozenset({"source", ".", "bash", "sh", "zsh", "exec"})
_TESTS = frozenset({"[", "test", "[["})
_PLACES = frozenset({"env", "environment", "project", "app", "stage", "target", "site", "service"})
_PLAIN = re.compile(r"[\w:.-]*[A-Za-z][\w:.-]*")
_ALL_OTHERS = re.compile(r"(?:-{0,2}[*?]*)")
_MAIN = re.compile(r"hms[-_]?ops(?:\.\w+)?", re.I)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """`name` has the word before, where it is one of a command's own: `deploy all`.

    `aliases` are the other names of the same.
    """

    name: str
    file: str
    line: int
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a script may have more commands than are found."""

    file: str
    line: int
    text: str


@dataclass(slots=True)
class Commands:
    """All that are found. Several scripts may have the same."""

    found: list[Command] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)


def find_commands(scripts: Scripts) -> Commands:
    """Of all scripts; a missing dispatcher is a trouble of those that are HMS-OPS itself by their names."""
    commands = Commands()
    finder = _Finder(scripts, commands)
    has_main = False
    for file in scripts:
        is_own = is_main(file.rpartition("/")[2])
        has_main = has_main or is_own
        if not finder.follow(file) and is_own:
            commands.troubles.append(_not_found(file))
    if not has_main and not commands.found:
        commands.troubles += [_not_found(file) for file in scripts]
    for file, script in scripts.items():
        if script.lost_at:
            text = "what opens here is never closed: what stands behind it was not understood"
            commands.troubles.append(Trouble(file=file, line=script.lost_at, text=text))
    return commands


def is_main(name: str) -> bool:
    """Whether a file of that name is HMS-OPS itself."""
    return _MAIN.fullmatch(name) is not None


def _not_found(file: str) -> Trouble:
    return Trouble(
        file=file, line=0, text="which commands it has was not found: list them yourself"
    )


class _Finder:
    def __init__(self, scripts: Scripts, commands: Commands) -> None:
        self._scripts = scripts
        self._commands = commands
        self._homes = {
            each.name: file for file, script in scripts.items() for each in script.functions
        }
        self._own = {
            file: {each.name for each in script.functions} for file, script in scripts.items()
        }
        self._files = {file.rpartition("/")[2]: file for file in scripts}

    def follow(self, file: str) -> bool:
        """Whether the file's arguments come to any command."""
        waiting, seen = [(file, "")], set()
        is_found = False
        while waiting:
            unit = waiting.pop()
            if unit not in seen:
                seen.add(unit)
                is_found = self._read(*unit) or is_found
                waiting += self._next(*unit)
        return is_found

    def _read(self, file: str, function: str) -> bool:
        script = self._scripts[file]
        found = [
            *_by_cases(file, script, function),
            *_by_tests(file, script, function),
            *self._by_names(file, script, function),
        ]
        known = set(self._commands.found)
        self._commands.found += [each for each in found if each not in known]
        return any(not each.name.startswith("-") for each in found)  # those are options

    def _next(self, file: str, function: str) -> Iterator[tuple[str, str]]:
        """Where its arguments go from there, whatever they are."""
        script = self._scripts[file]
        for call in script.calls_of(function):
            if call.arm is not None:
                continue
            hands_on = any(_HANDS_ON.search(word) for word in call.words[1:])
            is_own = call.words[0] in self._own[file]
            home = file if is_own else self._homes.get(call.words[0])
            if home and hands_on:
                yield home, call.words[0]
            elif run := self._file_in(call, hands_on):
                yield run, ""

    def _file_in(self, call: Call, hands_on: bool) -> str:
        names = call.words[:1] if call.words[0] not in _RUNS else call.words[1:3]
        files = (self._files.get(name.rpartition("/")[2], "") for name in names)
        return next(filter(None, files), "") if hands_on or call.words[0] in {"source", "."} else ""

    def _by_names(self, file: str, script: Script, function: str) -> Iterator[Command]:
        for call in script.calls_of(function):
            name = call.words[0].rpartition("/")[2]
            found = _variable_of_command(script, function, name)
            if found is None:
                continue
            before, behind = name[: found.start()], name[found.end() :].lstrip("}")
            shape = re.compile(rf"{re.escape(before)}([\w:.-]+){re.escape(behind)}")
            known = [*self._homes, *self._files] if before or behind else []
            matches = [str(match[1]) for each in known if (match := shape.fullmatch(each))]
            for named in matches:
                yield Command(name=named, file=file, line=call.line)
            if not matches:
                text = f"it calls commands by their name, {call.words[0]}: each function may be one"
                self._commands.troubles.append(Trouble(file=file, line=call.line, text=text))


def _variable_of_command(script: Script, function: str, word: str) -> re.Match[str] | None:
    found = _VARIABLE.search(word)
    return found if found and _is_over(script, function, found[0], _FIRST) else None


def _by_cases(file: str, script: Script, function: str) -> Iterator[Command]:
    for case in script.cases:
        if case.function != function:
            continue
        if case.around is None and _is_over(script, function, case.word, _FIRST):
            yield from (each for arm in case.arms for each in _of_arm(file, arm, ""))
        elif outer := _command_around(script, case):
            yield from (each for arm in case.arms for each in _of_arm(file, arm, f"{outer} "))


def _command_around(script: Script, case: Case) -> str:
    """The command whose second word the case asks for; "" for none."""
    arm = case.around
    if arm is None or arm.case.around is not None or not arm.labels:
        return ""
    variable = _VARIABLE.match(case.word)
    is_outer = _is_over(script, case.function, arm.case.word, _FIRST)
    is_second = _is_over(script, case.function, case.word, _SECOND)
    if not is_outer or not is_second or (variable and variable[1].lower() in _PLACES):
        return ""
    return next(_names(arm), "")


def _of_arm(file: str, arm: Arm, before: str) -> Iterator[Command]:
    names = tuple(_names(arm))
    for name in names:
        others = tuple(f"{before}{other}" for other in names if other != name)
        yield Command(name=before + name, file=file, line=arm.line, aliases=others)


def _names(arm: Arm) -> Iterator[str]:
    """Without what is only there for all others: `*`, `-*`, and nothing at all."""
    return (label for label in arm.labels if not _ALL_OTHERS.fullmatch(label))


def _by_tests(file: str, script: Script, function: str) -> Iterator[Command]:
    """`if [ "$1" = deploy ]`."""
    calls = (call for call in script.calls if call.words[0] in _TESTS)
    for call in (*calls, *script.tests):
        if call.function == function and call.arm is None:
            for left, sign, right in _threes(call.words):
                is_command = _is_over(script, function, left, _FIRST)
                if is_command and sign in {"=", "=="} and _PLAIN.fullmatch(right):
                    yield Command(name=right, file=file, line=call.line)


def _threes(words: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    return zip(words, words[1:], words[2:], strict=False)


def _is_over(script: Script, function: str, word: str, position: re.Pattern[str]) -> bool:
    """Whether a word is the argument at that position, or a variable that was given it."""
    if position.match(word) or _OVER_COMMAND.match(word):
        return True
    variable = _VARIABLE.match(word)
    return variable is not None and any(
        position.match(value) for value in _values(script, function, variable[1])
    )


def _values(script: Script, function: str, name: str) -> Iterator[str]:
    for place in (function, ""):
        if value := script.given.get((place, name)):
            yield value
