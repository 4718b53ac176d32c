"""What is remembered of a request that carried a key of the caller's, so that asking again has no effect."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat:
    """`component` is who asked, `key` what they called it; the pair is unique.

    `body_hash` tells whether they ask for the same again, `answer` is what they were told first.
    """

    component: str
    key: str
    body_hash: str
    answer: str
    rollout_id: int
    at: datetime


class Repeats(Protocol):
    """Keyed requests in the database, within a transaction."""

    async def get(self, component: str, key: str) -> Repeat | None:
        """What is remembered under the key."""
        ...

    async def add(self, repeat: Repeat) -> None:
        """Remember one; raises VersionConflict when another request with its key was first."""
        ...

    async def forget(self, before: datetime) -> None:
        """Drop those that are older."""
        ...
