"""How bad something is, from the words and numbers that loggers use for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from operations.monitoring.errors.event import Level

_WORDS = {
    "trace": Level.DEBUG,
    "debug": Level.DEBUG,
    "info": Level.INFO,
    "information": Level.INFO,
    "notice": Level.INFO,
    "warn": Level.WARNING,
    "warning": Level.WARNING,
    "err": Level.ERROR,
    "error": Level.ERROR,
    "severe": Level.ERROR,
    "exception": Level.ERROR,
    "alert": Level.CRITICAL,
    "critical": Level.CRITICAL,
    "crit": Level.CRITICAL,
    "emergency": Level.CRITICAL,
    "emerg": Level.CRITICAL,
    "fatal": Level.CRITICAL,
    "panic": Level.CRITICAL,
}
_LETTERS = {"D": Level.DEBUG, "I": Level.INFO, "W": Level.WARNING, "E": Level.ERROR}
_LETTERS["F"] = Level.CRITICAL
# Words count in capitals, or where a logger marks them as the level: plain prose has errors in it too.
_SAID = re.compile(
    r"(?<![\w.-])(?:level|severity|lvl)=\"?([A-Za-z]{3,11})"
    r"|(?<![A-Za-z0-9_-])(TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERR|ERROR|SEVERE|ALERT|CRITICAL|CRIT"
    r"|EMERGENCY|EMERG|FATAL|PANIC)(?![A-Za-z0-9_=-])"
    r"|\[(debug|info|notice|warn|warning|error|crit|critical|alert|emerg|fatal)\]"
    r"|^PHP (Fatal|Parse|Warning|Notice)\b"
    r"|^(panic|fatal error): "
)
_KLOG = re.compile(r"([DIWEF])\d{4} \d\d:\d\d:\d\d")
_PARTS = {"parse": Level.CRITICAL, "fatal error": Level.CRITICAL}
_LOOKED_AT = 1000
"""Characters of a line; a level stands near its beginning."""


def level_of(line: str) -> Level | None:
    """What a line says of itself: the first word of a level in it; None when it does not say."""
    if letter := _KLOG.match(line):
        return _LETTERS[letter[1]]
    for found in _SAID.finditer(line[:_LOOKED_AT]):
        word = next(group for group in found.groups() if group).lower()
        level = _PARTS.get(word) or _WORDS.get(word)
        if level is not None:
            return level
    return None


def level_named(value: object) -> Level | None:
    """The level's member of a document: `error`, `ERROR`, or a number of pino's; None for anything else."""
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower())
    return _by_number(value, _PINO) if isinstance(value, int) else None


def level_numbered(value: object) -> Level | None:
    """A number of Python's own; None for anything else."""
    return _by_number(value, _PYTHON) if isinstance(value, int) else None


_PINO = {10: Level.DEBUG, 20: Level.DEBUG, 30: Level.INFO, 40: Level.WARNING, 50: Level.ERROR}
_PINO[60] = Level.CRITICAL
_PYTHON = {level.value: level for level in Level}


def _by_number(value: int, scale: Mapping[int, Level]) -> Level | None:
    return None if isinstance(value, bool) else scale.get(value // 10 * 10)
