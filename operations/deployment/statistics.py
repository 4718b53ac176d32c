"""How deploying goes, by DORA's measures: pure, from the rollouts of a span.

What each figure counts (the glossary has the same words):

- A **change** is a deploy that began and of which is known how it ended: live, failed, or rolled back.
  What was cancelled midway, or ended so that nobody can tell, is none.
- A change **failed** when it ended failed or rolled back, or when it went live and a rollback of its target
  was begun within `REGRET` of that, with no other deploy gone live between.
- A failed change is **restored** when a good release serves its target again: at its own end when the former
  release was brought back, else when the next rollout of the target goes live. The time to that is counted
  from when the failed change began.
- **Lead time** is from the newest commit of a release to when it went live, of those whose commit is known.

Medians, and of how many: an average of ten deploys and one that hung says little of any of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from operations.deployment.rollout import RolloutKind, RolloutState

REGRET = timedelta(hours=24)

_LIVE = RolloutState.SUCCEEDED
_FAILED = frozenset({RolloutState.FAILED, RolloutState.ROLLED_BACK})


@dataclass(frozen=True, slots=True, kw_only=True)
class PastRollout:
    """A rollout that has ended. `approved_at` is the last vote in favour, None: there was none."""

    id: int
    project: str
    environment: str
    kind: RolloutKind
    state: RolloutState
    version: str
    pin: str
    requested_at: datetime
    approved_at: datetime | None
    started_at: datetime | None
    ended_at: datetime

    @property
    def is_live_deploy(self) -> bool:
        """Whether it is a deploy that went live."""
        return self.kind is RolloutKind.DEPLOY and self.state is _LIVE

    @property
    def is_change(self) -> bool:
        """Whether it began, and nobody doubts how it ended."""
        is_known = self.state is _LIVE or self.state in _FAILED
        return self.kind is RolloutKind.DEPLOY and is_known and self.started_at is not None


@dataclass(frozen=True, slots=True)
class Middle:
    """The median of `count` spans; None of none."""

    count: int = 0
    span: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentFigures:
    """Of one environment, over all projects that were asked about. `days` are those with a deploy."""

    environment: str
    outcomes: Mapping[RolloutState, int]
    rollbacks: int
    live: int
    days: int
    changes: int
    failures: int
    unrestored: int
    restore: Middle
    lead: Middle
    duration: Middle
    wait: Middle

    @property
    def failure_rate(self) -> float | None:
        """The share of changes that failed; None where there was no change."""
        return self.failures / self.changes if self.changes else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """`project` "": all of them. Environments with the most deploys come first."""

    project: str
    since: datetime
    until: datetime
    environments: tuple[EnvironmentFigures, ...]

    @property
    def weeks(self) -> float:
        """How long the span is."""
        return (self.until - self.since) / timedelta(weeks=1)


def figures_of(
    rollouts: Iterable[PastRollout], committed: Mapping[int, datetime]
) -> tuple[EnvironmentFigures, ...]:
    """The figures of each environment. `committed` by the rollout's id, where it is known."""
    by_place: dict[str, dict[str, list[PastRollout]]] = {}
    for rollout in sorted(rollouts, key=lambda r: (r.ended_at, r.id)):
        targets = by_place.setdefault(rollout.environment, {})
        targets.setdefault(rollout.project, []).append(rollout)
    found = [_figures(name, list(t.values()), committed) for name, t in by_place.items()]
    return tuple(sorted(found, key=lambda each: (-each.live, each.environment)))


def _figures(
    environment: str,
    targets: Sequence[Sequence[PastRollout]],
    committed: Mapping[int, datetime],
) -> EnvironmentFigures:
    every = [rollout for target in targets for rollout in target]
    live = [rollout for rollout in every if rollout.is_live_deploy]
    failures = [failure for target in targets for failure in _failures(target)]
    return EnvironmentFigures(
        environment=environment,
        outcomes=dict(Counter(rollout.state for rollout in every)),
        rollbacks=sum(rollout.kind is RolloutKind.ROLLBACK for rollout in every),
        live=len(live),
        days=len({rollout.ended_at.date() for rollout in live}),
        changes=sum(rollout.is_change for rollout in every),
        failures=len(failures),
        unrestored=sum(span is None for span in failures),
        restore=_middle(failures),
        lead=_middle(_between(committed.get(r.id), r.ended_at) for r in live),
        duration=_middle(_between(r.started_at, r.ended_at) for r in live),
        wait=_middle(_between(r.requested_at, r.approved_at) for r in every),
    )


def _failures(target: Sequence[PastRollout]) -> list[timedelta | None]:
    """Of one target's rollouts in order: for each change that failed, the time until it was restored."""
    regretted = _regretted(target)
    lives = [rollout.ended_at for rollout in target if rollout.state is _LIVE]
    return [
        _restored_after(rollout, lives)
        for rollout in target
        if rollout.is_change and (rollout.state in _FAILED or rollout.id in regretted)
    ]


def _regretted(target: Sequence[PastRollout]) -> set[int]:
    """Deploys that went live and were taken back soon."""
    live = [rollout for rollout in target if rollout.is_live_deploy]
    ends = [rollout.ended_at for rollout in live]
    found = set()
    for rollout in target:
        if rollout.kind is not RolloutKind.ROLLBACK or rollout.started_at is None:
            continue
        before = bisect_right(ends, rollout.started_at)
        if before and rollout.started_at - ends[before - 1] <= REGRET:
            found.add(live[before - 1].id)
    return found


def _restored_after(failed: PastRollout, lives: Sequence[datetime]) -> timedelta | None:
    if failed.state is RolloutState.ROLLED_BACK:
        return _between(failed.started_at, failed.ended_at)
    later = bisect_right(lives, failed.ended_at)
    return _between(failed.started_at, lives[later]) if later < len(lives) else None


def _between(begin: datetime | None, end: datetime | None) -> timedelta | None:
    """Clocks of several machines may disagree: no span is less than nothing."""
    if begin is None or end is None:
        return None
    return max(timedelta(0), end - begin)


def _middle(spans: Iterable[timedelta | None]) -> Middle:
    known = [span.total_seconds() for span in spans if span is not None]
    return Middle(len(known), timedelta(seconds=median(known))) if known else Middle()
