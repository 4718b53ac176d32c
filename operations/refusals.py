"""What strangers and components were refused, written down where something was asked to change."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from operations.actor import Actor
from operations.audit import AuditEvent
from operations.clock import Clock


class AuditLog(Protocol):
    """The append-only trail, within a transaction."""

    async def add(self, event: AuditEvent) -> None:
        """Append."""
        ...


class Transaction(Protocol):
    """All of it happens, or nothing."""

    @property
    def audit(self) -> AuditLog: ...


class Refusals:
    """Appends to the audit trail. `transaction` opens one that writes."""

    def __init__(
        self, transaction: Callable[[], AbstractAsyncContextManager[Transaction]], clock: Clock
    ) -> None:
        self._transaction = transaction
        self._clock = clock

    async def record(self, actor: Actor, what: str, why: str) -> None:
        """`actor` asked for `what` and was refused."""
        event = AuditEvent(
            at=self._clock.now(),
            actor=actor,
            action="request.refused",
            subject=actor.id,
            detail={"what": what, "why": why},
        )
        async with self._transaction() as tx:
            await tx.audit.add(event)
