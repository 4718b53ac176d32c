"""The API's reading routes: the documents that the command line prints with `--json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from handlers.documents import (
    HistoryDocument,
    RolloutWithTimeline,
    history_document,
    show_document,
)
from handlers.error_documents import ErrorsDocument, errors_document
from handlers.fleet_documents import FleetDocument, fleet_document
from handlers.http.access import require
from handlers.http.problems import BodyFault, FaultyRequest
from handlers.http.queries import ErrorQuery, RolloutQuery, TargetQuery, read_since
from handlers.http.routes import Call, Route
from operations.clock import Clock
from operations.deployment.inquiries import Inquiries, RolloutReport
from operations.deployment.rollout import HistoryQuery, parse_rollout_id
from operations.errors import UnknownRollout, UnknownTarget
from operations.monitoring.errors.group import GroupQuery, GroupReport, Order
from operations.monitoring.grouping import AlertGroup

_ROLLOUT_ID: Mapping[str, object] = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "A rollout's id: D-1042, or H-42 of an imported one.",
    "schema": {"type": "string", "minLength": 1},
}


class ErrorGroups(Protocol):
    """What the central log knows; `operations.monitoring.errors.triage` answers."""

    async def list(self, query: GroupQuery) -> Sequence[GroupReport]:
        """Open groups in the query's order."""
        ...


class Alerts(Protocol):
    """What people were alerted of; `operations.monitoring.alerting` answers."""

    async def standing(self) -> Sequence[AlertGroup]:
        """All that is not over."""
        ...


class Reading:
    """Handlers of what changes nothing."""

    def __init__(
        self, inquiries: Inquiries, groups: ErrorGroups, alerts: Alerts, clock: Clock
    ) -> None:
        self._inquiries = inquiries
        self._alerts = alerts
        self._groups = groups
        self._clock = clock

    def routes(self) -> Sequence[Route]:
        """All of them need the right to read."""
        return (*self._rollout_routes(), *self._present_routes())

    def _rollout_routes(self) -> Sequence[Route]:
        return (
            Route(
                method="GET",
                path="/api/v1/rollouts",
                name="listRollouts",
                summary="History, newest first",
                right="read",
                handle=self.list_rollouts,
                document=HistoryDocument,
                query=RolloutQuery,
            ),
            Route(
                method="GET",
                path="/api/v1/rollouts/{id}",
                name="showRollout",
                summary="One rollout with its timeline",
                right="read",
                spares_own=True,
                handle=self.show_rollout,
                document=RolloutWithTimeline,
                parameters=(_ROLLOUT_ID,),
                refusals=(404,),
            ),
        )

    def _present_routes(self) -> Sequence[Route]:
        return (
            Route(
                method="GET",
                path="/api/v1/targets",
                name="listTargets",
                summary="What serves now, asked of the platforms",
                right="read",
                handle=self.list_targets,
                document=FleetDocument,
                query=TargetQuery,
            ),
            Route(
                method="GET",
                path="/api/v1/errors",
                name="listErrors",
                summary="Groups of errors that are open",
                right="read",
                handle=self.list_errors,
                document=ErrorsDocument,
                query=ErrorQuery,
            ),
        )

    async def list_rollouts(self, call: Call) -> Mapping[str, object]:
        """A page of history."""
        asked = call.query(RolloutQuery)
        query = HistoryQuery(
            project=asked.project or "",
            environment=asked.environment or "",
            requested_by=asked.by or "",
            external_id=asked.external_id or "",
            since=read_since(asked.since, self._clock.now()) if asked.since else None,
            before=asked.cursor,
            limit=asked.limit,
            imported=True,
        )
        return history_document(await self._inquiries.history(query))

    async def show_rollout(self, call: Call) -> Mapping[str, object]:
        """One rollout; raises UnknownRollout, also for what is no id.

        Whoever asked for it may follow it; to others without the right all ids are alike.
        """
        try:
            report = await self._find(call.request.match_info["id"])
        except UnknownRollout:
            _require_read(call)
            raise
        if report.rollout.requested_by.id != call.component.actor.id:
            _require_read(call)
        return show_document(report)

    async def _find(self, text: str) -> RolloutReport:
        rollout_id = parse_rollout_id(text) if text.isascii() else None
        if rollout_id is None:
            raise UnknownRollout("This is no rollout's id.", hint="It looks like D-1042.")
        return await self._inquiries.show(rollout_id)

    async def list_targets(self, call: Call) -> Mapping[str, object]:
        """The fleet."""
        asked = call.query(TargetQuery)
        _check_pair(asked.project, asked.environment)
        reports = await self._inquiries.status(asked.project or "", asked.environment or "")
        return fleet_document(reports, await self._alerts.standing())

    async def list_errors(self, call: Call) -> Mapping[str, object]:
        """Groups of errors."""
        asked = call.query(ErrorQuery)
        _check_pair(asked.project, asked.environment)
        project, environment = self._spelled(asked.project or "", asked.environment or "")
        query = GroupQuery(
            project=project,
            environment=environment,
            since=read_since(asked.since, self._clock.now()) if asked.since else None,
            order=Order(asked.order),
            limit=asked.limit,
        )
        return errors_document(await self._groups.list(query))

    def _spelled(self, project: str, environment: str) -> tuple[str, str]:
        """As the configuration spells them; raises UnknownTarget."""
        catalog = self._inquiries.catalog
        if not project:
            return "", ""
        if not catalog.select(project, environment):
            raise UnknownTarget(f"There is no target {project}/{environment}.")
        return catalog.spelled(project, environment)


def _require_read(call: Call) -> None:
    require(call.component, "read", "read a rollout that it did not ask for")


def _check_pair(project: str | None, environment: str | None) -> None:
    if environment and not project:
        fault = BodyFault("environment", "needs “project”")
        raise FaultyRequest("The query is not as it should be.", [fault])
