"""The API's routes about alerts: the documents that components hear of by webhook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handlers.http.queries import AlertsQuery
from handlers.http.routes import Call, Route
from handlers.monitoring_documents import (
    AlertsDocument,
    AlertWithTimeline,
    alert_report_document,
    alerts_document,
)
from operations.deployment.target import Catalog
from operations.errors import UnknownAlert
from operations.monitoring.alert import OPEN_STATES, AlertQuery, AlertState, parse_alert_id
from operations.monitoring.alert_inquiries import AlertInquiries

_ALERT_ID: Mapping[str, object] = {
    "name": "id",
    "in": "path",
    "required": True,
    "description": "An alert's id: A-17.",
    "schema": {"type": "string", "minLength": 1},
}
_OPEN = "open"


class AlertReading:
    """Handlers of what changes nothing. People act on alerts, in Slack and at the terminal."""

    def __init__(self, inquiries: AlertInquiries, catalog: Catalog) -> None:
        self._inquiries = inquiries
        self._catalog = catalog

    def routes(self) -> Sequence[Route]:
        """Both need the right to read."""
        return (
            Route(
                method="GET",
                path="/api/v1/alerts",
                name="listAlerts",
                summary="Alerts, those that are over too, newest first",
                right="read",
                handle=self.list_alerts,
                document=AlertsDocument,
                query=AlertsQuery,
            ),
            Route(
                method="GET",
                path="/api/v1/alerts/{id}",
                name="showAlert",
                summary="One alert with its timeline",
                right="read",
                handle=self.show_alert,
                document=AlertWithTimeline,
                parameters=(_ALERT_ID,),
                refusals=(404,),
            ),
        )

    async def list_alerts(self, call: Call) -> Mapping[str, object]:
        """A page; raises UnknownTarget for a project that neither is nor has alerts."""
        asked = call.query(AlertsQuery)
        project, environment = self._catalog.spelled(asked.project or "", asked.environment or "")
        page = await self._inquiries.list(
            AlertQuery(
                project=project,
                environment=environment,
                states=_states(asked.state),
                before=asked.cursor,
                limit=asked.limit,
            )
        )
        if not page.alerts and project:
            self._catalog.select(project, environment)
        return alerts_document(page)

    async def show_alert(self, call: Call) -> Mapping[str, object]:
        """One alert; raises UnknownAlert, also for what is no id."""
        text = call.request.match_info["id"]
        alert_id = parse_alert_id(text) if text.isascii() else None
        if alert_id is None:
            raise UnknownAlert("This is no alert's id.", hint="It looks like A-17.")
        return alert_report_document(await self._inquiries.show(alert_id))


def _states(asked: str | None) -> frozenset[AlertState]:
    """`open` is every state in which it still concerns somebody; none asked for: all."""
    if asked is None:
        return frozenset()
    return OPEN_STATES if asked == _OPEN else frozenset({AlertState(asked)})
