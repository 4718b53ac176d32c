"""One thing that an application, a platform or the bot itself said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum


class Level(IntEnum):
    """How bad it is, by the usual words; from ERROR on, events are counted as errors and grouped."""

    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50

    @property
    def word(self) -> str:
        """`error`, as documents and people say it."""
        return self.name.lower()

    @property
    def is_error(self) -> bool:
        """Whether it is counted."""
        return self >= Level.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """`source` is who handed it in: `api:hms-dev`, `cloudwatch`, `pods`, `site`, `sentry`, `hms-sys`.

    `at` is when it happened by its own account, within what can be believed. `fields` are outsiders'
    text, cleaned and cut; some mean something: `fingerprint` wins over ours, `stack` is a stack trace,
    `release` is the version that ran, `type` the class of an exception.
    """

    project: str
    environment: str
    level: Level
    message: str
    at: datetime
    source: str
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"
