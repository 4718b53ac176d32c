"""Where rollouts that went wrong are told of beside their own messages."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from operations.deployment.ports import Transaction
from operations.deployment.rollout import Rollout, RolloutState

WENT_WRONG = frozenset({RolloutState.FAILED, RolloutState.ROLLED_BACK, RolloutState.UNKNOWN})


class Failures(Protocol):
    """Hears of each once, in the transaction that ends it."""

    async def add(self, tx: Transaction, rollout: Rollout, now: datetime) -> None:
        """The rollout is stored as it ended."""
        ...


class Unheard:
    """Nobody wants to know."""

    async def add(self, tx: Transaction, rollout: Rollout, now: datetime) -> None:
        """Nothing."""
