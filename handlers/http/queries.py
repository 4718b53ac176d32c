"""What may stand behind the question mark of the API's reading routes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from operations.durations import parse_duration

ExternalId = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
_LARGEST_ID = 2**53 - 1
Cursor = Annotated[int, Field(ge=1, le=_LARGEST_ID)]
RolloutCursor = Annotated[int, Field(ge=-_LARGEST_ID, le=_LARGEST_ID)]
"""Those of imported rollouts are negative."""


_ANY_TIME = datetime(2026, 1, 1, tzinfo=UTC)


def _since(text: str) -> str:
    read_since(text, _ANY_TIME)
    return text


def read_since(text: str, now: datetime) -> datetime:
    """`24h` before now, or a time such as `2026-03-01T12:00:00Z`; raises ValueError."""
    if text[-1:].lower() in {"s", "m", "h", "d"}:
        return now - parse_duration(text)
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise ValueError("should be a duration (24h) or a time (2026-03-01T12:00:00Z)") from None
    if found.tzinfo is None:
        raise ValueError("should carry its zone: 2026-03-01T12:00:00Z")
    if not 1970 < found.year < 9999:
        raise ValueError("should be a time of this age")
    return min(found.astimezone(UTC), now + timedelta(days=1))


Since = Annotated[
    str,
    StringConstraints(min_length=2, max_length=40),
    AfterValidator(_since),
    Field(description="A duration (24h, 7d) before now, or an RFC 3339 time.", examples=["24h"]),
]


class _Query(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class TargetQuery(_Query):
    """Which targets."""

    project: Name | None = None
    """Only this project."""
    environment: Name | None = None
    """Only this environment; needs `project`."""


class RolloutQuery(_Query):
    """Which rollouts, newest first."""

    project: Name | None = None
    """Only this project."""
    environment: Name | None = None
    """Only this environment."""
    by: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")] | None = None
    """Only what this actor asked for: `U01ALICE`, `component:hms-dev`."""
    since: Since | None = None
    """Only what was asked for since then."""
    external_id: ExternalId | None = None
    """Only what was asked for with this name of the matter, to the letter."""
    cursor: RolloutCursor | None = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    """How many."""


class ErrorQuery(_Query):
    """Which groups of errors."""

    project: Name | None = None
    """Only this project."""
    environment: Name | None = None
    """Only this environment; needs `project`."""
    since: Since | None = None
    """Only those seen since then."""
    order: Literal["worst", "newest"] = "worst"
    """By counts, of which old ones count less, or by when they were first seen."""
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    """How many."""


class AlertsQuery(_Query):
    """Which alerts, newest first."""

    project: Name | None = None
    """Only this project."""
    environment: Name | None = None
    """Only this environment."""
    state: Literal["open", "firing", "acknowledged", "resolved"] | None = None
    """Only those in this state; `open` is firing or acknowledged."""
    cursor: Cursor | None = None
    """`next` of the page before."""
    limit: Annotated[int, Field(ge=1, le=200)] = 20
    """How many."""
