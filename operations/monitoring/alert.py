"""What people are told when a check fails, until it is well again: one alert, one message that moves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from operations.actor import Actor


class AlertState(StrEnum):
    """An alert's life."""

    FIRING = "firing"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


OPEN_STATES = frozenset({AlertState.FIRING, AlertState.ACKNOWLEDGED})
"""It still concerns somebody."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """`id` is shown as `A-17`; there is one open alert per check.

    `since` is the first miss, `seen` how many misses there were, `reason` the newest one in words.
    `rollout` names the rollout that was under way or had just ended on the target ("" none).
    `source` is the other system that raised it, "" for our own checks, and `url` where it tells more.
    `led_by` is the id of the alert in whose message this one is told, as both share a cause; then it
    stays open until all of them are well, and `well_at` says since when it is so itself. `is_unasked`:
    whether it fails, nobody knows. `escalated_to` are the channels and users who were told that nobody
    looks after it.
    """

    id: int
    check_id: str
    name: str
    project: str
    environment: str
    channel: str
    state: AlertState
    since: datetime
    seen: int
    reason: str
    revision: int = 1
    is_flapping: bool = False
    rollout: str = ""
    source: str = ""
    url: str = ""
    fired_at: datetime
    led_by: int | None = None
    is_unasked: bool = False
    well_at: datetime | None = None
    escalated_at: datetime | None = None
    escalated_to: tuple[str, ...] = ()
    acknowledged_by: Actor | None = None
    acknowledged_at: datetime | None = None
    silenced_by: Actor | None = None
    silenced_until: datetime | None = None
    resolved_at: datetime | None = None
    resolved_by: Actor | None = None

    @property
    def label(self) -> str:
        """The id that people say: `A-17`."""
        return f"A-{self.id}"

    @property
    def target_name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"

    @property
    def is_open(self) -> bool:
        """Whether it still concerns anybody."""
        return self.state is not AlertState.RESOLVED

    @property
    def is_well(self) -> bool:
        """Whether its own check is well, though others in its message may not be."""
        return self.well_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertQuery:
    """Which alerts, newest first. `states` empty: any. `before` is the cursor: only ids smaller than it."""

    project: str = ""
    environment: str = ""
    states: frozenset[AlertState] = frozenset()
    before: int | None = None
    limit: int = 20


@dataclass(frozen=True, slots=True)
class AlertPage:
    """`next` is the cursor of the following page, None at the end."""

    alerts: tuple[Alert, ...]
    next: int | None


def parse_alert_id(text: str) -> int | None:
    """`A-17`, `a17` or `17` to 17; None when it is no alert's id."""
    match = re.fullmatch(r"(?:a\s*-?\s*)?(\d{1,12})", text.strip(), re.IGNORECASE)
    return int(match[1]) if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDraft:
    """An alert before the database gives it an id."""

    check_id: str
    name: str
    project: str
    environment: str
    channel: str
    since: datetime
    seen: int
    reason: str
    is_flapping: bool
    rollout: str
    fired_at: datetime
    source: str = ""
    url: str = ""
    led_by: int | None = None
    is_unasked: bool = False
