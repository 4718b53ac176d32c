"""One call to a component: what it says, how often it was tried, and when it is given up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

FIRST_PAUSES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=2),
)
"""After each failed try; then the last one again and again. Standard Webhooks asks for such a schedule."""

GIVEN_UP_AFTER = timedelta(days=3)


class DeliveryState(StrEnum):
    """A call's life."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A call before the database numbers it. `body` is the CloudEvent without its id."""

    component: str
    subject: str
    type: str
    at: datetime
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """`id` rises; `event_id` is what the receiver knows it by: equal in every try.

    Calls about one subject go out in order: the next waits until this one is delivered or dead.
    """

    id: int
    component: str
    subject: str
    type: str
    at: datetime
    body: str
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    made_at: datetime
    due_at: datetime
    last_error: str = ""

    @property
    def event_id(self) -> str:
        """`hms-42`."""
        return f"hms-{self.id}"


def next_try(delivery: Delivery, now: datetime) -> datetime | None:
    """When a call that failed just now is tried again; None when it is dead."""
    pause = FIRST_PAUSES[min(delivery.attempts, len(FIRST_PAUSES) - 1)]
    again = now + pause
    return again if again - delivery.made_at <= GIVEN_UP_AFTER else None
