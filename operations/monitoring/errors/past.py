"""Errors of another tool's old logs, written into the central log with their own old times.

Beside `intake`, not through it: what is long over begins nothing and brings nothing back. Nobody is told of
it, no rollout is tied to it, and no check, digest or line of the last hours counts it. A group remembers how
many of its errors came so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from operations.errors import VersionConflict
from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.group import OTHER, ErrorGroup, Sample
from operations.monitoring.errors.newcomers import admit
from operations.monitoring.errors.ports import ErrorGroups, EventLog
from operations.monitoring.errors.preparation import Entry, Preparation
from operations.monitoring.errors.tally import Bundle, Target, bundle, grow_group, start_group

MOST_GROUPS = 1000
"""Of a target, that one import begins; what finds no room is counted as one group."""
_KEPT = 100
"""Single events that are kept of a group, of those that are written together; the newest."""
_SAMPLED = 5
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class OldError:
    """`key` is that of its line in the log: 63 bits, the same whenever the line is read."""

    key: int
    event: LogEvent


class ImportedErrors(Protocol):
    """Which lines of old logs were imported, within a transaction."""

    async def keep(self, keys: Mapping[int, datetime]) -> frozenset[int]:
        """Remember those, with the times of their errors; the ones that were not known."""
        ...


class PastTransaction(Protocol):
    """All of it happens, or nothing."""

    @property
    def imported_errors(self) -> ImportedErrors: ...

    @property
    def groups(self) -> ErrorGroups: ...

    @property
    def events(self) -> EventLog: ...


class PastStore(Protocol):
    """The database."""

    def transaction(self) -> AbstractAsyncContextManager[PastTransaction]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far back things are kept, as times: what is older is not stored."""

    events: datetime
    samples: datetime
    counts: datetime


@dataclass(slots=True)
class PastErrors:
    """One import's way into the central log."""

    store: PastStore
    reach: Reach
    _preparation: Preparation = field(default_factory=Preparation)
    _begun: Counter[Target] = field(default_factory=Counter)

    async def add(self, errors: Sequence[OldError]) -> int:
        """Store those that are not there, in one transaction; how many those were.

        They are to be errors, in the order of their times, and none older than `reach.counts`.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return await self._add(errors)
            except VersionConflict:
                if attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _add(self, errors: Sequence[OldError]) -> int:
        begun = Counter(self._begun)
        async with self.store.transaction() as tx:
            given = {each.key: each.event for each in errors}
            new = await tx.imported_errors.keep({key: each.at for key, each in given.items()})
            entries = self._prepare(given[key] for key in given if key in new)
            for target, bundles in bundle(entries).items():
                begun[target] += await self._write(tx, target, bundles, MOST_GROUPS - begun[target])
        self._begun = begun
        return len(new)

    def _prepare(self, events: Iterable[LogEvent]) -> list[Entry]:
        """Each as if it had just happened: its time is believed."""
        return [entry for event in events for entry in self._preparation.prepare([event], event.at)]

    async def _write(
        self, tx: PastTransaction, target: Target, bundles: Mapping[str, Bundle], room: int
    ) -> int:
        """How many groups it began."""
        held = await tx.groups.held(*target, [*bundles, OTHER])
        own, other = admit({key: bundles[key] for key in bundles if key not in held}, room)
        known = {key: bundles[key] for key in bundles if key in held}
        chosen = {**known, **own, **({OTHER: other} if other else {})}
        for fingerprint, more in chosen.items():
            await self._write_group(tx, target, fingerprint, more, held.get(fingerprint))
        return len(own)

    async def _write_group(
        self,
        tx: PastTransaction,
        target: Target,
        fingerprint: str,
        more: Bundle,
        known: ErrorGroup | None,
    ) -> None:
        if known is None:
            fresh = start_group(target, fingerprint, more, "")
            group = await tx.groups.add(replace(fresh, imported=fresh.count))
        else:
            [group] = await tx.groups.save([_with_past(known, more)])
        kept = [event for event in more.events[-_KEPT:] if event.at >= self.reach.events]
        await tx.events.add([(event, group.id) for event in kept])
        if known is None or more.newest.at >= known.last_seen:
            await tx.events.add_samples([(group.id, each) for each in self._samples(more)])

    def _samples(self, more: Bundle) -> list[Sample]:
        """Only of what is newer than all that is known: samples are told newest first, as they came."""
        return [
            Sample(
                at=event.at,
                message=event.message,
                release=event.fields.get("release", "")[:100],
                source=event.source,
                fields=event.fields,
            )
            for event in more.events[-_SAMPLED:]
            if event.at >= self.reach.samples
        ]


def _with_past(known: ErrorGroup, more: Bundle) -> ErrorGroup:
    """What began after a rollout began then: it would be said to have come back."""
    grown = grow_group(known, more, "")
    return replace(
        grown,
        imported=known.imported + len(more.events),
        first_seen=known.first_seen if known.rollout else grown.first_seen,
    )


def reach_of(now: datetime, events: timedelta, samples: timedelta, counts: timedelta) -> Reach:
    """Of what is kept for so long."""
    return Reach(events=now - events, samples=now - samples, counts=now - counts)
