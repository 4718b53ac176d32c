"""A message without what changes from one time to the next: `user 42 not found` → `user <n> not found`.

The kinds of things that change are those that Sentry's grouping parameterises ("message parameterization",
docs.sentry.io/concepts/data-management/event-grouping); the expressions are our own. Every repetition is
bounded or possessive, so that time grows with the text's length and no faster, whatever is written in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

LONGEST = 4000
"""Characters of a message that are looked at: what differs only later is the same error."""

_HELD = r"<(?:n|id|ip|email|path|time|span|value)>"
"""What stands for something that was left out; it is never taken for something else."""

_KINDS: tuple[tuple[str, str], ...] = (
    ("held", _HELD),
    ("url", rf"\b[a-z][a-z0-9+.-]{{1,15}}+://(?:{_HELD}|[^\s\"'<>`]){{1,2000}}+"),
    (
        "route",
        rf"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)\s{{1,3}}+/(?:{_HELD}|[^\s\"'<>`]){{0,2000}}+",
    ),
    ("email", r"(?<![\w.+-])[\w.+-]{1,64}+@[\w-]{1,63}+(?:\.[\w-]{1,63}+){1,8}+"),
    (
        "quoted",
        r"(?<!\w)(?:\"[^\"\n]{0,500}+\"|'[^'\n]{0,500}+'|`[^`\n]{0,500}+`|“[^”\n]{0,500}+”)(?!\w)",
    ),
    ("uuid", r"(?<!\w)[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?!\w)"),
    (
        "time",
        r"(?<!\d)\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9}+)?+)?+"
        r"(?:\s?(?:Z\b|UTC\b|[+-]\d\d:?\d\d))?+)?+",
    ),
    ("clock", r"(?<![\d:])\d\d:\d\d(?::\d\d(?:[.,]\d{1,9}+)?+)?+(?![\d:])"),
    ("ip", r"(?<![\w.])(?:\d{1,3}+\.){3}\d{1,3}+(?::\d{1,5}+)?+(?![\w.]*\d)"),
    (
        "ip6",
        r"(?<![\w:])(?=[0-9a-f:]{0,39}::|(?:[0-9a-f]{1,4}:){7})[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}(?![\w:])",
    ),
    (
        "path",
        r"(?<![\w/<>])(?:[a-z]:(?=[\\/])|~(?=/)|\.{1,2}+(?=/))?+(?:[\\/][\w.@%+~\-]{1,255}+){2,100}+/?+",
    ),
    (
        "hex",
        r"(?<!\w)(?:0x[0-9a-f]{1,64}+|(?=[a-f]{0,64}[0-9])(?=[0-9]{0,64}[a-f])[0-9a-f]{7,128}+)(?!\w)",
    ),
    (
        "pod",
        r"(?<=-)[bcdfghjklmnpqrstvwxz2456789]{8,10}+-[bcdfghjklmnpqrstvwxz2456789]{5}(?![\w-])",
    ),
    ("token", r"(?<![\w-])(?=[a-z_-]{0,128}[0-9])(?=[0-9_-]{0,128}[a-z])[\w-]{20,200}+"),
    (
        "span",
        r"(?<![\w.,])(?:\d{1,20}+(?:[.,]\d{1,9}+)?+\s?(?:ns|us|µs|μs|ms|s|secs?|seconds?|m|mins?|minutes?"
        r"|h|hours?|d|days?)(?![a-z])\s?)+",
    ),
    ("number", r"(?:(?<!\w)[+-])?+\d+(?:[.,:]\d+)*+"),
)
_ANY = re.compile("|".join(f"(?P<{name}>{rule})" for name, rule in _KINDS), re.IGNORECASE)
_LIST = re.compile(r"<n>(?:(?:,|;|\s){1,3}+<n>)++")
_BLANKS = re.compile(r"\s+")
_PART = re.compile(r"[^/]++")
_VARIABLE_PART = re.compile(
    r"[^/]{0,2000}?(?:\d{3}|[0-9a-f]{12})|\d{1,3}\Z|v?\d++(?:\.\d++)++\Z|.{41}", re.I
)


def normalise(text: str) -> str:
    """The message's constant words, in one line."""
    flat = _BLANKS.sub(" ", text[:LONGEST]).strip()
    return _LIST.sub("<n>", _ANY.sub(_replace, flat))


def _replace(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    text = found[0]
    rewrite = _REWRITTEN.get(kind)
    if rewrite is not None:
        return rewrite(text)
    blank = " " if text.endswith(" ") else ""
    return _STAND_INS[kind] + blank


def _keep(text: str) -> str:
    return text


def _url(text: str) -> str:
    """Who is asked, and the parts of the way that every call has."""
    scheme, _, rest = text.partition("://")
    return f"{scheme}://{_way(rest)}"


def _route(text: str) -> str:
    verb, _, way = text.partition(" ")
    return f"{verb} {_way(way)}"


def _way(text: str) -> str:
    path = re.split(r"[?#]", text, maxsplit=1)[0]
    return _PART.sub(_part, path)


def _part(found: re.Match[str]) -> str:
    part = found[0]
    return "<id>" if _VARIABLE_PART.match(part) else re.sub(r"\d+", "<n>", part)


_REWRITTEN: dict[str, Callable[[str], str]] = {"held": _keep, "url": _url, "route": _route}
_STAND_INS = {
    "email": "<email>",
    "quoted": "<value>",
    "uuid": "<id>",
    "time": "<time>",
    "clock": "<time>",
    "ip": "<ip>",
    "ip6": "<ip>",
    "path": "<path>",
    "hex": "<id>",
    "pod": "<id>",
    "token": "<id>",
    "span": "<span>",
    "number": "<n>",
}
