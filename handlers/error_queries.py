"""Which groups `errors` means, for Slack and the command line alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.language import Errors, render
from operations.deployment.target import Catalog
from operations.durations import say_duration
from operations.monitoring.errors.group import GroupQuery, GroupReport, Order
from operations.monitoring.errors.triage import Triage

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was asked, with its names as the configuration spells them, and what there is.

    `has_more`: there are more groups than were asked for.
    """

    command: Errors
    reports: Sequence[GroupReport]
    has_more: bool

    @property
    def where(self) -> str:
        """`myapp/prod`, `myapp`, or "" for everywhere."""
        return "/".join(part for part in (self.command.project, self.command.environment) if part)

    @property
    def span(self) -> str:
        """`24 h`, as people say it."""
        since = self.command.since or _DAY
        return "24 h" if since == _DAY else say_duration(since)

    @property
    def nothing(self) -> str:
        """One sentence for when nothing was found: what was searched."""
        searched = f" of {self.where}" if self.where else ""
        return f"No open errors{searched} in the last {self.span}."

    @property
    def wider(self) -> str:
        """The command that finds more."""
        return render(replace(self.command, since=timedelta(days=7)))

    @property
    def longer(self) -> str:
        """The command that lists more."""
        return render(replace(self.command, count=min(200, self.command.count * 2)))


async def find_groups(triage: Triage, catalog: Catalog, command: Errors, now: datetime) -> Found:
    """Raises UnknownTarget for names that neither the configuration nor the log knows."""
    project, environment = catalog.spelled(command.project, command.environment)
    command = replace(command, project=project, environment=environment)
    query = GroupQuery(
        project=project,
        environment=environment,
        since=now - (command.since or _DAY),
        order=Order.NEWEST if command.newest else Order.WORST,
        limit=command.count + 1,
    )
    reports = await triage.list(query)
    if not reports:
        catalog.select(project, environment)
    return Found(
        command=command, reports=reports[: command.count], has_more=len(reports) > command.count
    )
