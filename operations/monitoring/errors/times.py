"""Times as applications write them into their logs. One without a zone is taken for UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_TIME = re.compile(
    r"\s?\[?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?\s?(Z|[+-]\d\d:?\d\d)?"
)
_MILLISECONDS = 100_000_000_000
"""A number of seconds beyond this is one of milliseconds: pino's."""


def time_in(text: str) -> datetime | None:
    """The time that a text begins with, by ISO 8601 or nearly; None when it begins otherwise."""
    found = _TIME.match(text)
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    micros = (fraction or "")[:6].ljust(6, "0")
    try:
        return datetime.fromisoformat(f"{day}T{clock}.{micros}{zone or '+00:00'}").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def time_numbered(value: float) -> datetime | None:
    """Seconds or milliseconds since 1970; None for what is no time."""
    seconds = value / 1000 if abs(value) > _MILLISECONDS else value
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
