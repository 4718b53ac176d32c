"""The scalars of `hms.yaml`: ids, durations, hours, zones and addresses, each with its sentence when wrong.

Every reader raises `PydanticCustomError(FAULT, …)` whose message is what people read; nothing here knows
where in the file a value stands.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time, timedelta
from typing import Annotated, NoReturn
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from bot.config.wording import hint, quote
from operations.durations import parse_duration

FAULT = "hms_fault"
"""The type of errors whose message is a sentence for people already."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY_SETS = {"weekdays": range(5), "weekends": range(5, 7), "daily": range(7)}


def refuse(sentence: str) -> NoReturn:
    """Fail validation with a sentence for people."""
    raise PydanticCustomError(FAULT, "{sentence}", {"sentence": sentence})


@dataclass(frozen=True, slots=True)
class Hours:
    """From `start` to `end`; an end before the start is on the next day, 24:00 is the day's last instant."""

    start: time
    end: time
    text: str


@dataclass(frozen=True, slots=True)
class Days:
    """0 (Monday) to 6."""

    numbers: frozenset[int]
    text: str


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """More than `count` error events in `span`."""

    count: int
    span: timedelta


def _channel(text: str) -> str:
    if re.fullmatch(r"[CG][A-Z0-9]{2,20}", text):
        return text
    refuse(f"{quote(text)} is not a channel's id: it starts with C or G and is at the foot of the "
           "channel's details in Slack")  # fmt: skip


def _user(text: str) -> str:
    if re.fullmatch(r"[UW][A-Z0-9]{2,20}", text):
        return text
    refuse(f"{quote(text)} is not a user's id: it starts with U or W, see “Copy member ID” in the "
           "person's profile in Slack")  # fmt: skip


def _member(text: str) -> str:
    if re.fullmatch(r"[UWS][A-Z0-9]{2,20}", text):
        return text
    refuse(f"{quote(text)} is neither a user's id (U… or W…) nor a user group's (S…)")


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        wrong = parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or re.search(r"[\s\x00-\x1f]", text):
        refuse(f"{quote(text)} is not an address: write http://HOST/PATH or https://HOST/PATH")
    if "@" in parts.netloc:
        refuse(
            "an address here may not hold a user or a password: this file is no place for secrets"
        )
    return text


def _ticket_url(text: str) -> str:
    _url(text)
    if "{external_id}" not in text:
        refuse(
            f"{quote(text)} does not say where the ticket goes: write {{external_id}} in its place"
        )
    if "{external_id}" in urlsplit(text).netloc:
        refuse("a ticket may stand behind the host only: whoever names it must not choose the host")
    return text


def _check_url(text: str) -> str:
    if not text.startswith("tcp://"):
        return _url(text)
    try:
        parts = urlsplit(text)
        wrong = not parts.hostname or not parts.port or parts.path or parts.query or "@" in text
    except ValueError:
        wrong = True
    if wrong or re.search(r"[\s\x00-\x1f]", text):
        refuse(f"{quote(text)} is not a port: write tcp://HOST:PORT")
    return text


def _smtp(text: str) -> str:
    try:
        parts = urlsplit(text)
        wrong = parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or re.search(r"[\s\x00-\x1f]", text):
        refuse(
            f"{quote(text)} is not a mail server: write smtp://USER@HOST:587 or smtps://USER@HOST:465"
        )
    if parts.password is not None:
        refuse("the password does not belong here: put it into HMS_SMTP_PASSWORD")
    if parts.path.strip("/") or parts.query or parts.fragment:
        refuse(f"{quote(text)} goes on after the host: write smtp://USER@HOST:587 only")
    return text


def _mailbox(text: str) -> str:
    if re.fullmatch(r"[^\s@<>,;\x00-\x1f]+@[^\s@<>,;\x00-\x1f]+", text):
        return text
    refuse(f"{quote(text)} is not an e-mail address: write name@example.com")


def _regex(text: str) -> str:
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as exc:
        refuse(f"{quote(text)} is not a regular expression: {exc}")
    return text


def _right(text: str) -> str:
    if re.fullmatch(r"read|events|deploy:[A-Za-z0-9][A-Za-z0-9._-]*", text):
        return text
    refuse(f"{quote(text)} is no right: write read, events or deploy:ENVIRONMENT")


def _repository(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+", text):
        return text
    refuse(f"{quote(text)} is not a repository: write OWNER/NAME")


def _target_name(text: str) -> str:
    if re.fullmatch(r"[^/\s]+/[^/\s]+", text):
        return text
    refuse(f"{quote(text)} is not a target: write PROJECT/ENVIRONMENT")


def _digest(text: str) -> str:
    if re.fullmatch(r"[0-9a-f]{64}", text):
        return text
    refuse(
        "is not a SHA-256: write the 64 digits (0-9, a-f) that “printf %s TOKEN | sha256sum” prints"
    )


def _duration(given: object) -> timedelta:
    if isinstance(given, timedelta):
        return given
    if isinstance(given, int) and not isinstance(given, bool):
        refuse(f"{given} has no unit: write {given}s, {given}m, {given}h or {given}d")
    if not isinstance(given, str):
        refuse("must be a duration: write 30s, 10m, 2h or 7d")
    try:
        span = parse_duration(given)
    except ValueError:
        refuse(f"{quote(given)} is not a duration: write 30s, 10m, 2h or 7d")
    if not span:
        refuse(f"{quote(given)} is no time at all: write 30s, 10m, 2h or 7d")
    return span


def _timezone(given: object) -> ZoneInfo:
    if isinstance(given, ZoneInfo):
        return given
    if isinstance(given, str) and re.fullmatch(r"[A-Za-z0-9_+/-]{1,64}", given):
        try:
            return ZoneInfo(given)
        except (KeyError, ValueError, OSError):
            pass
    shown = quote(given) if isinstance(given, str) else "this"
    near = hint(given, available_timezones()) if isinstance(given, str) else ""
    refuse(f"{shown} is not a time zone{near or ': write one such as Europe/London or UTC'}")


def _clock_time(text: str) -> time | None:
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text.strip())
    if found:
        return time(int(found[1]), int(found[2]))
    return time.max if text.strip() == "24:00" else None


def _time_of_day(given: object) -> time:
    if isinstance(given, time):
        return given
    found = _clock_time(given) if isinstance(given, str) else None
    if found is None or found == time.max:
        refuse('is not a time of day: write it in quotes, such as "09:00"')
    return found


def _hours(given: object) -> Hours:
    if isinstance(given, Hours):
        return given
    start_text, dash, end_text = (
        given.replace("–", "-").partition("-") if isinstance(given, str) else ("",) * 3
    )
    start, end = _clock_time(start_text), _clock_time(end_text)
    if not dash or start is None or end is None or start == time.max:
        refuse('are not hours: write them in quotes, such as "09:00-17:30"')
    if start == end:
        refuse('begin and end at the same time: write "00:00-24:00" for the whole day')
    return Hours(start, end, f"{start:%H:%M}-{'24:00' if end == time.max else f'{end:%H:%M}'}")


def _days(given: object) -> Days:
    if isinstance(given, Days):
        return given
    words = given if isinstance(given, list) else [given]
    numbers: set[int] = set()
    for word in words:
        if not isinstance(word, str):
            refuse("are not days: write mon-fri, weekdays or mon,wed")
        for part in word.lower().replace("–", "-").split(","):
            numbers |= _day_range(part.strip())
    return Days(frozenset(numbers), ",".join(str(word).lower().replace(" ", "") for word in words))


def _day_range(part: str) -> set[int]:
    if part in _DAY_SETS:
        return set(_DAY_SETS[part])
    first, dash, last = part.partition("-")
    start, end = _day(first), _day(last if dash else first)
    return {day % 7 for day in range(start, end + 1 if end >= start else end + 8)}


def _day(word: str) -> int:
    short = word.strip()[:3]
    full = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    if short in _DAYS and full[_DAYS.index(short)].startswith(word.strip()):
        return _DAYS.index(short)
    refuse(f"{quote(word)} is no day: write mon, tue, wed, thu, fri, sat or sun, mon-fri, weekdays, "
           "weekends or daily")  # fmt: skip


def _error_rate(given: object) -> ErrorRate:
    if isinstance(given, ErrorRate):
        return given
    found = re.fullmatch(r"\s*([0-9]{1,9})\s*/\s*(.+)", given) if isinstance(given, str) else None
    if found is None:
        refuse('is no rate of errors: write how many in how long, such as "50/5m"')
    return ErrorRate(int(found[1]), _duration(found[2]))


def _text(pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern})


_DURATION_PATTERN = r"^\s*(\d{1,9}\s*[smhdSMHD]\s*)+$"

Channel = Annotated[str, AfterValidator(_channel), _text("^[CG][A-Z0-9]{2,20}$")]
User = Annotated[str, AfterValidator(_user), _text("^[UW][A-Z0-9]{2,20}$")]
Member = Annotated[str, AfterValidator(_member), _text("^[UWS][A-Z0-9]{2,20}$")]
Url = Annotated[str, AfterValidator(_url), _text("^https?://")]
TicketUrl = Annotated[
    str, AfterValidator(_ticket_url), _text(r"^https?://[^/?#]+[/?#].*\{external_id\}")
]
CheckUrl = Annotated[str, AfterValidator(_check_url), _text("^(https?|tcp)://")]
MailServer = Annotated[str, AfterValidator(_smtp), _text("^smtps?://")]
Mailbox = Annotated[str, AfterValidator(_mailbox), _text("^[^\\s@]+@[^\\s@]+$")]
Regex = Annotated[
    str, AfterValidator(_regex), WithJsonSchema({"type": "string", "format": "regex"})
]
Right = Annotated[str, AfterValidator(_right), _text(r"^(read|events|deploy:.+)$")]
Repository = Annotated[str, AfterValidator(_repository), _text("^[^/\\s]+/[^/\\s]+$")]
TargetName = Annotated[str, AfterValidator(_target_name), _text("^[^/\\s]+/[^/\\s]+$")]
Sha256 = Annotated[str, AfterValidator(_digest), _text("^[0-9a-f]{64}$")]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    _text(_DURATION_PATTERN),
]
Zone = Annotated[ZoneInfo, BeforeValidator(_timezone), WithJsonSchema({"type": "string"})]
TimeOfDay = Annotated[time, BeforeValidator(_time_of_day), _text(r"^\d{1,2}:\d{2}$")]
WindowHours = Annotated[
    Hours, BeforeValidator(_hours), _text(r"^\s*\d{1,2}:\d{2}\s*[-–]\s*\d{1,2}:\d{2}\s*$")
]
WindowDays = Annotated[
    Days,
    BeforeValidator(_days),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1},
            ]
        }
    ),
]
Rate = Annotated[ErrorRate, BeforeValidator(_error_rate), _text(r"^\s*\d{1,9}\s*/\s*\d.*$")]
