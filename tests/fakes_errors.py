"""A central log whose groups a test decides, and which keeps to what is promised of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import timedelta

from operations.actor import Actor
from operations.clock import Clock
from operations.errors import InvalidRequest, StaleDecision
from operations.monitoring.errors.group import (
    Change,
    ErrorGroup,
    GroupDetail,
    GroupQuery,
    GroupReport,
    GroupState,
    Order,
    Sample,
)


class ScriptedTriage:
    """Implements `handlers.error_queries.Triage`. `asked` are the queries that came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.groups: dict[int, ErrorGroup] = {}
        self.samples: list[Sample] = []
        self.changes: list[Change] = []
        self.asked: list[GroupQuery] = []

    def put(self, groups: Iterable[ErrorGroup]) -> None:
        """As if these had come in."""
        self.groups |= {group.id: group for group in groups}

    async def list(self, query: GroupQuery) -> Sequence[GroupReport]:
        """Open groups of the place and the span, in the order asked for."""
        self.asked.append(query)
        found = [group for group in self.groups.values() if _matches(group, query)]
        if query.order is Order.NEWEST:
            found.sort(key=lambda group: group.first_seen, reverse=True)
        else:
            found.sort(key=lambda group: group.count, reverse=True)
        return [GroupReport(group=group, hours=(0,) * 24) for group in found[: query.limit]]

    async def show(self, group_id: int) -> GroupDetail:
        """One of them."""
        report = GroupReport(group=self._find(group_id), hours=(0,) * 24)
        return GroupDetail(report=report, samples=self.samples, changes=self.changes)

    async def resolve(self, group_id: int, actor: Actor) -> ErrorGroup:
        """Once."""
        group = self._find(group_id)
        if group.state is GroupState.RESOLVED:
            raise StaleDecision(
                f"{group.label} is resolved already.", hint=f"`errors {group.label}`"
            )
        return self._save(
            replace(
                group, state=GroupState.RESOLVED, resolved_by=actor, resolved_at=self._clock.now()
            )
        )

    async def silence(self, group_id: int, actor: Actor, span: timedelta) -> ErrorGroup:
        """Until then."""
        until = self._clock.now() + span
        return self._save(replace(self._find(group_id), silenced_by=actor, silenced_until=until))

    async def after_rollout(self, rollout_name: str) -> Sequence[ErrorGroup]:
        """Those that name it."""
        return [group for group in self.groups.values() if group.rollout == rollout_name]

    def _find(self, group_id: int) -> ErrorGroup:
        if group_id not in self.groups:
            raise InvalidRequest(f"There is no error group E-{group_id}.", hint="See `errors`.")
        return self.groups[group_id]

    def _save(self, group: ErrorGroup) -> ErrorGroup:
        self.groups[group.id] = replace(group, revision=group.revision + 1)
        return self.groups[group.id]


def _matches(group: ErrorGroup, query: GroupQuery) -> bool:
    return (
        group.state is GroupState.OPEN
        and query.project in {"", group.project}
        and query.environment in {"", group.environment}
        and (query.since is None or group.last_seen >= query.since)
    )
