"""After the database was put back from a backup: nothing of the past may start by itself.

What the backup holds as waiting or under way went on after it was made, in ways that nobody here knows: it
may have shipped, and something newer after it. So all of it ends, with the reason, and people ask again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from operations.actor import Actor
from operations.audit import AuditEvent
from operations.clock import Clock
from operations.deployment.journal import announce, record
from operations.deployment.ports import Transaction as Deployment
from operations.deployment.rollout import WAITING, Phase, Rollout, RolloutState

SUBJECT = "database"
_WHY = "the database was restored from a backup"
_WAITED = (
    "The database was restored from a backup in which this waited. Whether it went out since, HMS-SYS"
    " does not know. Ask for it again if it is still wanted."
)
_WENT_ON = (
    "The database was restored from a backup in which this was under way. How it went on, HMS-SYS does"
    " not know. Look at the platform."
)


class Restoration(Protocol):
    """What only the database can do about having been put back."""

    async def raise_numbers(self, by: int) -> Mapping[str, int]:
        """Let the numbers of everything that people and components know by number go on so much higher.

        The last number that will not be given, by what is numbered.
        """
        ...

    async def doubt_notices(self) -> None:
        """Mark what has not been told as perhaps told already."""
        ...


class Transaction(Deployment, Protocol):
    """All of it happens, or nothing."""

    @property
    def restoration(self) -> Restoration: ...


class Store(Protocol):
    """The database, which nobody else uses."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A writing transaction."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What was done. `numbers` are the last ones that will not be given, by what is numbered."""

    numbers: Mapping[str, int]
    expired: Sequence[Rollout]
    unknown: Sequence[Rollout]


async def settle_past(store: Store, clock: Clock, actor: Actor, *, by: int) -> Settled:
    """Raise the numbers by `by` and end whatever had not ended. Done twice, it only raises them twice."""
    async with store.transaction() as tx:
        now = clock.now()
        numbers = await tx.restoration.raise_numbers(by)
        # Before anything is put here, which nobody was told yet.
        await tx.restoration.doubt_notices()
        ended = [await _end(tx, each, actor, now) for each in await tx.rollouts.unended()]
        settled = Settled(
            numbers=numbers,
            expired=[each for each in ended if each.state is RolloutState.EXPIRED],
            unknown=[each for each in ended if each.state is RolloutState.UNKNOWN],
        )
        await tx.audit.add(_event(settled, actor, now, by))
    return settled


async def _end(tx: Transaction, rollout: Rollout, actor: Actor, now: datetime) -> Rollout:
    waited = rollout.state in WAITING
    state = RolloutState.EXPIRED if waited else RolloutState.UNKNOWN
    ended = await tx.rollouts.save(
        replace(
            rollout,
            state=state,
            phase=Phase.WAITING if waited else Phase.DONE,
            ended_at=now,
            outcome=_WAITED if waited else _WENT_ON,
        )
    )
    await record(tx, ended, f"rollout.{state.value}", actor, now, why=_WHY)
    await announce(tx, ended, now)
    return ended


def _event(settled: Settled, actor: Actor, now: datetime, by: int) -> AuditEvent:
    detail = {
        "by": str(by),
        "expired": ", ".join(each.name for each in settled.expired),
        "unknown": ", ".join(each.name for each in settled.unknown),
    }
    return AuditEvent(
        at=now, actor=actor, action="database.restored", subject=SUBJECT, detail=detail
    )
