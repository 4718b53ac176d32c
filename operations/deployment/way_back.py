"""Which release a rollback brings back: only one that has been live on the target before."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from operations.deployment.ports import Transaction
from operations.deployment.release import Release
from operations.deployment.rollout import HistoryQuery, Rollout, RolloutKind, RolloutState
from operations.deployment.target import Target
from operations.errors import Blocked, InvalidRequest, StaleDecision

_STEPS = 50
_UNDONE = frozenset({RolloutState.FAILED, RolloutState.UNKNOWN})


async def find_way_back(
    tx: Transaction, target: Target, version: str
) -> tuple[Release, Release | None]:
    """The release to bring back and the one that serves; `version` "" means the one before.

    After a failure that was left as it is, the one before is what was live last.
    Raises InvalidRequest or Blocked with what to say instead.
    """
    live = await tx.rollouts.last_live(target.project, target.environment)
    undone = await _undone(tx, target)
    serving = live.release if live else None
    former = await _former(tx, live)
    if undone is not None:
        serving, former = undone.release, live.release if live else undone.previous
    if version:
        return await _named(tx, target, version, former), serving
    if undone is not None and former is not None:
        return former, serving
    if live is not None and live.kind is RolloutKind.ROLLBACK:
        raise Blocked(
            f"{target.name} was rolled back to {live.release.version} already ({live.name}).",
            hint=f"Name the version to go to: `rollback {target.project} {target.environment} VERSION`.",
        )
    if former is None:
        raise Blocked(
            f"HMS-SYS knows no former release of {target.name}.",
            hint=f"Name a version: `deploy {target.project} {target.environment} VERSION`.",
        )
    return former, serving


def left_undone(newest_first: Iterable[Rollout]) -> Rollout | None:
    """The newest deploy when it changed the platform, or may have, and nothing was brought back."""
    changed = (
        r
        for r in newest_first
        if r.state in {RolloutState.SUCCEEDED, RolloutState.UNKNOWN}
        or (r.has_ended and r.handle is not None)
    )
    newest = next(changed, None)
    if newest is None or newest.kind is RolloutKind.ROLLBACK or newest.state not in _UNDONE:
        return None
    return newest


async def check_serves(tx: Transaction, rollout: Rollout) -> None:
    """Raises StaleDecision unless it is what serves: whoever saw its card wants nothing newer taken back.

    Safe against workers only while the target's waiting rollouts are held: what is not waiting is active,
    or has ended already, and is seen here in that order.
    """
    place = (rollout.project, rollout.environment)
    command = f"`rollback {rollout.project} {rollout.environment}`"
    active = await tx.rollouts.active(*place)
    if active is not None:
        raise StaleDecision(
            f"{active.name} ({active.release.version}) is on its way to {rollout.target_name} by now.",
            hint=f"`cancel {active.name}` stops it. To take back what it brings, wait for its end.",
        )
    history = await tx.rollouts.search(
        HistoryQuery(project=rollout.project, environment=rollout.environment, limit=_STEPS)
    )
    undone = left_undone(history.rollouts)
    if undone is not None:
        raise StaleDecision(
            f"{undone.name} went out after {rollout.name} and was left as it is.",
            hint=f"{command} brings {rollout.release.version} back.",
        )
    newest = await tx.rollouts.last_live(*place)
    if newest is None or newest.id != rollout.id:
        serving = (
            f"{newest.release.version} ({newest.name}) is" if newest else "Nothing is known to be"
        )
        raise StaleDecision(
            f"{rollout.name} is not what serves any more: {serving} live now.",
            hint=f"To take that back, say {command}.",
        )


async def find_live_since(
    tx: Transaction, project: str, environment: str, moment: datetime
) -> Rollout | None:
    """What went live on the target after that moment."""
    live = await tx.rollouts.last_live(project, environment)
    return live if live and live.ended_at and live.ended_at > moment else None


async def _undone(tx: Transaction, target: Target) -> Rollout | None:
    query = HistoryQuery(project=target.project, environment=target.environment, limit=_STEPS)
    return left_undone((await tx.rollouts.search(query)).rollouts)


async def _named(tx: Transaction, target: Target, version: str, former: Release | None) -> Release:
    """What was live before HMS-SYS came has no rollout of its own; it can be the former one."""
    found = await tx.rollouts.live_with_version(target.project, target.environment, version)
    if found is None and former is not None and former.version == version:
        return former
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
