"""`GET /api/v1/openapi.json`: the API's own description, made of the routes and of the documents' types."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from aiohttp import web

from handlers.http.access import DEPLOY
from handlers.http.problems import CONTENT_TYPE
from handlers.http.routes import Route
from handlers.http.schemas import Schema, Schemas

PATH = "/api/v1/openapi.json"

_ALWAYS = (401, 403, 429, 500, 503, 504)
"""What every route may answer."""

_REFUSALS: Mapping[int, str] = {
    400: "The request is not readable.",
    401: "No token, or none that is known.",
    403: "The component lacks the right.",
    404: "There is no such thing.",
    409: "A lock, a window or another request stands in the way.",
    413: "The body is larger than 1 MiB.",
    415: "The body is of a kind that is not taken here.",
    422: "Something in the request is wrong; every fault is listed.",
    429: "Too much at once: again after Retry-After.",
    500: "A fault of HMS-SYS, with the reference of its log.",
    502: "The platform failed.",
    503: "The database or the platform cannot be reached.",
    504: "No answer in time.",
}
ANYWHERE: Mapping[int, str] = {
    405: "The address does not take this method; `Allow` names those that it takes.",
    417: "`Expect` asks for something else than `100-continue`; told in plain text.",
}
"""What is answered before a route is reached, so that no route describes it; 400 and 404 may be so too."""
_PROBLEM: Schema = {
    "type": "object",
    "description": "What went wrong, as RFC 9457 has it.",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "hint": {"type": "string", "description": "What to do next."},
        "reference": {"type": "string", "description": "Where the log tells more."},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/Fault"}},
        "errors_left_out": {"type": "integer"},
    },
    "required": ["detail", "status", "title", "type"],
}
_FAULT: Schema = {
    "type": "object",
    "description": "One fault; `index` is the number of the event, from 0.",
    "properties": {
        "at": {"type": "string"},
        "message": {"type": "string"},
        "index": {"type": "integer"},
    },
    "required": ["at", "message"],
}


def describe(routes: Sequence[Route]) -> Schema:
    """The whole document, OpenAPI 3.1."""
    schemas = Schemas()
    paths: dict[str, Schema] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    paths[PATH] = {"get": _own_operation()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "HMS-SYS",
            "version": "1",
            "description": "Deployments, their history, what serves, and errors. Documents may gain keys.",
        },
        "security": [{"component": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.definitions, "Problem": _PROBLEM, "Fault": _FAULT},
            "securitySchemes": {"component": {"type": "http", "scheme": "bearer"}},
        },
    }


def describing(routes: Sequence[Route]) -> web.Response:
    """The answer, the same for everybody: it says nothing that is not public."""
    body = json.dumps(describe(routes), ensure_ascii=False).encode()
    return web.Response(body=body, content_type="application/json")


def _operation(route: Route, schemas: Schemas) -> Schema:
    operation: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "description": _needs(route),
        "parameters": [*route.parameters, *_query_parameters(route, schemas)],
        "responses": {
            str(route.status): _answer("Done.", "application/json", schemas.of(route.document)),
            **{str(status): _refusal(status) for status in _refusals(route)},
        },
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": body(schemas)} for kind, body in route.body.items()},
        }
    return operation


def _needs(route: Route) -> str:
    right = f"{DEPLOY}:ENVIRONMENT" if route.right == DEPLOY else route.right
    own = ", but for what the component asked for itself" if route.spares_own else ""
    return f"Needs the right `{right}`{own}."


def _own_operation() -> Schema:
    document = _answer("This document.", "application/json", {"type": "object"})
    refusals = {str(status): _refusal(status) for status in (500, 504)}
    return {
        "operationId": "describe",
        "summary": "This document",
        "security": [],
        "responses": {"200": document, **refusals},
    }


def _refusals(route: Route) -> list[int]:
    own = {422} if route.query is not None else set()
    if route.body is not None:
        own |= {400, 413, 415, 422}
    return sorted({*_ALWAYS, *own, *route.refusals})


def _answer(words: str, kind: str, schema: Schema) -> Schema:
    return {"description": words, "content": {kind: {"schema": schema}}}


def _refusal(status: int) -> Schema:
    return _answer(_REFUSALS[status], CONTENT_TYPE, {"$ref": "#/components/schemas/Problem"})


def _query_parameters(route: Route, schemas: Schemas) -> list[Schema]:
    if route.query is None:
        return []
    model = route.query.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.pop("description", ""),
            "schema": _given(schema),
        }
        for name, schema in model["properties"].items()
    ]


def _given(schema: Schema) -> Schema:
    """Nobody can write null behind a question mark: it is left away instead."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind.get("type") != "null"]
    return kinds[0] if len(kinds) == 1 else {k: v for k, v in schema.items() if k != "title"}
