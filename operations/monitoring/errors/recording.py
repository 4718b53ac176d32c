"""Writing a batch of entries within a transaction: groups, counts, samples, events, and who is told.

Targets and fingerprints are taken in order, so that two who write at once wait for each other and never in
a circle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from operations.actor import SYSTEM
from operations.audit import AuditEvent
from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.group import OTHER, ErrorGroup, GroupState, Sample
from operations.monitoring.errors.mentions import redraw
from operations.monitoring.errors.newcomers import NEW_GROUPS, admit
from operations.monitoring.errors.ports import Running, Transaction
from operations.monitoring.errors.preparation import Entry
from operations.monitoring.errors.tally import (
    Bundle,
    Target,
    bundle,
    grow_group,
    release_of,
    start_group,
)
from operations.outbox import Notice, NoticeKind, Urgency

AFTERMATH = timedelta(minutes=30)
"""For so long after a rollout went live, what begins is told in its thread."""
EVENTS_A_MINUTE = 100
"""Of a group, kept one by one; the rest of a storm is counted only."""
SAMPLES_A_MINUTE = 2

_Key = tuple[str, str, str]


class Ration:
    """How much of each group was kept in this minute, by this process."""

    def __init__(self) -> None:
        self._minute: datetime | None = None
        self._used: Counter[_Key] = Counter()

    def left(self, most: int, key: _Key, now: datetime) -> int:
        """How many more may be kept."""
        if self._minute != now.replace(second=0, microsecond=0):
            self._minute = now.replace(second=0, microsecond=0)
            self._used.clear()
        return max(0, most - self._used[key])

    def use(self, kept: Mapping[_Key, int]) -> None:
        """Once it is committed."""
        self._used.update(kept)


@dataclass(slots=True)
class Writing:
    """One transaction's work. `kept` is what it uses up of the ration when it is committed.

    `is_checked`: checks of the error rate, which go by minutes, count what is written.
    """

    tx: Transaction
    ration: Ration
    now: datetime
    running: Mapping[Target, Running]
    most_new: int = NEW_GROUPS
    is_checked: bool = True
    kept: Counter[_Key] = field(default_factory=Counter)
    _events: list[tuple[LogEvent, int | None]] = field(default_factory=list)
    _samples: list[tuple[int, Sample]] = field(default_factory=list)

    async def write(self, entries: Sequence[Entry]) -> None:
        """Raises VersionConflict when another added a group meanwhile; then all is to be tried anew."""
        self._events += [(entry.event, None) for entry in entries if entry.grouping is None]
        for target, bundles in bundle(entries).items():
            await self._write_target(target, bundles)
        await self.tx.events.add_samples(self._samples)
        await self.tx.events.add(self._events)

    async def _write_target(self, target: Target, bundles: Mapping[str, Bundle]) -> None:
        running = self.running.get(target, Running())
        held = await self.tx.groups.held(*target, [*bundles, OTHER])
        bundles = await self._make_room(target, bundles, held)
        grown: list[ErrorGroup] = []
        begun: list[ErrorGroup] = []
        former: list[ErrorGroup] = []
        for fingerprint, more in bundles.items():
            known = held.get(fingerprint)
            if known is None:
                fresh = start_group(target, fingerprint, more, running.release)
                group = await self.tx.groups.add(_tied(fresh, more, running, self.now))
                begun.append(group)
            else:
                group = await self._grow(known, more, running)
                grown.append(group)
                if known.state is not group.state:
                    begun.append(group)
                    former.append(known)
            self._keep(group, more, running.release)
        await self.tx.groups.save(grown)
        await self._count(target, bundles, {g.fingerprint: g.id for g in [*grown, *begun]})
        await redraw(self.tx, former, self.now)
        await self._tell(begun, running)

    async def _make_room(
        self, target: Target, bundles: Mapping[str, Bundle], held: Mapping[str, ErrorGroup]
    ) -> Mapping[str, Bundle]:
        """With those as one that are new and too many. The target is held, so that the count holds."""
        unknown = {key: more for key, more in bundles.items() if key not in held}
        if not unknown:
            return bundles
        before = await self.tx.counts.newcomers(*target, self.now)
        own, other = admit(unknown, self.most_new - before)
        if own:
            await self.tx.counts.count_newcomers(*target, self.now, len(own))
        if other is None:
            return bundles
        known = {key: more for key, more in bundles.items() if key in held}
        return {**known, **own, OTHER: other}

    async def _grow(self, group: ErrorGroup, more: Bundle, running: Running) -> ErrorGroup:
        """One that was resolved comes back with an event from after that, not with a late one."""
        grown = grow_group(group, more, running.release)
        over_since = group.resolved_at or group.last_seen
        if group.state is GroupState.OPEN or more.newest.at <= over_since:
            return grown
        back = replace(grown, state=GroupState.OPEN, rollout="")
        back = _tied(back, more, running, self.now)
        detail = {"rollout": back.rollout} if back.rollout else {}
        await self.tx.audit.add(
            AuditEvent(
                at=self.now,
                actor=SYSTEM,
                action="error.came_back",
                subject=group.label,
                detail=detail,
            )
        )
        return back

    def _keep(self, group: ErrorGroup, more: Bundle, release: str) -> None:
        """The newest, as far as the ration goes."""
        key = (group.project, group.environment, group.fingerprint)
        room = self.ration.left(EVENTS_A_MINUTE, key, self.now) - self.kept[key]
        sampled = self.ration.left(SAMPLES_A_MINUTE, key, self.now) - self.kept[key]
        kept = more.events[-room:] if room > 0 else []
        self.kept[key] += len(kept)
        self._events += [(event, group.id) for event in kept]
        self._samples += [
            (group.id, _sample(event, release)) for event in kept[-max(sampled, 0) :] if sampled > 0
        ]

    async def _count(
        self, target: Target, bundles: Mapping[str, Bundle], ids: Mapping[str, int]
    ) -> None:
        total: Counter[datetime] = Counter()
        for more in bundles.values():
            total.update(more.minutes)
        await self.tx.counts.count({ids[key]: more.minutes for key, more in bundles.items()})
        await self.tx.counts.count_targets({target: total}, by_minutes=self.is_checked)

    async def _tell(self, begun: Sequence[ErrorGroup], running: Running) -> None:
        """In the rollout's thread, of those that nobody silenced."""
        tied = {group.id for group in begun if group.rollout and not _is_silenced(group, self.now)}
        if not tied or not running.channel:
            return
        # One more than there are now: a storm of errors that differ must not read all of them each time.
        limit = len(tied) + 1
        heard = await self.tx.groups.heard_after(running.rollout, self.now, limit=limit)
        has_earlier = not tied.issuperset(heard)
        notice = Notice(
            subject=running.rollout,
            kind=NoticeKind.ERRORS,
            channel=running.channel,
            urgency=Urgency.PROGRESS if has_earlier else Urgency.DECISION,
        )
        await self.tx.notices.put(notice, self.now)


def _tied(group: ErrorGroup, more: Bundle, running: Running, now: datetime) -> ErrorGroup:
    """With the rollout that it began after, if that is not long ago."""
    if not running.rollout or running.since is None or running.began is None:
        return group
    if now - running.since > AFTERMATH or more.first.at < running.began:
        return group
    return replace(group, rollout=running.rollout)


def _is_silenced(group: ErrorGroup, now: datetime) -> bool:
    return group.silenced_until is not None and now < group.silenced_until


def _sample(event: LogEvent, release: str) -> Sample:
    return Sample(
        at=event.at,
        message=event.message,
        release=release_of(event, release),
        source=event.source,
        fields=event.fields,
    )
