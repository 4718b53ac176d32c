"""From entries to events: how bad, what was said, which exception, and its stack trace.

Pure. What an outsider wrote is cleaned and cut here, before it goes anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from operations.monitoring.errors.documents import read_document
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.levels import level_of
from operations.monitoring.errors.lines import Entry
from operations.monitoring.errors.log_ports import LogSource
from operations.monitoring.errors.times import time_in
from operations.monitoring.errors.told import Told
from operations.monitoring.errors.traces import last_words, split_stack, type_in
from operations.redaction import clean, shorten

_LONGEST_MESSAGE = 2000
_LONGEST_STACK = 8000
_LONGEST_FIELD = 200
_AHEAD, _BEHIND = timedelta(minutes=5), timedelta(days=2)
"""How far a time that an application wrote may be from when it was read, to be believed."""

# What stands before the message: a time, the name of Laravel's channel with the level, or the level.
_OPENINGS = (
    re.compile(
        r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]{0,10}(?:Z| ?[+-]\d\d:?\d\d)?\]?\s{0,4}(?:- )?"
    ),
    re.compile(r"[\w-]{1,60}\.[A-Z]{4,9}: "),
    re.compile(
        r"\[?(?:ERROR|CRITICAL|FATAL|SEVERE|ALERT|EMERGENCY|PANIC|WARNING|WARN)\]?"
        r"(?:: {0,4}| {1,4}(?:- )?)"
    ),
)
_LARAVEL_CONTEXT = ' {"exception":"[object] '


def events_of(entries: Iterable[Entry], source: LogSource, now: datetime) -> Iterator[LogEvent]:
    """The error events among entries, in their order; `now` stands in for times that nobody knows.

    Where the source has a pattern, the entries are those that it matched: each is an error then, whatever
    it calls itself.
    """
    for entry in entries:
        told = _read(entry)
        level = _level_of(told)
        if source.pattern is not None:
            yield _event(entry, source, told, max(level, Level.ERROR), now)
        elif level.is_error:
            yield _event(entry, source, told, level, now)


def _level_of(told: Told) -> Level:
    """What it says of itself; a stack trace that says nothing else is an error."""
    if told.level is not None:
        return told.level
    return Level.ERROR if told.stack else Level.INFO


def _read(entry: Entry) -> Told:
    told = read_document(entry.lines[0]) if len(entry.lines) == 1 else None
    return told or _read_text(entry)


def _read_text(entry: Entry) -> Told:
    said, stack = split_stack(entry.lines)
    head = said[0] if said else ""
    message = "\n".join([_without_opening(head), *said[1:]]).strip()
    return Told(
        message=message.partition(_LARAVEL_CONTEXT)[0] or last_words(stack) or entry.lines[0],
        level=level_of(head),
        at=time_in(head),
        type=type_in("\n".join(entry.lines)) if stack else "",
        stack="\n".join(stack),
    )


def _without_opening(head: str) -> str:
    for opening in _OPENINGS:
        if found := opening.match(head):
            head = head[found.end() :]
    return head


def _event(entry: Entry, source: LogSource, told: Told, level: Level, now: datetime) -> LogEvent:
    fields = {name[:_LONGEST_FIELD]: text for name, text in told.more.items()}
    fields |= {"stream": entry.stream, "type": told.type}
    cut = {name: shorten(text, limit=_LONGEST_FIELD) for name, text in fields.items() if text}
    if told.stack:
        cut["stack"] = clean(told.stack, limit=_LONGEST_STACK)
    return LogEvent(
        project=source.project,
        environment=source.environment,
        level=level,
        message=shorten(told.message, limit=_LONGEST_MESSAGE) or "(empty)",
        at=entry.at or _believed(told.at, now) or now,
        source=source.kind.value,
        fields=cut,
    )


def _believed(at: datetime | None, now: datetime) -> datetime | None:
    return at if at is not None and now - _BEHIND <= at <= now + _AHEAD else None
