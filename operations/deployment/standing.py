"""What stands on many targets at once, as little of it as is needed: for whoever asks every few seconds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

Place = tuple[str, str]
"""Project and environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A rollout that is being carried out, or that went live last; `ended_at` None: the former.

    `name` is the rollout's (`D-1042`).
    """

    place: Place
    name: str
    version: str
    channel: str
    started_at: datetime
    ended_at: datetime | None


class Standings(Protocol):
    """Rollouts in the database, within a transaction."""

    async def among(self, places: Collection[Place]) -> Sequence[Standing]:
        """What is being carried out on these targets, and what went live last; neither of one: nothing.

        History that another tool left is passed over.
        """
        ...
