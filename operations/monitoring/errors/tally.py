"""What a batch of errors adds to a group: how many, when, and how bad that makes it. Plain sums, no I/O."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.fingerprint import Grouping
from operations.monitoring.errors.group import ErrorGroup, GroupState
from operations.monitoring.errors.preparation import Entry

HALF_LIFE = timedelta(hours=6)
"""After so long an error counts half as much for the order of groups."""
_LANDMARK = datetime(2026, 1, 1, tzinfo=UTC)
_LONGEST_RELEASE = 100

Target = tuple[str, str]
"""Project and environment."""


def decayed(counts: Mapping[datetime, int], before: float = -math.inf) -> float:
    """The logarithm of a forward-decayed count, with more errors added to it.

    Forward decay (Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009, section 3): each error
    weighs 2**((its time - landmark) / half-life), growing instead of shrinking, so that the order of the
    sums is the order of the decayed counts at any later time and nothing stored ever needs a change. The
    sums themselves would soon be too large for a float; their logarithms grow by 4 a day.
    """
    total = before
    for time, number in counts.items():
        total = _add(total, (time - _LANDMARK) / HALF_LIFE + math.log2(number))
    return total


def _add(one: float, other: float) -> float:
    """log2(2**one + 2**other)."""
    high, low = max(one, other), min(one, other)
    return high if low == -math.inf else high + math.log2(1 + 2.0 ** (low - high))


@dataclass(slots=True)
class Bundle:
    """Equal errors of one target. `first` and `newest` by their own times."""

    title: str
    first: LogEvent
    newest: LogEvent
    level: Level = Level.ERROR
    events: list[LogEvent] = field(default_factory=list)
    minutes: Counter[datetime] = field(default_factory=Counter)

    def add(self, event: LogEvent) -> None:
        """Count one more."""
        self.events.append(event)
        self.minutes[event.at.replace(second=0, microsecond=0)] += 1
        self.level = max(self.level, event.level)
        if event.at < self.first.at:
            self.first = event
        if event.at >= self.newest.at:
            self.newest = event


def merge(title: str, bundles: Sequence[Bundle]) -> Bundle | None:
    """All of them as one; None when there is none."""
    if not bundles:
        return None
    whole = Bundle(
        title,
        first=min((more.first for more in bundles), key=lambda event: event.at),
        newest=max((more.newest for more in bundles), key=lambda event: event.at),
        level=max(more.level for more in bundles),
    )
    for more in bundles:
        whole.events += more.events
        whole.minutes.update(more.minutes)
    return whole


def bundle(entries: Iterable[Entry]) -> dict[Target, dict[str, Bundle]]:
    """Errors by target and fingerprint, each in the order in which all writers take them."""
    found: dict[Target, dict[str, Bundle]] = {}
    for entry in entries:
        if entry.grouping is not None:
            target = (entry.event.project, entry.event.environment)
            _bundle_for(found.setdefault(target, {}), entry.event, entry.grouping)
    return {target: dict(sorted(found[target].items())) for target in sorted(found)}


def _bundle_for(among: dict[str, Bundle], event: LogEvent, grouping: Grouping) -> None:
    kept = among.get(grouping.fingerprint)
    if kept is None:
        kept = among[grouping.fingerprint] = Bundle(grouping.title, event, event)
    kept.add(event)


def start_group(target: Target, fingerprint: str, more: Bundle, release: str) -> ErrorGroup:
    """A new one; `release` is what runs there, for events that do not say it themselves."""
    project, environment = target
    return ErrorGroup(
        id=0,
        project=project,
        environment=environment,
        fingerprint=fingerprint,
        title=more.title,
        level=more.level,
        state=GroupState.OPEN,
        revision=1,
        count=len(more.events),
        first_seen=more.first.at,
        last_seen=more.newest.at,
        first_release=release_of(more.first, release),
        last_release=release_of(more.newest, release),
        rank=decayed(more.minutes),
    )


def grow_group(group: ErrorGroup, more: Bundle, release: str) -> ErrorGroup:
    """One that was there before."""
    is_newer = more.newest.at >= group.last_seen
    newest = release_of(more.newest, release) if is_newer else ""
    return replace(
        group,
        level=max(group.level, more.level),
        count=group.count + len(more.events),
        first_seen=min(group.first_seen, more.first.at),
        last_seen=max(group.last_seen, more.newest.at),
        last_release=newest or group.last_release,
        rank=decayed(more.minutes, group.rank),
    )


def release_of(event: LogEvent, running: str) -> str:
    """What it says itself wins."""
    return (event.fields.get("release") or running)[:_LONGEST_RELEASE]
