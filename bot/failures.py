"""Rollouts that went wrong as errors of their targets: deployment's news, written into the central log.

In the transaction that ends the rollout, so that each is there once. It is told in its own thread, which is
why it neither begins anything there nor counts for checks of the error rate: it would alert a second time.
"""

from __future__ import annotations

from datetime import datetime

from operations.deployment.ports import Transaction
from operations.deployment.rollout import Rollout, RolloutState
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.newcomers import NEW_GROUPS
from operations.monitoring.errors.ports import Running
from operations.monitoring.errors.preparation import Preparation
from operations.monitoring.errors.recording import Ration, Writing
from operations.monitoring.errors.wording import normalise
from storage.store import SqlTransaction

SOURCE = "hms-sys"
_WORDS = {
    RolloutState.FAILED: "Rollout failed",
    RolloutState.ROLLED_BACK: "Rollout failed and was rolled back",
    RolloutState.UNKNOWN: "Rollout with an unknown end",
}


class FailedRollouts:
    """Implements `operations.deployment.failures.Failures`."""

    def __init__(self, new_groups: int = NEW_GROUPS) -> None:
        self._new_groups = new_groups
        self._preparation = Preparation()

    async def add(self, tx: Transaction, rollout: Rollout, now: datetime) -> None:
        """One event of its target."""
        if not isinstance(tx, SqlTransaction):
            raise TypeError("the transaction of another database than ours")
        place = (rollout.project, rollout.environment)
        running = {place: Running(release=rollout.release.version)}
        writing = Writing(tx, Ration(), now, running, self._new_groups, is_checked=False)
        await writing.write(self._preparation.prepare([_event(rollout, now)], now))


def _event(rollout: Rollout, now: datetime) -> LogEvent:
    """Equal where the same thing went wrong in the same way; which rollout it was is in its words."""
    told, reason = rollout.outcome, ""
    if rollout.failure is not None:
        told, reason = rollout.failure.summary or told, rollout.failure.reason
    words = _WORDS[rollout.state]
    what = f"{rollout.name}: {rollout.release.version} → {rollout.target_name}"
    return LogEvent(
        project=rollout.project,
        environment=rollout.environment,
        level=Level.ERROR,
        message="\n".join(part for part in (f"{words}: {told.rstrip('.')}", reason, what) if part),
        at=now,
        source=SOURCE,
        fields={
            "fingerprint": f"rollout {rollout.state.value} {normalise(told)}",
            "release": rollout.release.version,
            "rollout": rollout.name,
        },
    )
