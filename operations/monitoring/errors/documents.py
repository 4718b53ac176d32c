"""Log lines that are JSON: the members that structlog, pino, bunyan, logstash and ECS write.

ECS here is the Elastic Common Schema. Nested members are also found by their dotted name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from operations.monitoring.errors.levels import level_named, level_numbered
from operations.monitoring.errors.times import time_in, time_numbered
from operations.monitoring.errors.told import Told
from operations.monitoring.errors.traces import type_in

_LEVELS = ("level", "levelname", "severity", "log.level", "lvl", "loglevel", "log_level")
_NUMBERS = ("levelno", "level_number")
_MESSAGES = ("message", "msg", "event", "text", "short_message", "error.message")
_TIMES = ("@timestamp", "timestamp", "time", "ts", "asctime", "datetime")
_STACKS = (
    "stack",
    "stack_trace",
    "stacktrace",
    "stackTrace",
    "traceback",
    "error.stack_trace",
    "error.stack",
    "err.stack",
    "exc_info",
    "exception",
    "exception.stacktrace",
)
_TYPES = (
    "error.type",
    "err.type",
    "exception.type",
    "exception.class",
    "error.kind",
    "exc_type",
    "exception_class",
    "type",
)
_CAUSES = ("error", "err", "exception")
"""Members that hold an exception as a document of its own, with `type`, `message` and `stack`."""
_MOST_FIELDS = 20
_KNOWN = {*_LEVELS, *_NUMBERS, *_MESSAGES, *_TIMES, *_STACKS, *_TYPES, *_CAUSES}


def read_document(line: str) -> Told | None:
    """None for a line that is not a JSON object, or one that says nothing."""
    document = _parse(line)
    if document is None:
        return None
    flat = _flatten(document)
    stack = _text(flat, _STACKS)
    message = _text(flat, (*_MESSAGES, "err.message", "exception.message", *_CAUSES))
    if not message and not stack:
        return None
    return Told(
        message=message,
        level=level_named(_first(flat, _LEVELS)) or level_numbered(_first(flat, _NUMBERS)),
        at=_time(flat),
        type=_text(flat, _TYPES[:-1]) or type_in(stack) or _text(flat, _TYPES[-1:]),
        stack=stack if "\n" in stack else "",
        more=dict(list(_more(flat).items())[:_MOST_FIELDS]),
    )


def _parse(line: str) -> Mapping[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _flatten(document: Mapping[str, object]) -> Mapping[str, object]:
    """The members, and those of documents among them as `error.message`: two levels, no deeper."""
    flat: dict[str, object] = dict(document)
    for name, value in document.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": held for inner, held in value.items()}
    return flat


def _first(flat: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((flat[name] for name in names if flat.get(name) is not None), None)


def _text(flat: Mapping[str, object], names: tuple[str, ...]) -> str:
    found = (flat.get(name) for name in names)
    return next((text for text in found if isinstance(text, str) and text.strip()), "")


def _time(flat: Mapping[str, object]) -> datetime | None:
    value = _first(flat, _TIMES)
    if isinstance(value, str):
        return time_in(value)
    return time_numbered(value) if isinstance(value, int | float) else None


def _more(flat: Mapping[str, object]) -> Mapping[str, str]:
    """What else it says in plain values."""
    return {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in flat.items()
        if name not in _KNOWN and isinstance(value, str | int | float | bool)
    }
