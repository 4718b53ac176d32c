"""The bot's own errors as events of the central log: what this process logs as an error is one.

The neighbour of `logs`, which writes the same records to stderr. Storing them must not make more of them:
whatever is logged by a task that writes events is left to stderr.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType

from operations.clock import Clock
from operations.errors import Overloaded, StorageError, StorageUnavailable, VersionConflict
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.intake import Intake

PROJECT, ENVIRONMENT = "HMS-SYS", "bot"
_MOST_WAITING = 200
_EVERY_SECONDS = 1.0
_NO_FIELDS = frozenset({"event", "exc_info", "stack_info", "timestamp", "level"})

_Trouble = tuple[type[BaseException], BaseException, TracebackType | None]

_IS_WRITING: ContextVar[bool] = ContextVar("writes events", default=False)


def unheard(run: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """The same work; what its task logs, also about its end, makes no events."""

    async def run_unheard() -> None:
        _IS_WRITING.set(True)
        await run()

    return run_unheard


class OwnErrors(logging.Handler):
    """Keeps records until the loop hands them in; when too many wait, the newest are left to stderr."""

    def __init__(self, intake: Intake, clock: Clock, secrets: Iterable[str] = ()) -> None:
        super().__init__(logging.ERROR)
        self._intake = intake
        self._clock = clock
        self._secrets = tuple(sorted((s for s in secrets if len(s) >= 6), key=len, reverse=True))
        self._waiting: deque[LogEvent] = deque()

    def emit(self, record: logging.LogRecord) -> None:
        """From any thread; never waits."""
        if _IS_WRITING.get() or len(self._waiting) >= _MOST_WAITING:
            return
        try:
            self._waiting.append(self._event(record))
        except (TypeError, ValueError, KeyError, AttributeError):
            self.handleError(record)

    async def run(self) -> None:
        """Listen until cancelled. What could not be stored waits for the next time."""
        _IS_WRITING.set(True)
        logging.getLogger().addHandler(self)
        try:
            while True:
                await self._clock.sleep(_EVERY_SECONDS)
                await self._hand_in()
        finally:
            logging.getLogger().removeHandler(self)

    async def _hand_in(self) -> None:
        """They keep their places until they are stored, so that an outage lets no more of them wait."""
        events = list(self._waiting)
        if not events:
            return
        settled = len(events)
        try:
            await self._take(events)
        except (StorageUnavailable, VersionConflict, Overloaded):
            settled = 0
        finally:  # also after a bug, which would else be met for ever
            for _ in range(settled):
                self._waiting.popleft()

    async def _take(self, events: Sequence[LogEvent]) -> None:
        """One that the database refuses, and ever will, is left to stderr and holds no other up."""
        try:
            await self._intake.take(events)
        except (StorageUnavailable, VersionConflict):
            raise
        except StorageError:
            if len(events) > 1:
                for event in events:
                    await self._take([event])

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: the handler to stderr meets the same trouble and says so."""

    def _event(self, record: logging.LogRecord) -> LogEvent:
        told = record.msg if isinstance(record.msg, Mapping) else {}
        message = str(told["event"]) if told else record.getMessage()
        fields = {
            str(key): self._mask(str(value)) for key, value in told.items() if key not in _NO_FIELDS
        }
        fields["logger"] = record.name
        trouble = _trouble(record, told)
        if trouble is not None:
            fields["type"] = _name(trouble[0])
            fields["stack"] = self._mask("".join(traceback.format_exception(*trouble)))
        return LogEvent(
            project=PROJECT,
            environment=ENVIRONMENT,
            level=Level.CRITICAL if record.levelno >= logging.CRITICAL else Level.ERROR,
            message=self._mask(message),
            at=datetime.fromtimestamp(record.created, UTC),
            source="hms-sys",
            fields=fields,
        )

    def _mask(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        return text


def _trouble(record: logging.LogRecord, told: Mapping[str, object]) -> _Trouble | None:
    """The exception, as logging or structlog were given it."""
    given = record.exc_info or told.get("exc_info")
    if isinstance(given, BaseException):
        return type(given), given, given.__traceback__
    found = given if isinstance(given, tuple) else sys.exc_info() if given else None
    if found is None or found[0] is None or found[1] is None:
        return None
    return found[0], found[1], found[2]


def _name(kind: type[BaseException]) -> str:
    plain = kind.__qualname__
    return plain if kind.__module__ == "builtins" else f"{kind.__module__}.{plain}"
