"""What a provider tells while it works, and how it ended by the provider's own account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

JsonScalar = str | int | float | bool | None
Handle = Mapping[str, JsonScalar]
"""What an adapter needs to find its own work again after a restart: flat, JSON, no secrets."""


class Verdict(StrEnum):
    """The end of a rollout as the platform tells it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"  # the platform itself brought the former release back
    CANCELLED = "cancelled"  # somebody stopped it at the platform
    UNKNOWN = "unknown"  # another change took its place, or the object is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why it failed: `summary` for the headline, `reason` in the vendor's words, `evidence` for a thread."""

    summary: str
    reason: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """One observation: `ready` of `total` units of the new release serve; -1: not counted.

    `activity` names what goes on ("New pods", "New tasks", "Deploy script"); `detail` is the
    platform's own count or word in one line. A `verdict` ends the stream.
    """

    activity: str
    detail: str = ""
    ready: int = -1
    total: int = -1
    verdict: Verdict | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A provider's answer to a start or a rollback: how to find it again, and what it did in one line."""

    handle: Handle
    summary: str


class StepState(StrEnum):
    """How far a step is."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One line of a rollout's message while it runs."""

    name: str
    state: StepState
    detail: str = ""
    ready: int = -1
    total: int = -1
    at: datetime | None = None
