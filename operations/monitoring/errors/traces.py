"""Stack traces in plain text: where they begin, and which exception they are of.

The languages: Python, Java and its kin, JavaScript, PHP and Laravel, Go.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_BEGINS = re.compile(
    r"(?:  [+|] )?(?:Exception Group )?Traceback \(most recent call last\):"
    r"|\s+at \S|at [\w.$<>/]+\("
    r"|#0 |\[stacktrace\]|Stack trace:"
    r"|goroutine \d+ \["
)
_PYTHON = re.compile(r"(?:  [+|] )?(?:Exception Group )?Traceback \(most recent call last\):")
_CLASS = r"[A-Za-z_][\w.$\\]{0,200}"
# In the order in which they are believed.
_NAMED = (
    re.compile(rf"\[object\] \(({_CLASS})\(code:"),
    re.compile(rf"Uncaught ({_CLASS})(?::|$)"),
    re.compile(rf"Exception in thread \"[^\"]{{0,200}}\" ({_CLASS})(?::|$)"),
)
_AT_START = re.compile(rf"({_CLASS}(?:Exception|Error|Throwable|Fault|Interrupt|Exit))(?::|$)")
_ANY_AT_START = re.compile(rf"\s{{0,4}}(?:\| )?({_CLASS})(?::|$)")
_GO = re.compile(r"(panic|fatal error): ")


def split_stack(lines: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """What was said, and the stack trace after it; either may be empty."""
    begin = next((i for i, line in enumerate(lines) if _BEGINS.match(line)), len(lines))
    return lines[:begin], lines[begin:]


def last_words(stack: Sequence[str]) -> str:
    """The line in which a Python traceback names its exception; "" for any other."""
    begins = [i for i, line in enumerate(stack) if _PYTHON.match(line)]
    if not begins:
        return ""
    said = (line for line in stack[begins[-1] + 1 :] if line and not line[0].isspace())
    return next(said, "")


def type_in(text: str) -> str:
    """The exception's class that a text with a stack trace names; "" when it names none."""
    lines = text.split("\n")
    said, stack = split_stack(lines)
    if told := last_words(stack):
        found = _ANY_AT_START.match(told)
        return found[1] if found else ""
    return next((name for line in said if (name := _name_in(line))), "")


def _name_in(line: str) -> str:
    for pattern in _NAMED:
        if found := pattern.search(line):
            return found[1].replace("\\\\", "\\")
    found = _AT_START.match(line) or _GO.match(line)
    return found[1] if found else ""
