"""`POST /api/v1/events`: errors and logs of applications, answered once they are stored."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from typing import Protocol, TypedDict

from handlers.http.bodies import JSON, BodyRoom, read_body
from handlers.http.event_values import Events
from handlers.http.keys import key_of, key_parameter
from handlers.http.routes import Call, Route
from handlers.http.schemas import Schema, Schemas
from handlers.http.sent_events import KINDS, NDJSON, SentEvent, read_events
from operations.clock import Clock
from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.repeats import BatchKey

_SMALL = 8 * 1024
"""Characters that are parsed at once; more would keep everybody else waiting."""
_IN_WORK = 3 * 1024 * 1024
"""Bytes; as events they take some twenty times as much."""


class Intake(Protocol):
    """The way into the central log; `operations.monitoring.errors.intake` answers."""

    async def take(self, events: Sequence[LogEvent], *, key: BatchKey | None = None) -> bool:
        """Returns when they are stored; False when they were before, under the key.

        Raises Overloaded, and Refused when something else came under the key.
        """
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
                parameters=(
                    key_parameter(
                        "A batch that comes again under its key within a day is answered and not "
                        "counted again: send it once more when the answer was lost."
                    ),
                ),
                refusals=(409,),
            ),
        )

    async def receive(self, call: Call) -> Mapping[str, object]:
        """Raises FaultyRequest when any of them is wrong, Overloaded, and Refused; see `Intake.take`."""
        key = key_of(call.request)
        with self._room.place(call.request, call.component.name):
            events, batch = await self._parse(call, key)
        if events:
            await self._intake.take(events, key=batch)
        return {"accepted": len(events)}

    async def _parse(self, call: Call, key: str) -> tuple[list[LogEvent], BatchKey | None]:
        text = await read_body(call.request, KINDS)
        kind = call.request.content_type
        source = f"api:{call.component.name}"
        if len(text) > _SMALL:
            return await asyncio.to_thread(self._read, text, kind, source, key)
        return self._read(text, kind, source, key)

    def _read(
        self, text: str, kind: str, source: str, key: str
    ) -> tuple[list[LogEvent], BatchKey | None]:
        events = self._events.make(read_events(text, kind), source, self._clock.now())
        return events, BatchKey(source, key, _hash_of(text)) if key else None


def _hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _one_or_many(schemas: Schemas) -> Schema:
    one = schemas.of_model(SentEvent)
    return {"anyOf": [one, {"type": "array", "items": one}]}
