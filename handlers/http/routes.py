"""What a route of the API is: one value that drives the router, the rights and the API's description."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from handlers.http.access import STRANGER, Access, Component, require
from handlers.http.problems import BodyFault, FaultyRequest
from handlers.http.schemas import Schema, Schemas
from handlers.http.validation import faults_of
from operations.redaction import clean

Query = TypeVar("Query", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that was admitted."""

    request: web.Request
    component: Component

    def query(self, kind: type[Query]) -> Query:
        """The parameters behind the question mark; raises FaultyRequest naming each that is wrong."""
        return read_query(self.request, kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`right` is needed to call it; `deploy` is any `deploy:…`, and the handler asks for the exact one.

    `spares_own`: what the caller made itself it may read without; the handler asks then.
    `body` tells the schema by content type. `document` is the TypedDict
    of what it answers, with `status`. `refusals` are the statuses beyond those that every route has.
    `parameters` are headers and parts of the path, each with its schema.
    """

    method: str
    path: str
    name: str
    summary: str
    right: str
    handle: Callable[[Call], Awaitable[Mapping[str, object]]]
    document: object
    status: int = 200
    spares_own: bool = False
    query: type[BaseModel] | None = None
    body: Mapping[str, Callable[[Schemas], Schema]] | None = None
    parameters: tuple[Mapping[str, object], ...] = ()
    refusals: tuple[int, ...] = ()


def add_route(application: web.Application, route: Route, access: Access) -> None:
    """Identify, permit, handle, answer; what is refused is audited."""

    what = f"{route.method} {route.path}"

    async def carry_out(request: web.Request, component: Component) -> web.Response:
        if not route.spares_own:
            require(component, route.right, f"call {what}")
        document = await route.handle(Call(request=request, component=component))
        return json_answer(document, route.status)

    reads = route.method == "GET"

    async def answer(request: web.Request) -> web.StreamResponse:
        async with access.auditing(STRANGER, what, reads=reads):
            component = access.identify(_authorization(request))
        async with access.auditing(component.actor, what, reads=reads):
            return await carry_out(request, component)

    if reads:
        application.router.add_get(route.path, answer)  # and HEAD
    else:
        application.router.add_route(route.method, route.path, answer)


def _authorization(request: web.Request) -> str:
    return request.headers.get("Authorization", "")


def json_answer(document: Mapping[str, object], status: int = 200) -> web.Response:
    """One JSON document."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return web.Response(status=status, body=body, content_type="application/json")


def read_query(request: web.Request, kind: type[Query]) -> Query:
    """Each parameter once, and none that is not known."""
    given = request.query
    twice = [name for name in dict.fromkeys(given) if len(given.getall(name)) > 1]
    if twice:
        faults = [BodyFault(clean(name, limit=100), "is here twice") for name in twice]
        raise _faulty_query(faults)
    try:
        return kind.model_validate_strings(dict(given))
    except ValidationError as exc:
        raise _faulty_query(faults_of(exc)) from exc


def _faulty_query(faults: list[BodyFault]) -> FaultyRequest:
    return FaultyRequest("The query is not as it should be.", faults)
