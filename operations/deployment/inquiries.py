"""Asking about deployments: history, one rollout, the fleet, logs, and what stands in the way. Reads only."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from operations.actor import Actor
from operations.audit import AuditEvent
from operations.deployment.holding import find_hold
from operations.deployment.identities import identify
from operations.deployment.policy import Answer, Question, assess
from operations.deployment.ports import TargetHealth, Transaction
from operations.deployment.resources import Resources
from operations.deployment.rollout import (
    HistoryPage,
    HistoryQuery,
    Rollout,
    RolloutKind,
    RolloutState,
    TargetLock,
    rollout_name,
)
from operations.deployment.target import Catalog, Target
from operations.errors import OperationError, ProviderUnavailable, Refused, UnknownRollout
from operations.redaction import clean

_STATUS_SECONDS = 10.0
_LOG_SECONDS = 20.0

_Asked = tuple[TargetHealth | None, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetReport:
    """One line of the fleet. `health` None: it could not be asked, and `trouble` says why."""

    target: Target
    health: TargetHealth | None
    trouble: str
    lock: TargetLock | None
    active: Rollout | None
    last: Rollout | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutReport:
    """One rollout with everything that happened to it, oldest first. `serves`: it is what is live now."""

    rollout: Rollout
    timeline: tuple[AuditEvent, ...]
    serves: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacles:
    """The answer to `why`. `held` by rollout's id: what holds back one that waits in the queue."""

    target: Target
    answer: Answer
    active: Rollout | None
    waiting: tuple[Rollout, ...]
    held: Mapping[int, Refused] = field(default_factory=dict)


class Inquiries:
    """Answers questions."""

    def __init__(self, resources: Resources) -> None:
        self._catalog = resources.catalog
        self._providers = resources.providers
        self._store = resources.store
        self._members = resources.members
        self._clock = resources.clock

    @property
    def catalog(self) -> Catalog:
        """All targets, for completion and forms."""
        return self._catalog

    async def history(self, query: HistoryQuery) -> HistoryPage:
        """Rollouts, newest first; raises UnknownTarget for a project that neither is nor was."""
        known = self._catalog.spelled(query.project, query.environment)
        query = replace(query, project=known[0], environment=known[1])
        async with self._store.snapshot() as tx:
            page = await tx.rollouts.search(query)
        if not page.rollouts and query.project:
            self._catalog.select(query.project, query.environment)
        return page

    async def show(self, rollout_id: int) -> RolloutReport:
        """One rollout and its timeline."""
        async with self._store.snapshot() as tx:
            rollout = await tx.rollouts.get(rollout_id)
            if rollout is None:
                raise UnknownRollout(
                    f"There is no rollout {rollout_name(rollout_id)}.", hint="See `history`."
                )
            timeline = await tx.audit.of(rollout.name)
            serves = rollout.id in await _serving(tx, [rollout])
        return RolloutReport(rollout=rollout, timeline=tuple(timeline), serves=serves)

    async def serving(self, rollouts: Iterable[Rollout]) -> frozenset[int]:
        """The ids of those among them that are live now: the last that went live on their targets."""
        async with self._store.snapshot() as tx:
            return await _serving(tx, rollouts)

    async def status(self, project: str = "", environment: str = "") -> list[TargetReport]:
        """What serves now, asked of all platforms at once; one in trouble is a line, not an error."""
        targets = self._catalog.select(project, environment)
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._health(target)) for target in targets]
        reports = []
        async with self._store.snapshot() as tx:
            now = self._clock.now()
            for target, task in zip(targets, asked, strict=True):
                reports.append(await _report(tx, target, task.result(), now))
        return reports

    async def unreviewed(self, project: str = "", environment: str = "") -> Sequence[Rollout]:
        """Emergencies that nobody has looked at since; of many the newest."""
        names = self._catalog.spelled(project, environment)
        query = HistoryQuery(project=names[0], environment=names[1], unreviewed=True, limit=100)
        async with self._store.snapshot() as tx:
            return (await tx.rollouts.search(query)).rollouts

    async def why(self, project: str, environment: str, actor: Actor) -> Obstacles:
        """What stands in the way of this actor's deploy now."""
        target = self._catalog.find(project, environment)
        identity = await identify(actor, target, self._members)
        async with self._store.snapshot() as tx:
            now = self._clock.now()
            lock = await tx.locks.get(target.project, target.environment, now)
            waiting = await tx.rollouts.waiting(target.project, target.environment)
            found = {each.id: await find_hold(tx, self._catalog, each, now) for each in waiting}
            return Obstacles(
                target=target,
                answer=assess(Question(target=target, identity=identity, now=now, lock=lock)),
                active=await tx.rollouts.active(target.project, target.environment),
                waiting=tuple(waiting),
                held={each: obstacle for each, obstacle in found.items() if obstacle is not None},
            )

    async def logs(
        self, project: str, environment: str, *, lines: int = 50, since: timedelta | None = None
    ) -> Sequence[str]:
        """The newest lines of the application's log, cleaned, oldest first."""
        target = self._catalog.find(project, environment)
        try:
            async with asyncio.timeout(_LOG_SECONDS):
                found = await self._providers[target.provider].logs(
                    target, lines=lines, since=since
                )
        except TimeoutError as exc:
            raise ProviderUnavailable(
                f"{target.spec.title} sent no log within {_LOG_SECONDS:.0f} s."
            ) from exc
        return [clean(line, limit=1000) for line in found[-lines:]]

    async def _health(self, target: Target) -> _Asked:
        try:
            async with asyncio.timeout(_STATUS_SECONDS):
                return await self._providers[target.provider].status(target), ""
        except TimeoutError:
            return None, f"no answer within {_STATUS_SECONDS:.0f} s"
        except OperationError as exc:
            return None, exc.message


async def _serving(tx: Transaction, rollouts: Iterable[Rollout]) -> frozenset[int]:
    places = {
        (each.project, each.environment)
        for each in rollouts
        if each.state is RolloutState.SUCCEEDED and each.kind is not RolloutKind.IMPORT
    }
    live = [await tx.rollouts.last_live(*place) for place in sorted(places)]
    return frozenset(each.id for each in live if each is not None)


async def _report(tx: Transaction, target: Target, asked: _Asked, now: datetime) -> TargetReport:
    health, trouble = asked
    place = (target.project, target.environment)
    recent = await tx.rollouts.search(
        HistoryQuery(project=target.project, environment=target.environment, limit=1)
    )
    live = await tx.rollouts.last_live(*place)
    if health and live and live.release.pin and live.release.pin in health.artifact:
        health = replace(health, version=live.release.version)
    return TargetReport(
        target=target,
        health=health,
        trouble=trouble,
        lock=await tx.locks.get(*place, now),
        active=await tx.rollouts.active(*place),
        last=next(iter(recent.rollouts), None),
    )
