"""Which release a rollback brings back: only one that has been live on the target before."""

from __future__ import annotations

from operations.deployment.ports import Transaction
from operations.deployment.release import Release
from operations.deployment.rollout import Rollout, RolloutKind
from operations.deployment.target import Target
from operations.errors import Blocked, InvalidRequest

_STEPS = 50


async def find_way_back(
    tx: Transaction, target: Target, version: str
) -> tuple[Release, Release | None]:
    """The release to bring back and the one that serves; `version` "" means the one before.

    Raises InvalidRequest or Blocked with what to say instead.
    """
    live = await tx.rollouts.last_live(target.project, target.environment)
    serving = live.release if live else None
    if version:
        return await _named(tx, target, version), serving
    if live is not None and live.kind is RolloutKind.ROLLBACK:
        raise Blocked(
            f"{target.name} was rolled back to {live.release.version} already ({live.name}).",
            hint=f"Name the version to go to: `rollback {target.project} {target.environment} VERSION`.",
        )
    former = await _former(tx, live)
    if former is None:
        raise Blocked(
            f"HMS-SYS knows no former release of {target.name}.",
            hint=f"Name a version: `deploy {target.project} {target.environment} VERSION`.",
        )
    return former, serving


async def _named(tx: Transaction, target: Target, version: str) -> Release:
    found = await tx.rollouts.live_with_version(target.project, target.environment, version)
    if found is None:
        raise InvalidRequest(
            f"{version} has not been live on {target.name} through HMS-SYS.",
            hint=f"Ask for it as a deploy: `deploy {target.project} {target.environment} {version}`.",
        )
    return found.release


async def _former(tx: Transaction, live: Rollout | None) -> Release | None:
    """What served before; deploying the same thing again made no former release of it."""
    present = live
    for _ in range(_STEPS):
        if live is None or present is None or live.previous is None:
            return None
        if live.previous.artifact != present.release.artifact:
            return live.previous
        live = await tx.rollouts.last_live(live.project, live.environment, before=live.id)
    return None
