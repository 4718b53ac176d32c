"""Where other files call HMS-OPS, and what the line says afterwards. Pure: text in, lines out.

A call is changed when HMS-SYS's own grammar takes its words, and it means what it meant. Everything else that
names HMS-OPS is for a person to look at, with the reason.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from operations.integration.legacy.invocations import Invocation, Word, find_invocations
from operations.integration.legacy.places import why_no_call
from operations.integration.legacy.prose import lines_of_prose
from operations.integration.legacy.remarks import remarks_on, why_broken
from operations.integration.legacy.renaming import COMMANDS, renamed

Refuses = Callable[[Sequence[str]], str]
"""Why HMS-SYS would not take these words, the verb first; "" when it would."""

ANY_WORDS = ("anyword", "1", "2h", "k8s")
"""What stands for a variable of a shell, one after the other, when the words are tried."""

NEEDS_PROGRAM = "it was called by its full path: say with --program where hms-sys is there"

_MENTION = re.compile(
    r"hms[-_ ]?ops|forge-api\.php|integrate-all\.sh|hms-dev-integration\.sh", re.IGNORECASE
)
_SETS = re.compile(
    r"""^\s*(?:export\s+|local\s+|readonly\s+|alias\s+|-\s+)*["']?([A-Za-z_]\w*)["']?\s*(?:[:+?]?=|:\s)\s*
        ["']?[^\s"']*hms-ops(?:\.sh)?["']?\s*$""",
    re.VERBOSE,
)
"""`OPS=/opt/hms-ops/hms-ops.sh`, as shells, Makefiles and CI files write it."""
_NAMED = (
    (
        re.compile(r"""hms-ops(?:\.sh)?["']\s*[],]"""),
        "its words are a list: change them one by one",
    ),
    (
        re.compile(r"hms-dev-integration\.sh"),
        "HMS-DEV asks by the HTTP API now: give it a component",
    ),
    (re.compile(r"(?:^|[\s;&|(])(?:\.|source)\s+\S*hms-ops"), "it reads HMS-OPS's functions in"),
    (re.compile(r"\b(?:cd|pushd)\s+\S*hms-ops"), "it goes to HMS-OPS's folder, which will be gone"),
    (re.compile(r"(?:^|\s)(?:#(?!!)|//)"), "in a comment"),
)
_NO_CALL = "it names HMS-OPS, and is no call of a command that HMS-SYS has"
_GOES_ON = re.compile(r"\\\r?\n$")
_LONGEST = 2000
"""Longer lines are minified or generated: nobody calls a shell tool there."""
_MOST_VARIABLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`program` is what is written where HMS-OPS was called by a path; "" where nobody said it."""

    refuses: Refuses
    program: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A line (from 1; with those that it goes on in) that names HMS-OPS.

    `after` is None when a person has to change it, for `reason`. `remarks` say what changes beside the name.
    """

    line: int
    before: str
    after: str | None = None
    reason: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def is_left(self) -> bool:
        """Whether the line still names HMS-OPS once everything is changed."""
        return self.after is None or _MENTION.search(self.after) is not None


def find_references(text: str, rules: Rules, *, name: str = "") -> Iterator[Reference]:
    """Every line of a file that names HMS-OPS, or calls it by a variable; `name` is the file's."""
    lines = _whole_lines(text)
    prose = lines_of_prose(name, [line for _, line in lines])
    variables: dict[str, int] = {}
    for at, (number, line) in enumerate(lines):
        if len(line) > _LONGEST:
            continue
        bare = line.rstrip("\r\n")
        if not _MENTION.search(line):
            yield from _by_variable(number, bare, variables)
        elif at in prose:
            yield Reference(line=number, before=bare, reason=prose[at])
        else:
            if found := _SETS.match(bare):
                variables.setdefault(found[1], number)
            yield _judged(number, bare, rules)


def replace_all(text: str, references: Sequence[Reference]) -> str:
    """The whole file with those lines changed, line ends as they were."""
    changes = {each.line: each for each in references}
    return "".join(_replaced(line, changes.get(number)) for number, line in _whole_lines(text))


def _replaced(line: str, change: Reference | None) -> str:
    if change is None or change.after is None:
        return line
    return change.after + line[len(change.before) :]


def _whole_lines(text: str) -> list[tuple[int, str]]:
    """Each with its number and its end; one that goes on after a backslash is one."""
    whole: list[tuple[int, str]] = []
    goes_on = False
    for number, line in enumerate(re.findall(r"[^\n]*\n|[^\n]+", text), start=1):
        if goes_on:
            whole[-1] = (whole[-1][0], whole[-1][1] + line)
        else:
            whole.append((number, line))
        goes_on = _GOES_ON.search(line) is not None
    return whole


def _by_variable(number: int, line: str, variables: dict[str, int]) -> Iterator[Reference]:
    for variable, set_in in variables.items():
        if re.search(rf"\$(?:{variable}\b|\{{{variable}\}}|\({variable}\))", line):
            reason = f"it calls HMS-OPS by {variable}, which line {set_in} sets"
            yield Reference(line=number, before=line, reason=reason)
            return


def _judged(number: int, line: str, rules: Rules) -> Reference:
    texts, calls = _sorted_calls(line)
    reasons = [why for why in (_why_not(call, rules) for call in calls) if why]
    if not calls:
        reasons = texts or [_why_named(line)]
    if reasons:
        return Reference(line=number, before=line, reason="; ".join(dict.fromkeys(reasons)))
    after = _changed(line, calls, rules)
    remarks = [remark for call in calls for remark in remarks_on(call)]
    if _MENTION.search(after):
        remarks.append("the line names HMS-OPS still.")
    unique = tuple(dict.fromkeys(remarks))
    return Reference(line=number, before=line, after=after, remarks=unique)


def _sorted_calls(line: str) -> tuple[list[str], list[Invocation]]:
    """Why some are no calls, and those that are."""
    texts, calls = [], []
    for found in find_invocations(line):
        if why := why_no_call(found.before):
            texts.append(why)
        else:
            calls.append(found)
    return texts, calls


def _why_named(line: str) -> str:
    """Why a line that names HMS-OPS, and calls it in no way that is known, is for a person."""
    if found := _SETS.match(line):
        return f"set it to hms-sys once all that uses {found[1]} is a command of HMS-SYS"
    return next((why for pattern, why in _NAMED if pattern.search(line)), _NO_CALL)


def _why_not(call: Invocation, rules: Rules) -> str:
    """Why a call is for a person; "" when it is changed."""
    if call.command not in COMMANDS:
        if rules.refuses([call.command, "--help"]):
            return f"HMS-SYS has no `{call.command}`"
        return f"HMS-OPS had no `{call.command}` that is known; HMS-SYS has one: compare them"
    if why := why_broken(call) or _refusal(call, rules.refuses):
        return why
    return NEEDS_PROGRAM if call.is_placed and not rules.program else ""


def _refusal(call: Invocation, refuses: Refuses) -> str:
    """Of the words as they will be written, whatever their variables may hold."""
    first = ""
    for words in _possible(call.words):
        why = refuses(renamed(words))
        if not why:
            return ""
        first = first or why
    return first


def _possible(words: Sequence[Word]) -> Iterator[list[str]]:
    variables = sum(word.is_variable for word in words)
    fillings: Iterator[tuple[str, ...]] = (
        itertools.product(ANY_WORDS, repeat=variables)
        if variables <= _MOST_VARIABLES
        else iter([(each,) * variables for each in ANY_WORDS])
    )
    times = range(4) if any(word.is_many for word in words) else range(1, 2)
    for filling, many in itertools.product(fillings, times):
        values = iter(filling)
        filled = [(word, next(values) if word.is_variable else word.text) for word in words]
        yield [value for word, value in filled for _ in range(many if word.is_many else 1)]


def _changed(line: str, calls: Sequence[Invocation], rules: Rules) -> str:
    for call in reversed(calls):
        program = rules.program if rules.program and "/" in call.program else "hms-sys"
        written = [line[word.start : word.end] for word in call.words]
        first, last = call.words[0].start, call.words[-1].end
        words = line[first:last]
        if renamed(written) != written:
            words = " ".join(renamed(written))
        line = line[: call.start] + program + line[call.end : first] + words + line[last:]
    return line
