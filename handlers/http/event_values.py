"""From what callers send to events: names and levels as we know them, fields as text.

What is too long, secret or unbelievable is the central log's matter, which takes events from elsewhere too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import JsonValue
from pydantic_core import to_json

from handlers.http.problems import MOST_FAULTS, BodyFault
from handlers.http.sent_events import SentEvent, faulty
from operations.deployment.target import Catalog
from operations.errors import UnknownTarget
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.levels import level_named


class Events:
    """Knows the targets by the names that callers may write."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._targets = {
            (t.project, t.environment): (t.project, t.environment) for t in catalog.targets
        }
        self._levels: dict[str, Level | None] = {}

    def make(self, sent: list[SentEvent], source: str, now: datetime) -> list[LogEvent]:
        """Each as it is kept; raises FaultyRequest naming those with unknown targets or levels."""
        events: list[LogEvent] = []
        faults: list[BodyFault] = []
        for index, event in enumerate(sent):
            target = self._targets.get((event.project, event.environment))
            level = self._level(event.level)
            if target is None:
                target = self._look_up(event, index, faults)
            if level is None:
                faults.append(BodyFault("level", "is no level that is known here", index))
            if target is not None and level is not None:
                events.append(_event(event, target, level, source, now))
            if len(faults) > MOST_FAULTS:
                break
        if faults:
            raise faulty(faults)
        return events

    def _level(self, word: str) -> Level | None:
        if word not in self._levels:
            if len(self._levels) > 1000:
                self._levels.clear()
            self._levels[word] = level_named(word)
        return self._levels[word]

    def _look_up(
        self, event: SentEvent, index: int, faults: list[BodyFault]
    ) -> tuple[str, str] | None:
        try:
            found = self._catalog.find(event.project, event.environment)
        except UnknownTarget as exc:
            at = "environment" if self._catalog.environments(event.project) else "project"
            faults.append(BodyFault(at, f"{exc.message} {exc.hint}".strip(), index))
            return None
        return found.project, found.environment


def _event(
    sent: SentEvent, target: tuple[str, str], level: Level, source: str, now: datetime
) -> LogEvent:
    return LogEvent(
        project=target[0],
        environment=target[1],
        level=level,
        message=sent.message,
        at=sent.time or now,
        source=source,
        fields=text_fields(sent.fields) if sent.fields else {},
    )


def text_fields(given: Mapping[str, JsonValue]) -> dict[str, str]:
    """Text only: scalars as they are written, what is nested as compact JSON, nothing for null."""
    return {name: _text(value) for name, value in given.items() if value is not None}


def _text(value: JsonValue) -> str:
    if isinstance(value, str):
        return value
    return to_json(value, inf_nan_mode="constants").decode("utf-8", "replace")
