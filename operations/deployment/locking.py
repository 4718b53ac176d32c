"""Holding a target back, and letting it go."""

from __future__ import annotations

from datetime import timedelta

from operations.actor import Actor
from operations.audit import AuditEvent
from operations.deployment.identities import identify
from operations.deployment.policy import permission_obstacle, unlock_obstacle
from operations.deployment.resources import Resources
from operations.deployment.rollout import TargetLock
from operations.errors import Blocked
from operations.redaction import shorten


class Locking:
    """Locks on targets. A lock of somebody else is replaced by those who could lift it only."""

    def __init__(self, resources: Resources) -> None:
        self._catalog = resources.catalog
        self._store = resources.store
        self._members = resources.members
        self._clock = resources.clock

    async def lock(
        self,
        project: str,
        environment: str,
        actor: Actor,
        *,
        reason: str = "",
        span: timedelta | None = None,
    ) -> TargetLock:
        """Hold the target, for `span` or until somebody unlocks it."""
        target = self._catalog.find(project, environment)
        identity = await identify(actor, target, self._members)
        obstacle = permission_obstacle(target, identity)
        if obstacle is not None:
            raise obstacle
        async with self._store.transaction() as tx:
            now = self._clock.now()
            former = await tx.locks.get(target.project, target.environment, now, lock=True)
            if former and (refusal := unlock_obstacle(former, target, identity)):
                raise refusal
            lock = TargetLock(
                project=target.project,
                environment=target.environment,
                actor=actor,
                reason=shorten(reason),
                at=now,
                until=now + span if span else None,
            )
            await tx.locks.put(lock)
            await tx.audit.add(
                AuditEvent(
                    at=now,
                    actor=actor,
                    action="target.locked",
                    subject=target.name,
                    detail={"reason": lock.reason},
                )
            )
        return lock

    async def unlock(self, project: str, environment: str, actor: Actor) -> TargetLock:
        """Lift the lock; returns the one that was lifted."""
        target = self._catalog.find(project, environment)
        identity = await identify(actor, target, self._members)
        async with self._store.transaction() as tx:
            now = self._clock.now()
            lock = await tx.locks.get(target.project, target.environment, now, lock=True)
            if lock is None:
                raise Blocked(f"{target.name} is not locked.")
            if refusal := unlock_obstacle(lock, target, identity):
                raise refusal
            await tx.locks.remove(target.project, target.environment)
            await tx.audit.add(
                AuditEvent(at=now, actor=actor, action="target.unlocked", subject=target.name)
            )
        return lock
