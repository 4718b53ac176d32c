"""What runs where errors come from: the central log's question, answered from deployment's history."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from operations.clock import Clock
from operations.deployment.inquiries import Inquiries
from operations.deployment.rollout import (
    ACTIVE,
    HistoryQuery,
    Rollout,
    RolloutKind,
    RolloutState,
)
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


class RolloutReleases:
    """Implements `operations.monitoring.errors.ports.Releases`. Answers on what runs are kept for 3 s."""

    def __init__(self, inquiries: Inquiries, clock: Clock) -> None:
        self._inquiries = inquiries
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[datetime, Running]] = {}

    async def running(self, project: str, environment: str) -> Running:
        """What is being brought out, else what went live last."""
        now = self._clock.now()
        at, known = self._known.get((project, environment), (None, Running()))
        if at is not None and now - at < _FRESH:
            return known
        found = _running(await self._recent(project, environment))
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[project, environment] = (now, found)
        return found

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


def _running(newest_first: Sequence[Rollout]) -> Running:
    started = [rollout for rollout in newest_first if rollout.started_at is not None]
    under_way = [rollout for rollout in started if rollout.state in ACTIVE]
    live = [rollout for rollout in started if rollout.state is RolloutState.SUCCEEDED]
    chosen = next(iter([*under_way, *live]), None)
    if chosen is None:
        return Running()
    return Running(
        release=chosen.release.version,
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
