"""What a provider is told of a rollout: pure functions from the rollout as it is stored."""

from __future__ import annotations

from datetime import datetime

from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.rollout import Rollout, RolloutKind
from operations.deployment.target import Target


def to_start(rollout: Rollout, target: Target, now: datetime, *, resumed: bool) -> StartOrder:
    """Bring its release; `resumed` when it may have been told so before."""
    return StartOrder(
        target=target,
        release=rollout.release,
        key=rollout.name,
        cause=f"{rollout.name} by {rollout.requested_by.name or rollout.requested_by.id}",
        intended_at=rollout.started_at or now,
        resumed=resumed,
        is_rollback=rollout.kind is RolloutKind.ROLLBACK,
    )


def to_restore(rollout: Rollout, target: Target, now: datetime) -> RestoreOrder | None:
    """Bring back what served before it; None when nobody knows what that was."""
    if rollout.previous is None:
        return None
    return RestoreOrder(
        target=target,
        previous=rollout.previous,
        handle=rollout.handle,
        key=rollout.name,
        cause=f"way back of {rollout.name}",
        intended_at=rollout.started_at or now,
    )
