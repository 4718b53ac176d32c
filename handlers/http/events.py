"""`POST /api/v1/events`: errors and logs of applications, answered once they are stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol, TypedDict

from handlers.http.bodies import JSON, BodyRoom, read_body
from handlers.http.event_values import Events
from handlers.http.routes import Call, Route
from handlers.http.schemas import Schema, Schemas
from handlers.http.sent_events import KINDS, NDJSON, SentEvent, read_events
from operations.clock import Clock
from operations.monitoring.errors.event import LogEvent

_SMALL = 8 * 1024
"""Characters that are parsed at once; more would keep everybody else waiting."""
_IN_WORK = 3 * 1024 * 1024
"""Bytes; as events they take some twenty times as much."""


class Intake(Protocol):
    """The way into the central log; `operations.monitoring.errors.intake` answers."""

    async def take(self, events: Sequence[LogEvent]) -> None:
        """Returns when they are stored; raises Overloaded."""
        ...


class AcceptedDocument(TypedDict):
    """How many events were taken: all of them."""

    accepted: int


class Receiving:
    """Handlers of what applications say."""

    def __init__(self, intake: Intake, events: Events, clock: Clock) -> None:
        self._intake = intake
        self._events = events
        self._clock = clock
        self._room = BodyRoom(_IN_WORK)

    def routes(self) -> Sequence[Route]:
        """One."""
        return (
            Route(
                method="POST",
                path="/api/v1/events",
                name="sendEvents",
                summary="Hand in errors and logs: an object, an array, or an object a line",
                right="events",
                handle=self.receive,
                document=AcceptedDocument,
                status=202,
                body={JSON: _one_or_many, NDJSON: lambda schemas: {"type": "string"}},
            ),
        )

    async def receive(self, call: Call) -> Mapping[str, object]:
        """Raises FaultyRequest when any of them is wrong, and Overloaded."""
        with self._room.place(call.request):
            events = await self._parse(call)
        if events:
            await self._intake.take(events)
        return {"accepted": len(events)}

    async def _parse(self, call: Call) -> list[LogEvent]:
        text = await read_body(call.request, KINDS)
        kind = call.request.content_type
        source = f"api:{call.component.name}"
        if len(text) > _SMALL:
            return await asyncio.to_thread(self._read, text, kind, source)
        return self._read(text, kind, source)

    def _read(self, text: str, kind: str, source: str) -> list[LogEvent]:
        return self._events.make(read_events(text, kind), source, self._clock.now())


def _one_or_many(schemas: Schemas) -> Schema:
    one = schemas.of_model(SentEvent)
    return {"anyOf": [one, {"type": "array", "items": one}]}
