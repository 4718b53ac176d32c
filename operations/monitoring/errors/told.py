"""What was made out of a log entry, however it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from operations.monitoring.errors.event import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Outsiders' text, as it came. `level` None: it does not say. `type` is the exception's class.

    `more` are further members of a document, by name.
    """

    message: str
    level: Level | None = None
    at: datetime | None = None
    type: str = ""
    stack: str = ""
    more: Mapping[str, str] = field(default_factory=dict)
