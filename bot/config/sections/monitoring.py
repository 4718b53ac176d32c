"""What is watched, whose errors are read, and when people hear of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from bot.config.sections.section import Key, Section, Status
from bot.config.values import (
    Channel,
    CheckUrl,
    Duration,
    Rate,
    Regex,
    TargetName,
    TimeOfDay,
    Url,
    User,
    Zone,
)


class Check(Section):
    """A standing question. With neither `url` nor `error_rate`: the provider's own view of the target."""

    model_config = ConfigDict(
        json_schema_extra={
            "not": {"required": ["url", "error_rate"]},
            "dependentRequired": {
                key: ["url"] for key in ("expect", "timeout", "body", "slower_than", "redirects")
            },
        }
    )

    name: Key | None = None
    """What people call it. Default: what it asks."""
    target: TargetName
    """PROJECT/ENVIRONMENT."""
    url: CheckUrl | None = None
    """Address that must answer: http://, https://, or tcp://HOST:PORT for a port."""
    error_rate: Rate | None = None
    """`"50/5m"`: failing with more than 50 error events in 5 minutes."""
    expect: Status = 200
    """HTTP status that `url` must answer with."""
    body: Regex | None = None
    """Regular expression that must match in the first 64 KiB of what `url` answers."""
    slower_than: Duration | None = None
    """An answer of `url` that takes longer is a failing one."""
    redirects: Literal["refuse", "public", "any"] = "refuse"
    """Whether redirects of `url` are followed: not at all, to public addresses only, or anywhere."""
    timeout: Duration = timedelta(seconds=5)
    """How long `url` may take to answer."""
    every: Duration = timedelta(seconds=30)
    """How often it is asked."""
    failures: Annotated[int, Field(ge=1, le=100)] = 3
    """Misses in a row that make it failing."""
    recoveries: Annotated[int, Field(ge=1, le=100)] = 2
    """Good answers in a row that make it well again."""

    @property
    def label(self) -> str:
        """Its name, or what it asks."""
        asks = "errors" if self.error_rate else "url" if self.url else "target"
        return self.name or asks


class ErrorSource(Section):
    """Where error events of a target are read."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": [key]} for key in ("cloudwatch", "pods", "site")]}
    )

    target: TargetName
    """PROJECT/ENVIRONMENT."""
    cloudwatch: Annotated[str, Field(pattern=r"^[A-Za-z0-9._/#-]{1,512}$")] | None = None
    """Log group in CloudWatch, in the target's region."""
    pods: Literal[True] | None = None
    """The logs of the target's pods."""
    site: Literal[True] | None = None
    """The application log of the target's site on Forge."""
    pattern: Regex | None = None
    """Regular expression: what it matches is an error. Absent: what says so itself, and stack traces."""


class Keep(Section):
    """How long the central log is kept. A group that is not seen any more goes with its counts."""

    events: Duration = timedelta(days=7)
    """Single events."""
    samples: Duration = timedelta(days=30)
    """Samples of errors."""
    counts: Duration = timedelta(days=365)
    """Counts an hour."""
    megabytes: Annotated[int, Field(ge=10, le=1_000_000)] = 1000
    """The oldest events go when all of them together are larger."""


class Errors(Section):
    """Where errors come from, beside what is sent to the HTTP API, and how long they are kept."""

    sources: list[ErrorSource] = Field(default=[])
    """Logs that are read."""
    keep: Keep = Keep()
    """How long they are kept."""
    new_groups: Annotated[int, Field(ge=1, le=10_000)] = 100
    """New groups of errors that may begin on a target in an hour; what is beyond counts in one group."""


class Escalation(Section):
    """Who hears of an alert that nobody acknowledges."""

    after: Duration
    """How long it fires before."""
    channel: Channel | None = None
    """A second channel."""
    people: Annotated[list[User], Field(min_length=1, max_length=20)] | None = None
    """Slack users (U… or W…), who get a direct message."""


class Alerts(Section):
    """What becomes of alerts."""

    escalation: Escalation | None = None
    """Absent: nobody else is told."""


class Heartbeat(Section):
    """A dead man's switch: whoever waits for the call raises the alarm when it stays away."""

    url: Url
    """Is called with GET while this process works."""
    every: Duration = timedelta(minutes=1)
    """How often."""


class Digest(Section):
    """The daily summary."""

    channel: Channel
    """Where it is posted."""
    at: TimeOfDay
    """Time of day, in quotes."""
    timezone: Zone
    """IANA name, such as Europe/London."""
