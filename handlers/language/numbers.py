"""Numbers and spans as people say them: `five`, `2 hours`, `for a week`."""

from __future__ import annotations

import re

_WORDS = {
    **{
        word: number
        for number, word in enumerate(
            ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"), 1
        )
    },
    "dozen": 12,
    "fifteen": 15,
    "twenty": 20,
    "thirty": 30,
    "fifty": 50,
    "hundred": 100,
}
_UNITS = (
    (re.compile(r"\s*(?:seconds?|secs?)\b"), "s"),
    (re.compile(r"\s*(?:minutes?|mins?)\b"), "m"),
    (re.compile(r"\s*(?:hours?|hrs?)\b"), "h"),
    (re.compile(r"\s*days?\b"), "d"),
)
_WEEKS = re.compile(r"(\d{1,4})\s*(?:weeks?|w)\b")
_BEFORE = re.compile(r"^(?:for|in|last|the last)\s+")
_ONE = re.compile(r"^an?\s+(?=[a-z])")


def is_number(word: str) -> bool:
    """Digits, or a number in words."""
    return word.isdecimal() or word.lower() in _WORDS


def in_digits(word: str) -> str:
    """`5` for `five`; anything else stays."""
    return str(_WORDS.get(word.lower(), word))


def in_short(span: str) -> str:
    """`2h` for `for 2 hours`; anything else stays, for whoever reads it to refuse."""
    text = _ONE.sub("1 ", _BEFORE.sub("", span.strip().lower()))
    text = _WEEKS.sub(lambda found: f"{int(found[1]) * 7}d", text)
    for pattern, unit in _UNITS:
        text = pattern.sub(unit, text)
    return text
