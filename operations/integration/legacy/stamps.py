"""How lines of old logs begin: without colours, and with their time as ISO 8601 has it.

PHP's own log, Apache's and nginx's write times in ways of their own; whoever reads a line after this needs
to know one way only.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_ANSI = re.compile(
    r"\x1b(?:\[[0-?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\-_])"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")
_PHP = re.compile(
    r"\[(?P<day>\d\d)-(?P<month>[A-Z][a-z]{2})-(?P<year>\d{4}) (?P<clock>\d\d:\d\d:\d\d)"
    r"(?: (?P<zone>[A-Za-z][\w/+-]{0,40}))?\]"
)
_APACHE = re.compile(
    r"\[[A-Z][a-z]{2} (?P<month>[A-Z][a-z]{2}) (?P<day>[ \d]\d) (?P<clock>\d\d:\d\d:\d\d)(?:\.\d{1,9})?"
    r" (?P<year>\d{4})\]"
)
_SLASHED = re.compile(r"(\[?)(\d{4})/(\d\d)/(\d\d) (?=\d\d:\d\d:\d\d)")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tidy_line(text: str) -> str:
    """Without control characters, but for tabs; its time rewritten where it is in a known way."""
    if not text.isprintable():
        text = _CONTROL.sub("", _ANSI.sub("", text))
    if text.startswith("["):
        for pattern in (_PHP, _APACHE):
            if found := pattern.match(text):
                return f"[{_rewrite(found)}]{text[found.end() :]}"
    return _SLASHED.sub(r"\1\2-\3-\4 ", text, count=1) if _SLASHED.match(text) else text


def _rewrite(found: re.Match[str]) -> str:
    """`2025-11-03T10:00:00`, with its offset where the stamp names a zone."""
    parts = found.groupdict()
    if parts["month"] not in _MONTHS:
        return found[0].strip("[]")
    month = _MONTHS.index(parts["month"]) + 1
    stamp = f"{parts['year']}-{month:02}-{parts['day'].replace(' ', '0')}T{parts['clock']}"
    return stamp + _offset(stamp, parts.get("zone") or "")


def _offset(stamp: str, zone: str) -> str:
    """`+01:00`; "" where nobody can say."""
    try:
        at = datetime.fromisoformat(stamp).replace(tzinfo=ZoneInfo(zone)) if zone else None
    except (KeyError, ValueError, OSError):
        return ""
    offset = at.utcoffset() if at else None
    if offset is None:
        return ""
    minutes = offset // timedelta(minutes=1)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"
