"""The HTTP side of the Kubernetes API stand-in: paths, parameters, patches, lists, watches and logs.

What it does not know is refused with a Status and written into `unexpected`, so that a test can say that
an adapter asks nothing else than what it is known to ask.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.kubernetes import patches
from sandbox.kubernetes.faults import Faults, cut
from sandbox.kubernetes.kubelet import Kubelet
from sandbox.kubernetes.logs import Written, select
from sandbox.kubernetes.objects import RESOURCES, WORKLOADS, Json
from sandbox.kubernetes.selectors import Predicate, by_fields, by_labels
from sandbox.kubernetes.statuses import ApiError
from sandbox.kubernetes.store import Store
from sandbox.kubernetes.validation import validate
from sandbox.kubernetes.watches import Watches

_LIST = frozenset(
    {
        "labelSelector",
        "fieldSelector",
        "resourceVersion",
        "resourceVersionMatch",
        "limit",
        "watch",
        "allowWatchBookmarks",
        "timeoutSeconds",
    }
)
_PATCH = frozenset({"fieldManager", "fieldValidation", "dryRun"})
_LOG = frozenset(
    {
        "container",
        "previous",
        "tailLines",
        "limitBytes",
        "sinceSeconds",
        "sinceTime",
        "timestamps",
    }
)
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Api:
    """Routes over a store. `patches`: resource, name and body of each; `requests`: the latest."""

    def __init__(self, store: Store, kubelet: Kubelet, faults: Faults, token: str) -> None:
        self.patches: list[tuple[str, str, object]] = []
        self.unexpected: list[str] = []
        self.requests: deque[str] = deque(maxlen=1000)
        self.watches = Watches(store)
        self._store = store
        self._kubelet = kubelet
        self._faults = faults
        self._token = token

    def application(self) -> web.Application:
        """A fresh application for each start of the server."""

        @web.middleware
        async def guard(request: web.Request, handler: _Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        app = web.Application(middlewares=[guard])
        for base in ("/apis/{group}/v1", "/api/v1"):
            path = f"{base}/namespaces/{{namespace}}/{{resource}}"
            app.router.add_get(path, self._list, allow_head=False)
            app.router.add_get(f"{path}/{{name}}", self._get, allow_head=False)
            app.router.add_patch(f"{path}/{{name}}", self._patch)
        logs = "/api/v1/namespaces/{namespace}/pods/{name}/log"
        app.router.add_get(logs, self._log, allow_head=False)
        app.router.add_route("*", "/{rest:.*}", self._unknown)
        return app

    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path_qs}")
        try:
            if await self._faults.meet(request):
                return cut(request)
            if request.headers.get("Authorization") != f"Bearer {self._token}":
                raise ApiError(401, "Unauthorized")
            return await handler(request)
        except ApiError as error:
            return error.response()
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            self.unexpected.append(f"{request.method} {request.path_qs} broke: {error!r}")
            raise

    async def _unknown(self, request: web.Request) -> web.StreamResponse:
        raise self._refuse(request, 404, "the server could not find the requested resource")

    def _refuse(self, request: web.Request, code: int, message: str) -> ApiError:
        self.unexpected.append(f"{request.method} {request.path_qs}")
        return ApiError(code, message)

    def _resource(self, request: web.Request, allowed: frozenset[str]) -> str:
        name = request.match_info["resource"]
        known = RESOURCES.get(name)
        if known is None or known.group != request.match_info.get("group", ""):
            raise self._refuse(request, 404, "the server could not find the requested resource")
        for parameter in request.query:
            if parameter not in allowed:
                raise self._refuse(request, 400, f"unknown parameter {parameter}")
        return name

    async def _get(self, request: web.Request) -> web.StreamResponse:
        resource = self._resource(request, frozenset())
        names = request.match_info
        return web.json_response(self._store.get(resource, names["namespace"], names["name"]))

    async def _list(self, request: web.Request) -> web.StreamResponse:
        resource = self._resource(request, _LIST)
        selects = _selection(request, resource)
        namespace = request.match_info["namespace"]
        if request.query.get("watch") in ("true", "1", "True"):
            return await self.watches.serve(request, resource, namespace, selects)
        kind = RESOURCES[resource]
        items = [_bare(o) for o in self._store.find(resource, namespace) if selects(o)]
        return web.json_response(
            {
                "kind": f"{kind.kind}List",
                "apiVersion": kind.api_version,
                "metadata": {"resourceVersion": str(self._store.version)},
                "items": items,
            }
        )

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        resource = self._resource(request, _PATCH)
        name = request.match_info["name"]
        if resource not in WORKLOADS:
            raise self._refuse(
                request, 405, "the server does not allow this method on the resource"
            )
        body = _decode(await request.text())
        await self._faults.meet_patch()
        if self._faults.loses_patch():
            return cut(request)
        before = self._store.get(resource, request.match_info["namespace"], name)
        after = patches.apply(request.content_type, before, body)
        validate(before, after, resource)
        stored = self._store.update(resource, after)
        self.patches.append((resource, name, body))
        if self._faults.swallows_answer():
            return cut(request)
        return web.json_response(stored)

    async def _log(self, request: web.Request) -> web.StreamResponse:
        for parameter in request.query:
            if parameter not in _LOG:
                raise self._refuse(request, 400, f"unknown parameter {parameter}")
        names, query = request.match_info, request.query
        pod = self._store.get("pods", names["namespace"], names["name"])
        lines = self._lines(pod, query.get("container", ""), query.get("previous") == "true")
        return web.Response(text=select(lines, query))

    def _lines(self, pod: Json, container: str, previous: bool) -> list[Written]:
        name = pod["metadata"]["name"]
        if container not in ("", *(c["name"] for c in pod["spec"]["containers"])):
            raise ApiError(400, f"container {container} is not valid for pod {name}")
        lines = self._kubelet.log_of(pod, previous=previous)
        if lines is not None:
            return lines
        if previous:
            raise ApiError(
                400, f'previous terminated container "{container}" in pod "{name}" not found'
            )
        raise ApiError(
            400, f'container "{container}" in pod "{name}" is waiting to start: ContainerCreating'
        )


def _selection(request: web.Request, resource: str) -> Predicate:
    labels = by_labels(request.query.get("labelSelector", ""))
    fields = by_fields(request.query.get("fieldSelector", ""), resource)
    return lambda obj: labels(obj) and fields(obj)


def _decode(text: str) -> object:
    try:
        body: object = json.loads(text)
    except ValueError:
        raise ApiError(400, "error decoding patch: invalid JSON") from None
    return body


def _bare(obj: Json) -> Json:
    """Items of a list carry no kind and apiVersion of their own."""
    return {k: v for k, v in obj.items() if k not in ("kind", "apiVersion")}
