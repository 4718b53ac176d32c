"""One log for our own words and those of libraries: JSON lines or a console's, on stderr, without secrets.

Every value of every record passes `operations.redaction.clean` just before it is written, and the exact
secrets of this process are masked whatever they look like. Libraries are never heard below `info`, whatever
our own level is: at `debug` they print requests, headers and bodies. Not the place for the audit trail.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from bot.settings import Settings
from operations.redaction import clean

_OURS = ("hms", "bot", "handlers", "operations", "providers", "storage")
_WORDY = (
    "aiohttp.access",  # paths of hooks hold their tokens
    "alembic",  # what it is about to look at
    "apscheduler",  # every job's start and end
    "botocore",
    "boto3",
    "httpcore",
    "httpx",  # every request's address
    "kubernetes",
    "urllib3",
)
"""Heard from `warning` on."""

_LONGEST = 16_000  # characters of one value: a long traceback
_SECRET_KEY = re.compile(
    r"(?i)password|passwd|secret|token|authorization|api_?key|cookie|private_?key"
)
_MASK = "[redacted]"


def start_logging(settings: Settings, level: str) -> None:
    """Log to stderr as the settings say, at `level`, with every secret of theirs masked."""
    configure_logging(level, settings.log_format, sys.stderr.isatty(), secrets=settings.secrets())


def configure_logging(
    level: str,
    format: str,
    stream_is_terminal: bool,
    *,
    stream: TextIO | None = None,
    secrets: Iterable[str] = (),
) -> None:
    """Set structlog and the standard library's logging up; may be called again.

    `format` is `json`, `console`, or "" for what suits the stream (None: stderr).
    """
    console = format == "console" or (not format and stream_is_terminal)
    redaction = _Redaction(_maskable(secrets))
    handler = _Handler(stream or sys.stderr, redaction)
    handler.setFormatter(_formatter(redaction, _renderer(console, stream_is_terminal)))
    _set_levels(getattr(logging, level.upper()))
    logging.getLogger().handlers = [handler]
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_gathering(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def mask(secrets: Iterable[str]) -> None:
    """From now on these are secrets too: what the configuration names is known only after it was read."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _Handler):
            handler.redaction.mask(secrets)


class _Handler(logging.StreamHandler[TextIO]):
    """The standard one prints the arguments of a record that cannot be formatted: secrets, maybe."""

    def __init__(self, stream: TextIO, redaction: _Redaction) -> None:
        super().__init__(stream)
        self.redaction = redaction

    def handleError(self, record: logging.LogRecord) -> None:
        kind = getattr(sys.exc_info()[0], "__name__", "an error")
        with suppress(OSError, ValueError):
            self.stream.write(f"A record of {record.name} could not be written: {kind}\n")


def _maskable(secrets: Iterable[str]) -> tuple[str, ...]:
    """Longest first, as one may hold another; a very short one would mask half of every word."""
    return tuple(sorted({text for text in secrets if len(text) >= 6}, key=len, reverse=True))


def _formatter(redaction: Processor, renderer: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_gathering(), structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redaction,
            renderer,
        ],
    )


def _gathering() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderer(console: bool, colors: bool) -> Processor:
    if not console:
        return structlog.processors.JSONRenderer()
    # The pretty formatter would print local variables, secrets among them.
    return structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=structlog.dev.plain_traceback
    )


def _set_levels(level: int) -> None:
    logging.getLogger().setLevel(max(level, logging.INFO))
    for name in _OURS:
        logging.getLogger(name).setLevel(level)
    for name in _WORDY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


@dataclass(slots=True)
class _Redaction:
    """The last step before rendering: makes every value safe to keep, however deep it stands."""

    secrets: tuple[str, ...]

    def mask(self, secrets: Iterable[str]) -> None:
        """These as well."""
        self.secrets = _maskable([*self.secrets, *secrets])

    def __call__(self, logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
        cleaned: MutableMapping[str, object] = {
            str(key): self._entry(str(key), value) for key, value in event.items()
        }
        return cleaned

    def _entry(self, key: str, value: object) -> object:
        if _SECRET_KEY.search(key) and value is not None and not isinstance(value, bool):
            return _MASK
        return self._value(value)

    def _value(self, value: object) -> object:
        match value:
            case None | bool() | int() | float():
                return value
            case Mapping():
                return {str(key): self._entry(str(key), child) for key, child in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._value(child) for child in value]
            case bytes():
                return self._text(value.decode("utf-8", "replace"))
            case _:
                return self._text(value if isinstance(value, str) else str(value))

    def _text(self, text: str) -> str:
        for secret in self.secrets:
            text = text.replace(secret, _MASK)
        return clean(text, limit=_LONGEST)
