"""`/api/v1`: put together from the services, one table of routes for router, rights and description."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from handlers.http import openapi
from handlers.http.access import Access
from handlers.http.alerts import AlertReading
from handlers.http.event_values import Events
from handlers.http.events import Intake, Receiving
from handlers.http.reading import Alerts, ErrorGroups, Reading
from handlers.http.rollouts import Asking, tell_rollout
from handlers.http.routes import Route, add_route
from operations.clock import Clock
from operations.deployment.keyed_requests import KeyedRequests
from operations.deployment.ports import Store
from operations.deployment.service import Deployments
from operations.monitoring.alert_inquiries import AlertInquiries


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiParts:
    """What the API is built from."""

    deployments: Deployments
    store: Store
    intake: Intake
    groups: ErrorGroups
    alerts: Alerts
    past_alerts: AlertInquiries
    access: Access
    clock: Clock


@dataclass(frozen=True, slots=True)
class Api:
    """`keyed` remembers; somebody is to call its `forget_old` now and then."""

    routes: Sequence[Route]
    access: Access
    keyed: KeyedRequests

    def register(self, application: web.Application) -> None:
        """Add the routes, and their description, which everybody may read."""
        for route in self.routes:
            add_route(application, route, self.access)

        async def describe(request: web.Request) -> web.StreamResponse:
            return openapi.describing(self.routes)

        application.router.add_get(openapi.PATH, describe)


def build_api(parts: ApiParts) -> Api:
    """Everything of `/api/v1`."""
    inquiries, clock = parts.deployments.inquiries, parts.clock
    catalog = inquiries.catalog
    keyed = KeyedRequests(parts.deployments.requests, parts.store, clock, tell_rollout)
    routes = (
        *Asking(keyed, catalog).routes(),
        *Reading(inquiries, parts.groups, parts.alerts, clock).routes(),
        *AlertReading(parts.past_alerts, catalog).routes(),
        *Receiving(parts.intake, Events(catalog), clock).routes(),
    )
    return Api(routes, parts.access, keyed)
