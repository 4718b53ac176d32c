"""Stack traces as programs write them, reduced to what stays: the exception's type, files and functions.

Reads Python's, Java's, JavaScript's, PHP's and Go's. Of a chain of exceptions the outermost counts, the one
that the program ended with: causes below it differ with the weather. Line numbers move with every release.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LONGEST = 64_000  # characters looked at, half of them from each end
_LONGEST_LINE = 400
_MOST_FRAMES = 100

_FRAMES: tuple[re.Pattern[str], ...] = (
    # Python:  File "/app/shop/cart.py", line 12, in total
    re.compile(r'\s*File "(?P<file>[^"]*)", line \d+(?:, in (?P<function>.+))?'),
    # Java:  at com.acme.Cart.total(Cart.java:12)
    re.compile(
        r"\s*at (?P<function>[\w.$<>/@]+)\((?P<file>[\w$.-]+\.(?:java|kt|scala|groovy))(?::\d+)?\)"
    ),
    re.compile(
        r"\s*at (?P<function>[\w.$<>/@]+)\((?P<file>Native Method|Unknown Source|<generated>)\)"
    ),
    # JavaScript:  at total (/app/cart.js:12:5)   at /app/cart.js:12:5
    re.compile(r"\s*at (?:(?P<function>[^()]+?) )?\(?(?P<file>[^()\s]+?)(?::\d+){1,2}\)?\s*$"),
    # Firefox and Safari:  total@https://shop.example.com/cart.js:12:5
    re.compile(r"\s*(?P<function>[^@\s]*)@(?P<file>\S+?)(?::\d+){1,2}\s*$"),
    # PHP:  #0 /app/Cart.php(12): Cart->total()   #1 {main}
    re.compile(r"\s*#\d+ (?P<file>[^(]+)\(\d+\): (?P<function>[^(]+)"),
    re.compile(r"\s*#\d+ (?P<file>\[internal function\]): (?P<function>[^(]+)"),
    # Go:  main.total(0xc000, 0x2)  then  /app/cart.go:12 +0x1d
    re.compile(r"(?P<function>[\w./*()\[\]-]+\.[\w.*()-]+)\((?:0x|\.\.\.|\{|\))"),
)
_PYTHON = "Traceback (most recent call last)"
_CAUSE = re.compile(r"\s*(?:Caused by|Suppressed|\[cause\]|Previous exception|Next )[: ]")
_TYPE = re.compile(
    r"(?:Exception in thread \"[^\"]*\" |(?:PHP )?Fatal error: +Uncaught |Uncaught |panic: )?"
    r"(?P<type>[A-Za-z_][\w.$\\]{2,199})(?P<rest>: .*|\Z)"
)
_CHANGING = re.compile(r"(?<![a-z])[0-9a-f]{6,}(?![a-z])|\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stack:
    """`type` is "" when it is not told; `frames` are `file function`, as they were written."""

    type: str
    message: str
    frames: tuple[str, ...]


def read_stack(text: str) -> Stack | None:
    """The outermost exception's; None when there are no frames that are known."""
    lines = [line[:_LONGEST_LINE].rstrip() for line in _ends(text).splitlines()]
    lines = _outermost(lines)
    frames = list(_frames(lines))
    if not frames:
        return None
    kind, message = _headline(lines)
    return Stack(kind, message, tuple(frames[:_MOST_FRAMES]))


def _ends(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return f"{text[:half]}\n{text[-half:]}"


def _outermost(lines: list[str]) -> list[str]:
    """Python writes causes first, everybody else last."""
    starts = [number for number, line in enumerate(lines) if _PYTHON in line]
    if starts:
        return lines[starts[-1] :]
    for number, line in enumerate(lines):
        if number and _CAUSE.match(line):
            return lines[:number]
    return lines


def _frames(lines: list[str]) -> Iterator[str]:
    """Each once in a row: how deep a recursion went says nothing."""
    former = ""
    for line in lines:
        frame = _frame(line)
        if frame and frame != former:
            yield frame
            former = frame


def _frame(line: str) -> str:
    for shape in _FRAMES:
        found = shape.match(line)
        if found:
            parts = found.groupdict()
            place = _CHANGING.sub("*", _tail(parts.get("file") or ""))
            return f"{place} {_CHANGING.sub('*', (parts.get('function') or '').strip())}".strip()
    return ""


def _tail(path: str) -> str:
    """The last two parts: where it is installed differs between machines."""
    parts = re.split(r"[\\/]", re.split(r"[?#]", path, maxsplit=1)[0])
    return "/".join(part for part in parts[-2:] if part)


def _headline(lines: list[str]) -> tuple[str, str]:
    """Python tells the exception below its frames, everybody else above them."""
    is_python = any(_PYTHON in line for line in lines)
    for line in reversed(lines) if is_python else lines:
        if _frame(line):
            break
        found = None if line[:1].isspace() else _TYPE.match(line)
        if found:
            return found["type"], found["rest"].removeprefix(":").strip()
    return "", ""
