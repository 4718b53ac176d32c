"""Deciding on a rollout: approve, reject, cancel, expire.

Each reads the rollout under a lock, checks the rules as they are now and stores vote, state, audit
event and notices in one transaction: of two people who press at once, one is told what happened.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from operations.actor import SYSTEM, Actor
from operations.deployment.holding import find_hold
from operations.deployment.identities import identify
from operations.deployment.journal import announce, record
from operations.deployment.phrases import say_actor
from operations.deployment.policy import Identity, lock_obstacle, window_obstacle
from operations.deployment.ports import Transaction
from operations.deployment.resources import Resources
from operations.deployment.rollout import (
    WAITING,
    Rollout,
    RolloutState,
    Vote,
    VoteKind,
    rollout_name,
)
from operations.deployment.start_time import LATEST
from operations.deployment.target import Target
from operations.deployment.voting import cancel_obstacle, is_approved, vote_obstacle
from operations.durations import say_duration
from operations.errors import Refused, UnknownRollout
from operations.redaction import shorten


class Decisions:
    """Votes and cancellations."""

    def __init__(self, resources: Resources) -> None:
        self._catalog = resources.catalog
        self._providers = resources.providers
        self._store = resources.store
        self._members = resources.members
        self._clock = resources.clock

    async def approve(self, rollout_id: int, actor: Actor) -> Rollout:
        """Count a vote in favour; the last one that is needed queues the rollout."""
        target, identity = await self._who(rollout_id, actor)
        async with self._store.transaction() as tx:
            rollout, now = await self._open_question(tx, rollout_id, target, identity)
            if not rollout.emergency:
                moment = max(now, rollout.start_at or now)
                lock = await tx.locks.get(target.project, target.environment, moment)
                _raise(lock_obstacle(lock, identity) or window_obstacle(target.windows, moment))
            voted = _with_vote(rollout, actor, VoteKind.APPROVE, now)
            if is_approved(voted):
                voted = replace(voted, state=RolloutState.QUEUED)
            return await _store(tx, voted, "rollout.approved", actor, now)

    async def reject(self, rollout_id: int, actor: Actor, reason: str = "") -> Rollout:
        """Count a vote against, which ends the rollout."""
        target, identity = await self._who(rollout_id, actor)
        async with self._store.transaction() as tx:
            rollout, now = await self._open_question(tx, rollout_id, target, identity)
            why = shorten(reason)
            ended = replace(
                _with_vote(rollout, actor, VoteKind.REJECT, now),
                state=RolloutState.REJECTED,
                ended_at=now,
                outcome=f"Rejected by {say_actor(actor)}" + (f": {why}" if why else "."),
            )
            return await _store(tx, ended, "rollout.rejected", actor, now, reason=why)

    async def cancel(self, rollout_id: int, actor: Actor) -> Rollout:
        """End a rollout that waits, or ask the worker to stop the one it carries out.

        Raises Refused when the provider cannot stop what it has begun.
        """
        target, identity = await self._who(rollout_id, actor)
        async with self._store.transaction() as tx:
            now = self._clock.now()
            rollout = await _get(tx, rollout_id)
            _raise(cancel_obstacle(rollout, target, identity))
            if rollout.state in WAITING:
                ended = replace(
                    rollout,
                    state=RolloutState.CANCELLED,
                    cancelled_by=actor,
                    ended_at=now,
                    outcome=f"Cancelled by {say_actor(actor)} before it began.",
                )
                return await _store(tx, ended, "rollout.cancelled", actor, now)
            self._check_abort(target)
            stopping = replace(rollout, cancelled_by=actor, lease=None)
            return await _store(tx, stopping, "rollout.cancel_requested", actor, now)

    async def expire_due(self) -> int:
        """End every rollout whose question was open for too long, or whose time to start is over.

        Returns how many there were.
        """
        async with self._store.transaction() as tx:
            now = self._clock.now()
            undecided = await tx.rollouts.expired(now)
            for rollout in undecided:
                await _expire(tx, rollout, "Nobody decided in time.", now)
            missed = await tx.rollouts.missed(now - LATEST)
            for rollout in missed:
                await _expire(tx, rollout, await self._why_missed(tx, rollout, now), now)
        return len(undecided) + len(missed)

    async def _why_missed(self, tx: Transaction, rollout: Rollout, now: datetime) -> str:
        """What kept it from starting, as far as anybody can tell now."""
        hold = await find_hold(tx, self._catalog, rollout, now)
        active = await tx.rollouts.active(rollout.project, rollout.environment)
        if hold is not None:
            why = hold.message
        elif active is not None:
            why = f"{active.name} was being carried out."
        else:
            why = "HMS-SYS was not running, or what held it back ended only lately."
        at = rollout.start_at or rollout.requested_at
        return (
            f"It was to start at {at:%d %b %H:%M} UTC and did not within"
            f" {say_duration(LATEST)}: {why} Ask for it again if it is still wanted."
        )

    async def _who(self, rollout_id: int, actor: Actor) -> tuple[Target, Identity]:
        async with self._store.snapshot() as tx:
            rollout = await _get(tx, rollout_id, lock=False)
        target = self._catalog.find(rollout.project, rollout.environment)
        return target, await identify(actor, target, self._members)

    async def _open_question(
        self, tx: Transaction, rollout_id: int, target: Target, identity: Identity
    ) -> tuple[Rollout, datetime]:
        now = self._clock.now()
        rollout = await _get(tx, rollout_id)
        _raise(vote_obstacle(rollout, target, identity, now))
        return rollout, now

    def _check_abort(self, target: Target) -> None:
        capabilities = self._providers[target.provider].capabilities
        if not capabilities.aborts:
            raise Refused(
                f"{target.spec.title} cannot stop a rollout that has begun.",
                hint=capabilities.note,
            )


def _with_vote(rollout: Rollout, actor: Actor, kind: VoteKind, now: datetime) -> Rollout:
    return replace(rollout, votes=(*rollout.votes, Vote(actor=actor, kind=kind, at=now)))


async def _expire(tx: Transaction, rollout: Rollout, outcome: str, now: datetime) -> None:
    ended = replace(rollout, state=RolloutState.EXPIRED, ended_at=now, outcome=outcome)
    await _store(tx, ended, "rollout.expired", SYSTEM, now)


async def _get(tx: Transaction, rollout_id: int, *, lock: bool = True) -> Rollout:
    rollout = await tx.rollouts.get(rollout_id, lock=lock)
    if rollout is None:
        raise UnknownRollout(
            f"There is no rollout {rollout_name(rollout_id)}.", hint="See `history`."
        )
    return rollout


async def _store(
    tx: Transaction, rollout: Rollout, action: str, actor: Actor, now: datetime, **detail: str
) -> Rollout:
    stored = await tx.rollouts.save(rollout)
    await record(tx, stored, action, actor, now, **detail)
    await announce(tx, stored, now)
    return stored


def _raise(obstacle: Refused | None) -> None:
    if obstacle is not None:
        raise obstacle
