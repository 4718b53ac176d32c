"""The waiting room of events: so many and so large, and no more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from operations.errors import Overloaded
from operations.monitoring.errors.event import LogEvent

_OVERHEAD = 500  # bytes of an event beside its texts, about


class Room:
    """Whoever comes first gets in, however much they bring; so nothing is too large for ever."""

    def __init__(self, *, events: int, size: int, retry_after: float) -> None:
        self._most_events = events
        self._most_size = size
        self._retry_after = retry_after
        self.events = 0
        self.size = 0

    @contextmanager
    def place(self, events: Sequence[LogEvent]) -> Iterator[None]:
        """Raises Overloaded when it is full."""
        size = sum(_size_of(event) for event in events)
        if self.events and (
            self.events + len(events) > self._most_events or self.size + size > self._most_size
        ):
            raise Overloaded(
                "Too many events are waiting to be stored.",
                hint="Send them again in a moment.",
                retry_after=self._retry_after,
            )
        self.events += len(events)
        self.size += size
        try:
            yield
        finally:
            self.events -= len(events)
            self.size -= size


def _size_of(event: LogEvent) -> int:
    fields = sum(len(key) + len(value) for key, value in event.fields.items())
    return _OVERHEAD + len(event.message) + fields
