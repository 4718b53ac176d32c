"""What people ask of groups of errors, and do about them: list, show, resolve, silence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from operations.actor import Actor
from operations.audit import AuditEvent
from operations.clock import Clock
from operations.errors import InvalidRequest, NotPermitted, OperationError, StaleDecision
from operations.monitoring.errors.group import (
    Change,
    ErrorCount,
    ErrorGroup,
    GroupDetail,
    GroupQuery,
    GroupReport,
    GroupState,
)
from operations.monitoring.errors.mentions import redraw
from operations.monitoring.errors.ports import ErrorCounts, Releases, Store, Transaction

SPARK_HOURS = 24
MOST_AFTER = 200
"""Nobody reads more of what began after a rollout, and a storm may be tens of thousands."""
_SAMPLES = 10
_BEFORE = timedelta(hours=24)
"""Changes that are older cannot well be why a group began."""
_LONGEST_SILENCE = timedelta(days=30)
_BY_MINUTES = timedelta(days=1)
"""Longer spans are counted by the hour."""
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


class Triage:
    """Answers people. Whoever is in the workspace may act on errors; logins that nobody maps may not."""

    def __init__(self, *, store: Store, releases: Releases, clock: Clock) -> None:
        self._store = store
        self._releases = releases
        self._clock = clock

    async def list(self, query: GroupQuery) -> Sequence[GroupReport]:
        """Open groups with their last 24 hours; silenced ones are among them."""
        async with self._store.snapshot() as tx:
            return await self._reports(tx, await tx.groups.search(query))

    async def show(self, group_id: int) -> GroupDetail:
        """All that is known of one; raises InvalidRequest when there is none."""
        async with self._store.snapshot() as tx:
            group = _found(await tx.groups.get(group_id), group_id)
            [report] = await self._reports(tx, [group])
            samples = await tx.events.samples(group_id, limit=_SAMPLES)
        return GroupDetail(report=report, samples=samples, changes=await self._changes(group))

    async def resolve(self, group_id: int, actor: Actor) -> ErrorGroup:
        """It is mended, says a person, until it is seen again."""

        def resolved(group: ErrorGroup, now: datetime) -> ErrorGroup:
            return replace(group, state=GroupState.RESOLVED, resolved_by=actor, resolved_at=now)

        return await self._change(group_id, actor, "error.resolved", resolved)

    async def silence(self, group_id: int, actor: Actor, span: timedelta) -> ErrorGroup:
        """Nobody is told of it for so long; it is counted, and listed with a mark."""
        if not timedelta(0) < span <= _LONGEST_SILENCE:
            raise InvalidRequest(
                "A silence lasts from a second to 30 days.", hint="Say `silence E-12 1h`."
            )

        def silenced(group: ErrorGroup, now: datetime) -> ErrorGroup:
            return replace(group, silenced_by=actor, silenced_until=now + span)

        return await self._change(group_id, actor, "error.silenced", silenced)

    async def after_rollout(self, rollout_name: str) -> Sequence[ErrorGroup]:
        """Those that began or came back after it, worst first; `MOST_AFTER` at most."""
        async with self._store.snapshot() as tx:
            return await tx.groups.began_after(rollout_name, limit=MOST_AFTER)

    async def count(self, project: str, environment: str, span: timedelta) -> ErrorCount:
        """How many errors a target had, by minutes; by hours in spans of more than a day."""
        since = self._clock.now() - span
        async with self._store.snapshot() as tx:
            number = await _count(tx.counts, project, environment, since, span)
            worst = None
            if number:
                worst_id = await tx.counts.worst_of(project, environment, since)
                worst = None if worst_id is None else await tx.groups.get(worst_id)
        return ErrorCount(count=number, span=span, worst=worst)

    async def _reports(
        self, tx: Transaction, groups: Sequence[ErrorGroup]
    ) -> Sequence[GroupReport]:
        first = self._clock.now().replace(minute=0, second=0, microsecond=0)
        first -= (SPARK_HOURS - 1) * _HOUR
        hours = await tx.counts.hours([group.id for group in groups], first)
        return [
            GroupReport(group=group, hours=_spark(hours.get(group.id, {}), first))
            for group in groups
        ]

    async def _changes(self, group: ErrorGroup) -> Sequence[Change]:
        """A group is shown also when nobody can say what changed."""
        since = group.first_seen - _BEFORE
        try:
            return await self._releases.changes(
                group.project, group.environment, since, group.first_seen
            )
        except OperationError:
            return ()

    async def _change(
        self,
        group_id: int,
        actor: Actor,
        action: str,
        change: Callable[[ErrorGroup, datetime], ErrorGroup],
    ) -> ErrorGroup:
        _require_person(actor)
        async with self._store.transaction() as tx:
            now = self._clock.now()
            group = _found(await tx.groups.get(group_id, lock=True), group_id)
            if group.state is GroupState.RESOLVED:
                raise StaleDecision(f"{group.label} is resolved already{_by(group.resolved_by)}.")
            [stored] = await tx.groups.save([change(group, now)])
            await tx.audit.add(AuditEvent(at=now, actor=actor, action=action, subject=group.label))
            await redraw(tx, [group], now)
            return stored


def _spark(counts: Mapping[datetime, int], first: datetime) -> Sequence[int]:
    return [counts.get(first + hour * _HOUR, 0) for hour in range(SPARK_HOURS)]


def _found(group: ErrorGroup | None, group_id: int) -> ErrorGroup:
    if group is None:
        raise InvalidRequest(f"There is no error E-{group_id}.", hint="See `errors`.")
    return group


def _by(actor: Actor | None) -> str:
    return f", by <@{actor.id}>" if actor else ""


def _require_person(actor: Actor) -> None:
    if not actor.is_person:
        raise NotPermitted(
            "This login is not mapped to a Slack user.",
            hint="An admin can add it under `access.cli` in hms.yaml.",
        )


async def _count(
    counts: ErrorCounts, project: str, environment: str, since: datetime, span: timedelta
) -> int:
    """Of the minute or hour in which the span begins, the share that lies within it.

    Counted whole it made up to twice as many of a short span, and a check failed and recovered every minute.
    """
    by_minutes = span <= _BY_MINUTES
    unit = _MINUTE if by_minutes else _HOUR
    count = counts.of_target if by_minutes else counts.of_target_by_hours
    begun = await count(project, environment, since)
    whole = await count(project, environment, since + unit) if begun and span >= unit else 0
    hidden = (since - datetime.min.replace(tzinfo=since.tzinfo)) % unit
    share = 1 - hidden / unit if span >= unit else 1.0
    return whole + round((begun - whole) * share)
