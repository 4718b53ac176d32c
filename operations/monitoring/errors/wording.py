"""A message without what changes from one time to the next: `user 42 not found` → `user <n> not found`.

The kinds of things that change are those that Sentry's grouping parameterises ("message parameterization",
docs.sentry.io/concepts/data-management/event-grouping); the expressions are our own. Every repetition is
bounded or possessive, so that time grows with the text's length and no faster, whatever is written in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

LONGEST = 4000
"""Characters of a message that are looked at: what differs only later is the same error."""

_HELD = r"<(?:n|id|ip|email|path|time|span|value)>"
"""What stands for something that was left out; it is never taken for something else."""

_HEX = "[0-9a-fA-F]"
_AT_WORDS: tuple[tuple[str, str], ...] = (
    ("url", rf"[a-zA-Z][a-zA-Z0-9+.-]{{1,15}}+://(?:{_HELD}|[^\s\"'<>`]){{1,2000}}+"),
    (
        "route",
        rf"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /(?:{_HELD}|[^\s\"'<>`]){{0,2000}}+",
    ),
    ("email", r"[\w.+-]{1,64}+@[\w-]{1,63}+(?:\.[\w-]{1,63}+){1,8}+"),
    ("uuid", rf"{_HEX}{{8}}-?(?:{_HEX}{{4}}-?){{3}}{_HEX}{{12}}(?!\w)"),
    (
        "time",
        r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9}+)?+)?+"
        r"(?:\s?(?:Z\b|UTC\b|[+-]\d\d:?\d\d))?+)?+",
    ),
    ("clock", r"(?<!:)\d\d:\d\d(?::\d\d(?:[.,]\d{1,9}+)?+)?+(?![\d:])"),
    ("ip", r"(?<!\.)(?:\d{1,3}+\.){3}\d{1,3}+(?::\d{1,5}+)?+(?![\w.]*\d)"),
    (
        "ip6",
        rf"(?<!:){_HEX}{{1,4}}(?=[0-9a-fA-F:]{{0,38}}::|(?::{_HEX}{{1,4}}){{7}})"
        rf"(?::{_HEX}{{0,4}}){{2,7}}(?![\w:])",
    ),
    ("drive", r"[a-zA-Z]:(?:[\\/][\w.@%+~\-]{1,255}+){2,100}+[\\/]?+"),
    (
        "hex",
        rf"(?:0x{_HEX}{{1,64}}+|(?=[a-fA-F]{{0,64}}[0-9])(?=[0-9]{{0,64}}[a-fA-F]){_HEX}{{7,128}}+)(?!\w)",
    ),
    (
        "token",
        r"(?<!-)(?=[a-zA-Z_-]{0,128}[0-9])(?=[0-9_-]{0,128}[a-zA-Z])[\w-]{20,200}+",
    ),
    (
        "span",
        r"(?<![.,])(?:\d{1,20}+(?:[.,]\d{1,9}+)?+\s?(?:ns|us|µs|μs|ms|s|secs?|seconds?|m|mins?|minutes?"
        r"|h|hours?|d|days?)(?![a-zA-Z])\s?)+",
    ),
)
"""What begins where a word does. Within a word nothing of all this is tried, which saves most of the time."""
_ANYWHERE: tuple[tuple[str, str], ...] = (
    ("number", r"\d+(?:[.,:]\d+)*+"),
    ("signed", r"[+-](?<!\w.)\d+(?:[.,:]\d+)*+"),
    ("held", _HELD),
    (
        "quoted",
        r"(?:\"(?<!\w\")[^\"\n]{0,500}+\"|'(?<!\w')[^'\n]{0,500}+'|`(?<!\w`)[^`\n]{0,500}+`"
        r"|“(?<!\w“)[^”\n]{0,500}+”)(?!\w)",
    ),
    (
        "path",
        r"[~./\\](?<![\w/<>].)(?:(?<=~)(?=/)|(?<=\.)\.?(?=/)|(?<=[/\\])[\w.@%+~\-]{1,255}+)"
        r"(?:[\\/][\w.@%+~\-]{1,255}+){1,100}+[\\/]?+",
    ),
    (
        "pod",
        r"-(?<=\w-)[bcdfghjklmnpqrstvwxz2456789]{8,10}+-[bcdfghjklmnpqrstvwxz2456789]{5}(?![\w-])",
    ),
    ("ip6_short", rf"::(?<![\w:]::)(?:{_HEX}{{1,4}}:){{0,6}}{_HEX}{{1,4}}(?![\w:])"),
)


def _either(kinds: Iterable[tuple[str, str]]) -> str:
    return "|".join(f"(?P<{name}>{rule})" for name, rule in kinds)


_ANY = re.compile(rf"(?:(?=\w)(?<!\w)(?:{_either(_AT_WORDS)}))|{_either(_ANYWHERE)}")
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
    "ip6_short": "<ip>",
    "path": "<path>",
    "drive": "<path>",
    "hex": "<id>",
    "pod": "-<id>",
    "token": "<id>",
    "span": "<span>",
    "number": "<n>",
    "signed": "<n>",
}
