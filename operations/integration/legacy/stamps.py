"""How lines of old logs begin: without colours, and with their time as ISO 8601 has it.

PHP's own log, Apache's, nginx's and `date` write times in ways of their own; whoever reads a line after this
needs to know one way only. Dates with dots begin with the day. A stamp without a year stays as it is, which
nobody understands: whatever stood for the year would be guessed, and another one next time.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_ANSI = re.compile(
    r"\x1b(?:\[[0-?]{0,32}[ -/]{0,4}[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\-_])"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff]")
_CLOCK = r"(?P<clock>\d\d:\d\d(?::\d\d)?)(?:[.,]\d{1,9})?"
_ZONE = r"(?P<zone>[A-Za-z][\w/+-]{0,40}|[+-]\d\d:?\d\d)"
_STAMPS = tuple(
    re.compile(rf"(?P<open>\[?){pattern}(?(open)\]?)(?![\w.]|:\d)")
    for pattern in (
        rf"(?P<day>\d\d)-(?P<month>[A-Z][a-z]{{2}})-(?P<year>\d{{4}}) {_CLOCK}(?: {_ZONE}(?=\]))?",
        rf"(?P<day>\d\d)/(?P<month>[A-Z][a-z]{{2}})/(?P<year>\d{{4}}):{_CLOCK}(?: {_ZONE})?",
        rf"[A-Z][a-z]{{2}} (?P<month>[A-Z][a-z]{{2}}) (?P<day>[ \d]\d) {_CLOCK}"
        r"(?: (?P<zone>[A-Z]{2,5}))? (?P<year>\d{4})",
        rf"[A-Z][a-z]{{2}}, (?P<day>\d\d) (?P<month>[A-Z][a-z]{{2}}) (?P<year>\d{{4}}) {_CLOCK}(?: {_ZONE})?",
        rf"(?P<day>\d{{1,2}})\.(?P<month>\d{{1,2}})\.(?P<year>\d{{4}}),? {_CLOCK}",
        r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)[ T](?P<clock>\d\d:\d\d)(?!:)",
    )
)
_SLASHED = re.compile(r"(\[?)(\d{4})/(\d\d)/(\d\d) (?=\d\d:\d\d:\d\d)")
_SENDER = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))"
    r" [\w.-]{1,64} [\w./-]{1,64}\[\d{1,10}\]:(?= )"
)
"""Whom syslog and journald name between the time and the line."""
_SUMMER = {
    "CEST": "Etc/GMT-2", "EEST": "Etc/GMT-3", "WEST": "Etc/GMT-1", "EDT": "Etc/GMT+4", "CDT": "Etc/GMT+5",
    "MDT": "Etc/GMT+6", "PDT": "Etc/GMT+7", "PST": "Etc/GMT+8",
}  # fmt: skip
"""Names that `date` writes and the database of time zones has not."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def tidy_line(text: str) -> str:
    """Without control characters, but for tabs; its time rewritten where it is in a known way."""
    if not text.isprintable():
        text = _CONTROL.sub("", _ANSI.sub("", text))
    for pattern in _STAMPS:
        if (found := pattern.match(text)) and (stamp := _rewrite(found)):
            return f"[{stamp}]{text[found.end() :]}"
    text = _SLASHED.sub(r"\1\2-\3-\4 ", text, count=1) if _SLASHED.match(text) else text
    return _SENDER.sub(r"\1 ", text, count=1)


def _rewrite(found: re.Match[str]) -> str:
    """`2025-11-03T10:00:00`, with its offset where the stamp names a zone; "" for no day of any year."""
    parts = found.groupdict()
    month = _MONTHS.index(parts["month"]) + 1 if parts["month"] in _MONTHS else parts["month"]
    try:
        day = date(int(parts["year"]), int(month), int(parts["day"]))
    except ValueError:
        return ""
    clock = parts["clock"] if len(parts["clock"]) > len("10:00") else f"{parts['clock']}:00"
    stamp = f"{day.isoformat()}T{clock}"
    return stamp + _offset(stamp, parts.get("zone") or "")


def _offset(stamp: str, zone: str) -> str:
    """`+01:00`; "" where nobody can say."""
    if zone[:1] in {"+", "-"}:
        return zone
    try:
        named = ZoneInfo(_SUMMER.get(zone, zone)) if zone else None
        at = datetime.fromisoformat(stamp).replace(tzinfo=named) if named else None
    except (KeyError, ValueError, OSError):
        return ""
    offset = at.utcoffset() if at else None
    if offset is None:
        return ""
    minutes = offset // timedelta(minutes=1)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"
