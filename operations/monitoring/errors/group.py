"""Errors that are the same error: one group, one id, counted and not repeated."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from operations.actor import Actor
from operations.monitoring.errors.event import Level

OTHER = "other"
"""The fingerprint of a target's errors that found no group of their own; see `newcomers`."""


class GroupState(StrEnum):
    """A group's life. One that was resolved and is seen again is open again, and has come back."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorGroup:
    """`id` is shown as `E-12`. `count` is of all time.

    `first_release` and `last_release` are the versions that ran when it was first and last seen ("" when
    nobody knows). `rollout` is the rollout (`D-1042`) after which it began or came back, "" none.
    `rank` orders groups by their decayed counts; it means nothing else. `imported`: how many of `count`
    another tool's logs told of.
    `resolved_by` and `resolved_at` stay when it comes back, to say what it came back after.
    """

    id: int
    project: str
    environment: str
    fingerprint: str
    title: str
    level: Level
    state: GroupState
    revision: int
    count: int
    first_seen: datetime
    last_seen: datetime
    first_release: str = ""
    last_release: str = ""
    rank: float = 0.0
    imported: int = 0
    rollout: str = ""
    silenced_by: Actor | None = None
    silenced_until: datetime | None = None
    resolved_by: Actor | None = None
    resolved_at: datetime | None = None

    @property
    def is_imported(self) -> bool:
        """Whether nobody but another tool's logs ever told of it."""
        return self.imported >= self.count

    @property
    def label(self) -> str:
        """The id that people say: `E-12`."""
        return f"E-{self.id}"

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"

    @property
    def has_come_back(self) -> bool:
        """Whether it was seen again after somebody had resolved it."""
        return self.state is GroupState.OPEN and self.resolved_at is not None

    @property
    def is_other(self) -> bool:
        """Whether it counts what found no group of its own."""
        return self.fingerprint == OTHER


def parse_group_id(text: str) -> int | None:
    """`E-12`, `e12` or `12` to 12; None when it is no group's id."""
    match = re.fullmatch(r"(?:e\s*-?\s*)?(\d{1,12})", text.strip(), re.IGNORECASE)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One event of a group, kept to be looked at."""

    at: datetime
    message: str
    release: str = ""
    source: str = ""
    fields: Mapping[str, str]


class Order(StrEnum):
    """How groups are listed."""

    WORST = "worst"  # by counts, of which old ones count less
    NEWEST = "newest"  # by when they were first seen


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupQuery:
    """`project` and `environment` "": all. `since`: seen since then. Resolved groups are left out."""

    project: str = ""
    environment: str = ""
    since: datetime | None = None
    order: Order = Order.WORST
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReport:
    """A group, and its counts of the last 24 hours, oldest first: always 24 numbers."""

    group: ErrorGroup
    hours: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Something that happened on a group's target before it began: `D-1042 shipped 1.4.2`."""

    at: datetime
    subject: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDetail:
    """All that is known of a group: the newest samples first, the changes before it newest first."""

    report: GroupReport
    samples: Sequence[Sample]
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorCount:
    """How many errors a target had in a span; `worst` is the group that most of them belong to."""

    count: int
    span: timedelta
    worst: ErrorGroup | None = None
