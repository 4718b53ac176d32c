"""What the central log asks of the outside world. All times are aware UTC."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.group import (
    Change,
    ErrorGroup,
    GroupQuery,
    Sample,
)
from operations.monitoring.errors.log_ports import LogCursors
from operations.monitoring.errors.repeats import BatchKeys
from operations.monitoring.errors.tally import Target
from operations.monitoring.ports import AuditTrail, Mentions, Outbox


class ErrorGroups(Protocol):
    """Groups in the database, within a transaction."""

    async def held(
        self, project: str, environment: str, fingerprints: Sequence[str]
    ) -> Mapping[str, ErrorGroup]:
        """Those of a target that there are, by fingerprint, locked until the transaction ends."""
        ...

    async def add(self, group: ErrorGroup) -> ErrorGroup:
        """Store a new one, whose id is given here. Raises VersionConflict when another just did."""
        ...

    async def get(self, group_id: int, *, lock: bool = False) -> ErrorGroup | None:
        """Read one."""
        ...

    async def save(self, groups: Sequence[ErrorGroup]) -> Sequence[ErrorGroup]:
        """Store every field and raise `revision`; for those that were read under a lock."""
        ...

    async def search(self, query: GroupQuery) -> Sequence[ErrorGroup]:
        """Open groups in the query's order."""
        ...

    async def began_after(self, rollout: str, *, limit: int) -> Sequence[ErrorGroup]:
        """Those whose `rollout` is this one, worst first and so many at most."""
        ...

    async def heard_after(self, rollout: str, now: datetime, *, limit: int) -> Collection[int]:
        """The ids of such, but for silenced ones; so many at most, in no order."""
        ...


class ErrorCounts(Protocol):
    """How many errors there were, within a transaction. Hours and minutes begin at their start, UTC."""

    async def count(self, counts: Mapping[int, Mapping[datetime, int]]) -> None:
        """Add to groups' hours, by id; the inner keys are times within them."""
        ...

    async def count_targets(
        self,
        counts: Mapping[tuple[str, str], Mapping[datetime, int]],
        *,
        by_minutes: bool = True,
    ) -> None:
        """Add to targets' hours, and to their minutes, by project and environment; inner keys as above."""
        ...

    async def newcomers(self, project: str, environment: str, at: datetime) -> int:
        """How many groups began on a target in the hour of `at`, which is kept for two days."""
        ...

    async def count_newcomers(
        self, project: str, environment: str, at: datetime, number: int
    ) -> None:
        """Add to them."""
        ...

    async def hours(
        self, group_ids: Sequence[int], since: datetime
    ) -> Mapping[int, Mapping[datetime, int]]:
        """By group and hour, from the hour of `since` on; an hour without errors is left out."""
        ...

    async def of_target(self, project: str, environment: str, since: datetime) -> int:
        """Errors since the minute of `since`, which is kept for two days."""
        ...

    async def of_target_by_hours(self, project: str, environment: str, since: datetime) -> int:
        """Errors since the hour of `since`, which is kept for as long as is configured."""
        ...

    async def worst_of(self, project: str, environment: str, since: datetime) -> int | None:
        """The group of a target that most errors belong to since the hour of `since`."""
        ...


class EventLog(Protocol):
    """Single events and samples, within a transaction."""

    async def add(self, events: Sequence[tuple[LogEvent, int | None]]) -> None:
        """Append events, each with the id of its group, None for those that are no errors."""
        ...

    async def add_samples(self, samples: Sequence[tuple[int, Sample]]) -> None:
        """Keep samples of groups; the oldest beyond a few of each of these groups go at once."""
        ...

    async def samples(self, group_id: int, *, limit: int) -> Sequence[Sample]:
        """A group's samples, newest first."""
        ...


class Transaction(Protocol):
    """All of it happens, or nothing."""

    @property
    def groups(self) -> ErrorGroups: ...

    @property
    def counts(self) -> ErrorCounts: ...

    @property
    def events(self) -> EventLog: ...

    @property
    def batch_keys(self) -> BatchKeys: ...

    @property
    def audit(self) -> AuditTrail: ...

    @property
    def notices(self) -> Outbox: ...

    @property
    def digests(self) -> Mentions: ...

    @property
    def log_sources(self) -> LogCursors: ...


class Store(Protocol):
    """The database."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]: ...

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What runs on a target: `release` is the version, `rollout` who brought it (`D-1042`).

    `began` is when the rollout was begun; `since` when it went live, the same while it is under way.
    """

    release: str = ""
    rollout: str = ""
    channel: str = ""
    began: datetime | None = None
    since: datetime | None = None


class Releases(Protocol):
    """What deployment knows of a target, for errors to be tied to it."""

    async def running(self, targets: Collection[Target]) -> Mapping[Target, Running]:
        """What is live on each, or is being brought out; left out when nothing is known."""
        ...

    async def changes(
        self, project: str, environment: str, since: datetime, until: datetime
    ) -> Sequence[Change]:
        """What changed on the target in the span, newest first."""
        ...
