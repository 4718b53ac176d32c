"""What deployment asks of the outside world. Adapters in `providers`, `storage` and `handlers` answer.

All times are aware UTC. Implementations raise only errors of `operations.errors`, with the vendor's
exception as cause.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from operations.audit import AuditEvent
from operations.deployment.progress import Failure, Handle, Progress, Started
from operations.deployment.release import Release, Resolution
from operations.deployment.repeats import Repeats
from operations.deployment.rollout import (
    HistoryPage,
    HistoryQuery,
    Rollout,
    RolloutDraft,
    TargetLock,
)
from operations.deployment.statistics import PastRollout
from operations.deployment.target import HealthRule, Target
from operations.outbox import Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can honestly do. `note` is told to people when something is missing."""

    pins: bool
    aborts: bool
    rolls_back: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOrder:
    """Ship `release` to `target`.

    `key` (the rollout's name) makes it idempotent: the adapter marks its change with it and looks for
    the mark first. `intended_at` is when the intent was stored: nothing older can be our own change.
    `resumed` is true when an earlier start may have reached the provider.
    """

    target: Target
    release: Release
    key: str
    cause: str
    intended_at: datetime
    resumed: bool = False
    is_rollback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreOrder:
    """Stop what `handle` names, if it still goes on, and bring `previous` back.

    Idempotent by `key`. `handle` is None when the start never gave one.
    """

    target: Target
    previous: Release
    handle: Handle | None
    key: str
    cause: str
    intended_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHealth:
    """What serves now. `desired` and `healthy` are units; -1: the provider does not count.

    `state` is `healthy`, `degraded`, `deploying`, `down` or `unknown`.
    """

    version: str
    artifact: str
    desired: int
    healthy: int
    state: str
    detail: str = ""


class Provider(Protocol):
    """A deployment platform. Each call has its own deadline; retries of safe calls are its own matter."""

    @property
    def capabilities(self) -> Capabilities:
        """What this provider can do at all."""
        ...

    async def resolve(self, target: Target, version: str) -> Resolution:
        """Pin `version` ("" means: the one now running, or the branch's head) to something immutable.

        Raises InvalidRequest when the provider knows that there is no such version.
        """
        ...

    async def start(self, order: StartOrder) -> Started:
        """Make the change. Raises OutcomeUnknown when it was sent and no answer came.

        Called again with the same key, it finds the change that was made instead of making another.
        """
        ...

    def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """Observations until one carries a verdict; resumable from the handle alone.

        SUCCEEDED only when the revision asked for is the one that serves. Short trouble is survived
        inside; raises ProviderError when the provider cannot be asked any more.
        """
        ...

    async def explain(self, target: Target, handle: Handle) -> Failure:
        """Gather what the platform knows about why it does not get on; used at a deadline.

        Raises OutcomeUnknown where a failure would be a guess.
        """
        ...

    async def restore(self, order: RestoreOrder) -> Started:
        """Abort and roll back: follow its handle until SUCCEEDED, which means the former release serves."""
        ...

    async def status(self, target: Target) -> TargetHealth:
        """What serves now."""
        ...

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        """The newest lines of the application's own log, oldest first."""
        ...


class HealthProbe(Protocol):
    """Asks a target's health URL."""

    async def probe(self, rule: HealthRule) -> str:
        """Ask once; "" when it is healthy, else what was wrong in a few words. Never raises."""
        ...


class Members(Protocol):
    """Who belongs to Slack's user groups."""

    async def groups_of(self, user: str, among: Collection[str]) -> frozenset[str]:
        """Those of the user groups (S…) that the user belongs to.

        Raises ProviderUnavailable when Slack cannot be asked.
        """
        ...


class Rollouts(Protocol):
    """Rollouts in the database, within a transaction."""

    async def add(self, draft: RolloutDraft) -> Rollout:
        """Store a new rollout; ids rise from 1001."""
        ...

    async def get(self, rollout_id: int, *, lock: bool = False) -> Rollout | None:
        """Read one; with `lock`, nobody else can change it until the transaction ends."""
        ...

    async def save(self, rollout: Rollout) -> Rollout:
        """Store every changed field and raise `revision` by one; the lease is not touched.

        In one statement compares the revision that was read and, when `rollout.lease` is not None, the
        lease's number. Raises VersionConflict or LeaseLost, and StorageError when the target already
        has another active rollout.
        """
        ...

    async def waiting(self, project: str, environment: str) -> Sequence[Rollout]:
        """Those of the target that wait for approval or in the queue, oldest first.

        In a writing transaction nobody else can add to them or change them until it ends.
        """
        ...

    async def active(self, project: str, environment: str) -> Rollout | None:
        """The one that is being carried out on the target."""
        ...

    async def last_live(
        self, project: str, environment: str, *, before: int | None = None
    ) -> Rollout | None:
        """The newest succeeded rollout of the target, with an id below `before` when given."""
        ...

    async def live_with_version(
        self, project: str, environment: str, version: str
    ) -> Rollout | None:
        """The newest succeeded rollout of the target that shipped this version."""
        ...

    async def search(self, query: HistoryQuery) -> HistoryPage:
        """History, newest first."""
        ...

    async def queued(self) -> Sequence[Rollout]:
        """Those of every target that wait in the queue."""
        ...

    async def unended(self) -> Sequence[Rollout]:
        """Those of every target that wait or are being carried out, oldest first."""
        ...

    async def expired(self, now: datetime) -> Sequence[Rollout]:
        """Those that wait for approval beyond their expiry."""
        ...

    async def missed(self, moment: datetime) -> Sequence[Rollout]:
        """Those in the queue that were to start at that moment or before."""
        ...

    async def ended_since(self, since: datetime, project: str) -> Sequence[PastRollout]:
        """Those that ended since then, oldest end first; `project` "": of all projects."""
        ...


class Locks(Protocol):
    """People's holds on targets."""

    async def get(
        self, project: str, environment: str, now: datetime, *, lock: bool = False
    ) -> TargetLock | None:
        """The lock in force at `now`; with `lock`, nobody else can set or lift it in between."""
        ...

    async def put(self, lock: TargetLock) -> None:
        """Set or replace the target's lock."""
        ...

    async def remove(self, project: str, environment: str) -> None:
        """Lift the target's lock, if any."""
        ...


class AuditLog(Protocol):
    """The append-only trail."""

    async def add(self, event: AuditEvent) -> None:
        """Append, chained to the newest event's hash."""
        ...

    async def of(self, subject: str) -> Sequence[AuditEvent]:
        """A subject's events, oldest first."""
        ...

    async def broken_at(self) -> int | None:
        """The number of the first event whose hash does not fit; None when the chain holds."""
        ...


class Notices(Protocol):
    """The outbox, within a transaction."""

    async def put(self, notice: Notice, now: datetime) -> None:
        """Make it due; see Notice for what happens to one that is there already."""
        ...


class Transaction(Protocol):
    """All of it happens, or nothing. Writers run one after another on SQLite."""

    @property
    def rollouts(self) -> Rollouts: ...

    @property
    def locks(self) -> Locks: ...

    @property
    def audit(self) -> AuditLog: ...

    @property
    def notices(self) -> Notices: ...

    @property
    def repeats(self) -> Repeats: ...


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A writing transaction, committed at the end of the block, rolled back when it raises."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]:
        """A reading transaction; writing in it is an error."""
        ...


class RolloutQueue(Protocol):
    """Claiming work. Each call is a transaction of its own."""

    async def claim(
        self,
        owner: str,
        now: datetime,
        until: datetime,
        *,
        only: int | None = None,
        closed: Collection[str] = (),
    ) -> Rollout | None:
        """Take the oldest rollout that needs a worker, or None.

        A queued one whose target has no active rollout becomes `running` in phase STARTING with
        `started_at` = now, unless a lock of another than its requester holds it back, or its target is
        `closed`: then it stays queued, but for emergencies and ways back. One with a time to start stays
        queued before that, and from `start_time.LATEST` after it. An active one whose lease has
        ended is taken over as it is. Either way the lease's number rises. With `only`, no other rollout
        is considered.
        """
        ...

    async def renew(self, rollout: Rollout, until: datetime) -> None:
        """Extend the lease; raises LeaseLost when it is no longer ours."""
        ...

    async def release(self, rollout: Rollout) -> None:
        """Give the lease up at once, so that another worker may take over; a lost one is ignored."""
        ...

    async def wait(self, seconds: float, *, closed: Collection[str] = ()) -> None:
        """Return when new work may be there, at the latest after `seconds`; what is held back is none."""
        ...
