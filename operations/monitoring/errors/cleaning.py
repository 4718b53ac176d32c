"""What outsiders send, made fit to keep: no secrets, no control characters, cut, at a time that can be.

Nothing is refused for how it looks: who reports an error must not get one back for an odd character in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from operations.monitoring.errors.event import LogEvent
from operations.redaction import redact, shorten

MESSAGE_BYTES = 4096
FIELD_BYTES = 2048
STACK_BYTES = 16 * 1024
MOST_FIELDS = 20
_KEY_LENGTH = 64
_NAME_LENGTH = 200

_EARLIEST = timedelta(days=7)
_LATEST = timedelta(minutes=5)
_MEANINGFUL = ("fingerprint", "type", "release", "stack")
"""Fields that mean something to us: kept when there are too many."""
_SECRET_KEY = re.compile(
    r"password|passwd|secret|token|authorization|api_?key|cookie|private_?key", re.IGNORECASE
)
_MASK = "[redacted]"


def clean_message(text: str) -> str:
    """Its beginning."""
    return _cut(shorten(text, limit=MESSAGE_BYTES), MESSAGE_BYTES)


def clean_stack(text: str) -> str:
    """Both of its ends: where it began, and where it came to."""
    plain = shorten(_ends(text, 4 * STACK_BYTES), limit=5 * STACK_BYTES)
    if len(plain.encode()) <= STACK_BYTES:
        return plain
    half = STACK_BYTES // 2 - 3
    tail = plain.encode()[-half:].decode(errors="ignore")
    return f"{_cut(plain, half)}\n…\n{tail}"


def clean_fields(fields: Mapping[str, str], stack: str) -> dict[str, str]:
    """With the stack as it was cleaned before."""
    kept: dict[str, str] = {}
    for key in _first_of(fields):
        name, is_secret = _clean_key(key[: 4 * _KEY_LENGTH])
        if name:
            value = stack if key == "stack" else _clean_value(fields[key])
            kept[name] = _MASK if is_secret else value
    return kept


def clean_name(text: str) -> str:
    """Of a source, a project or an environment."""
    return (
        text if text.isascii() and len(text) < _NAME_LENGTH else shorten(text, limit=_NAME_LENGTH)
    )


def settle_time(event: LogEvent, now: datetime) -> LogEvent:
    """What cannot be is stored under the time of receipt; what was claimed is a field."""
    at = event.at if event.at.tzinfo else event.at.replace(tzinfo=UTC)
    if now - _EARLIEST <= at <= now + _LATEST:
        return event if at is event.at else replace(event, at=at)
    return replace(event, at=now, fields={**event.fields, "claimed_time": at.isoformat()})


def _first_of(fields: Mapping[str, str]) -> Iterable[str]:
    if len(fields) <= MOST_FIELDS:
        return fields
    known = [key for key in _MEANINGFUL if key in fields]
    others = (key for key in fields if key not in _MEANINGFUL)
    return [*known, *(key for key, _ in zip(others, range(MOST_FIELDS - len(known)), strict=False))]


@lru_cache(maxsize=2000)
def _clean_key(key: str) -> tuple[str, bool]:
    """Its name, and whether what it names is a secret. Keys are few and come again and again."""
    name = shorten(key, limit=_KEY_LENGTH)
    return name, _SECRET_KEY.search(name) is not None


def _clean_value(value: str) -> str:
    return _cut(shorten(value, limit=FIELD_BYTES), FIELD_BYTES)


def _ends(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[: limit // 2]}\n{redact(text[-limit // 2 :])}"


def _cut(text: str, limit: int) -> str:
    """At most so many bytes."""
    if 4 * len(text) <= limit:
        return text
    plain = text.encode()
    return text if len(plain) <= limit else plain[: limit - 3].decode(errors="ignore") + "…"
