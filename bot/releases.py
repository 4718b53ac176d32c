"""What runs where errors come from: the central log's question, answered from deployment's history."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Protocol

from operations.clock import Clock
from operations.deployment.inquiries import Inquiries
from operations.deployment.rollout import (
    HistoryQuery,
    Rollout,
    RolloutKind,
    RolloutState,
)
from operations.deployment.standing import Place, Standing, Standings
from operations.errors import UnknownTarget
from operations.monitoring.errors.group import Change
from operations.monitoring.errors.ports import Running

_RECENT = 50
_FRESH = timedelta(seconds=3)
_MOST_REMEMBERED = 2000

_SHIPPED = {RolloutKind.DEPLOY: "shipped {}", RolloutKind.ROLLBACK: "rolled back to {}"}
_WORDS = {
    RolloutState.RUNNING: "began to ship {}",
    RolloutState.VERIFYING: "began to ship {}",
    RolloutState.CANCELLED: "was cancelled on the way to {}",
    RolloutState.FAILED: "failed to ship {}",
    RolloutState.ROLLED_BACK: "tried {} and went back",
    RolloutState.UNKNOWN: "may have shipped {}",
}


class Transaction(Protocol):
    """All of it is read as it is at one moment."""

    @property
    def standings(self) -> Standings: ...


class Store(Protocol):
    """The database."""

    def snapshot(self) -> AbstractAsyncContextManager[Transaction]: ...


class RolloutReleases:
    """Implements `operations.monitoring.errors.ports.Releases`. Answers on what runs are kept for 3 s."""

    def __init__(self, inquiries: Inquiries, store: Store, clock: Clock) -> None:
        self._inquiries = inquiries
        self._store = store
        self._clock = clock
        self._known: dict[Place, tuple[datetime, Running]] = {}

    async def running(self, targets: Collection[Place]) -> Mapping[Place, Running]:
        """What is being brought out, else what went live last."""
        now = self._clock.now()
        stale = [place for place in targets if not self._is_known(place, now)]
        if stale:
            found = await self._ask(stale)
            if len(self._known) >= _MOST_REMEMBERED:
                self._known = {place: self._known[place] for place in set(targets) - set(stale)}
            self._known |= {place: (now, found.get(place, Running())) for place in stale}
        return {place: self._known[place][1] for place in targets}

    def _is_known(self, place: Place, now: datetime) -> bool:
        known = self._known.get(place)
        return known is not None and now - known[0] < _FRESH

    async def _ask(self, places: Collection[Place]) -> Mapping[Place, Running]:
        async with self._store.snapshot() as tx:
            found = await tx.standings.among(places)
        # What is under way comes last, and so takes the place of what is live.
        ordered = sorted(found, key=lambda standing: standing.ended_at is None)
        return {standing.place: _running(standing) for standing in ordered}

    async def changes(
        self, project: str, environment: str, since: datetime, until: datetime
    ) -> Sequence[Change]:
        """Rollouts that touched the target; one that never started changed nothing.

        One that ended only after the span is told at its start: that is what came before.
        """
        found = [
            _change(rollout, _last_before(until, rollout.started_at, rollout.ended_at))
            for rollout in await self._recent(project, environment)
            if rollout.started_at is not None
            and rollout.started_at <= until
            and (rollout.ended_at or rollout.started_at) >= since
        ]
        return sorted(found, key=lambda change: change.at, reverse=True)

    async def _recent(self, project: str, environment: str) -> Sequence[Rollout]:
        query = HistoryQuery(project=project, environment=environment, limit=_RECENT)
        try:
            return (await self._inquiries.history(query)).rollouts
        except UnknownTarget:
            return ()


def _running(chosen: Standing) -> Running:
    return Running(
        release=chosen.version,
        rollout=chosen.name,
        channel=chosen.channel,
        began=chosen.started_at,
        since=chosen.ended_at or chosen.started_at,
    )


def _last_before(until: datetime, started: datetime, ended: datetime | None) -> datetime:
    return ended if ended is not None and ended <= until else started


def _change(rollout: Rollout, at: datetime) -> Change:
    words = _WORDS.get(rollout.state) or _SHIPPED[rollout.kind]
    return Change(at=at, subject=rollout.name, text=words.format(rollout.release.version))
