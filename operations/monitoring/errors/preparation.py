"""From what was handed in to what is written: cleaned, at a time that can be, and with its fingerprint.

Equal messages are prepared once: in a storm they are all there is.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from operations.monitoring.errors.cleaning import (
    clean_fields,
    clean_message,
    clean_name,
    clean_stack,
    settle_time,
)
from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.fingerprint import Grouping, fingerprint

_REMEMBERED = 1000
_LONGEST_REMEMBERED = 8000  # characters of what is told; so at most some 20 MB in all


@dataclass(frozen=True, slots=True)
class Entry:
    """An event as it is written; `grouping` None for one that is no error."""

    event: LogEvent
    grouping: Grouping | None


@dataclass(frozen=True, slots=True)
class _Known:
    """What follows from the words alone."""

    message: str
    stack: str
    grouping: Grouping | None


_Words = tuple[str, str, str, str, bool]


class Preparation:
    """One thread at a time: that of a caller who gave up meanwhile is still at work as the next begins."""

    def __init__(self) -> None:
        self._known: OrderedDict[_Words, _Known] = OrderedDict()
        self._turn = threading.Lock()

    def prepare(self, events: Iterable[LogEvent], now: datetime) -> list[Entry]:
        """Takes about 0.1 ms for an event that was not seen before: not for the event loop."""
        with self._turn:
            return [self._prepare(event, now) for event in events]

    def _prepare(self, event: LogEvent, now: datetime) -> Entry:
        given = event.fields
        words = (
            event.message,
            given.get("stack", ""),
            given.get("type", ""),
            given.get("fingerprint", ""),
            event.level.is_error,
        )
        known = self._look_up(words)
        cleaned = LogEvent(
            project=clean_name(event.project),
            environment=clean_name(event.environment),
            level=event.level,
            message=known.message,
            at=event.at,
            source=clean_name(event.source),
            fields=clean_fields(given, known.stack) if given else {},
        )
        return Entry(settle_time(cleaned, now), known.grouping)

    def _look_up(self, words: _Words) -> _Known:
        known = self._known.get(words)
        if known is not None:
            self._known.move_to_end(words)
            return known
        known = _work_out(words)
        if sum(len(word) for word in words[:4]) <= _LONGEST_REMEMBERED:
            self._known[words] = known
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return known


def _work_out(words: _Words) -> _Known:
    message, stack, kind, given, is_error = words
    message, stack = clean_message(message), clean_stack(stack) if stack else ""
    if not is_error:
        return _Known(message, stack, None)
    deciding = {"stack": stack} if stack else {}
    if kind or given:
        deciding |= clean_fields({"type": kind, "fingerprint": given}, "")
    return _Known(message, stack, fingerprint(message, deciding))
