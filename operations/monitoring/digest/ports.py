"""What digests ask of the outside world. All times are aware UTC."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from operations.monitoring.check import Flip
from operations.monitoring.digest.digest import Digest, EndedRollout, GroupLine, StoredDigest
from operations.monitoring.digest.span import Span
from operations.monitoring.errors.ports import ErrorGroups
from operations.monitoring.ports import Alerts as OpenAlerts
from operations.monitoring.ports import AuditTrail, Checks, Outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """Errors of a project in one hour of UTC, which begins at `hour`."""

    project: str
    hour: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTimes:
    """When an alert fired, and when it was acknowledged and resolved, if it was."""

    fired_at: datetime
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WatchChange:
    """A check was stopped, or started again."""

    check_id: str
    stopped: bool
    at: datetime


class DigestSources(Protocol):
    """What digests are made from, within a transaction; nothing is changed."""

    async def errors(self, hours: Span) -> Sequence[HourCount]:
        """Error counts by project and hour; an hour without errors is left out."""
        ...

    async def new_groups(self, span: Span, *, limit: int) -> tuple[Sequence[GroupLine], int]:
        """Open groups that were first seen in the span, the loudest first, and how many there are."""
        ...

    async def worst_groups(self, span: Span, *, limit: int) -> Sequence[GroupLine]:
        """Open groups that were seen in the span, the loudest in it first."""
        ...

    async def alerts(self, span: Span) -> Sequence[AlertTimes]:
        """Those that fired, were acknowledged or were resolved in the span, each told by itself.

        One that had been open for more than a month may be missing.
        """
        ...

    async def rollouts(self, span: Span) -> Sequence[EndedRollout]:
        """Those that ended in the span, oldest first."""
        ...

    async def unreviewed(self, *, limit: int) -> tuple[Sequence[EndedRollout], int]:
        """Emergencies that nobody has looked at since, oldest first, and how many there are."""
        ...

    async def flips(self, since: datetime) -> Sequence[Flip]:
        """Changes of all checks since then, oldest first."""
        ...

    async def watch_changes(self, since: datetime) -> Sequence[WatchChange]:
        """Who was stopped and started since then, oldest first."""
        ...


class Digests(Protocol):
    """Digests in the database, within a transaction."""

    async def add(self, draft: StoredDigest) -> StoredDigest | None:
        """Store a new one, whose id is given here; None when there is one with its key."""
        ...

    async def begin(self, key: str, at: datetime) -> None:
        """Remember that the days up to this one are no concern of ours."""
        ...

    async def get(self, digest_id: int) -> StoredDigest | None:
        """Read one."""
        ...

    async def naming(self, subjects: Collection[str], since: datetime) -> Sequence[str]:
        """Those made since then that name any of these (`E-12`, `A-17`), by label, oldest first."""
        ...

    async def save_picture(self, digest_id: int, file_id: str) -> None:
        """Remember the file in Slack that holds its chart."""
        ...

    async def newest_day(self) -> str:
        """The newest scheduled one's key, or what `begin` remembered; "" when there is neither."""
        ...


class Transaction(Protocol):
    """All of it happens, or nothing."""

    @property
    def digests(self) -> Digests: ...

    @property
    def digest_sources(self) -> DigestSources: ...

    @property
    def checks(self) -> Checks: ...

    @property
    def alerts(self) -> OpenAlerts: ...

    @property
    def groups(self) -> ErrorGroups: ...

    @property
    def audit(self) -> AuditTrail: ...

    @property
    def notices(self) -> Outbox: ...


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]: ...

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]: ...


class Painter(Protocol):
    """Draws a digest's chart."""

    async def paint(self, digest: Digest) -> bytes:
        """A PNG. Raises ProviderError when it cannot be drawn in time."""
        ...
