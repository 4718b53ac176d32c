"""Watches: a list's changes as lines of JSON, from a resourceVersion on."""

from __future__ import annotations

import asyncio
import json
import time

from aiohttp import web

from sandbox.kubernetes.objects import RESOURCES, Json
from sandbox.kubernetes.selectors import Predicate
from sandbox.kubernetes.statuses import ApiError, expired
from sandbox.kubernetes.store import Change, Store

_BOOKMARK_SECONDS = 1.0


class Watches:
    """The open watches of a server; `drop` cuts all of them, `end` lets them end in order."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._open: list[asyncio.Transport] = []
        self._ending = False

    @property
    def count(self) -> int:
        """How many are open now."""
        return len(self._open)

    def drop(self) -> None:
        """Cut every open watch, as a balancer does."""
        for transport in list(self._open):
            transport.abort()

    def end(self) -> None:
        """Let every watch end, as at a shutdown."""
        self._ending = True
        self.drop()

    def begin(self) -> None:
        """Accept watches again."""
        self._ending = False

    async def serve(
        self, request: web.Request, resource: str, namespace: str, selects: Predicate
    ) -> web.StreamResponse:
        """Answer a watch until its time is over or it is cut."""
        watch = _Watch(self._store, request, resource, namespace, selects)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        transport = request.transport
        if transport is None:
            return response
        changed = self._store.subscribe()
        self._open.append(transport)
        try:
            while not self._ending and time.monotonic() < watch.until:
                changed.clear()
                if not await watch.send_news(response):
                    break
                await _wait(changed, min(_BOOKMARK_SECONDS, watch.until - time.monotonic()))
                await watch.send_bookmark(response)
        except ConnectionError:
            return response
        finally:
            self._open.remove(transport)
            self._store.unsubscribe(changed)
        return response


class _Watch:
    """One watch's parameters and place in history."""

    def __init__(
        self,
        store: Store,
        request: web.Request,
        resource: str,
        namespace: str,
        selects: Predicate,
    ) -> None:
        self._store = store
        self._resource = resource
        self._namespace = namespace
        self._selects = selects
        self._bookmarks = request.query.get("allowWatchBookmarks") == "true"
        self._bookmarked = time.monotonic()
        self.until = time.monotonic() + float(request.query.get("timeoutSeconds", 1800))
        given = request.query.get("resourceVersion", "")
        if given and not given.isdigit():
            raise ApiError(400, f'Invalid value: "{given}": strconv.ParseUint: invalid syntax')
        self._at = int(given or 0)
        if not self._at:
            raise ApiError(400, "the stand-in watches from a list's resourceVersion only")

    async def send_news(self, response: web.StreamResponse) -> bool:
        """What happened since the last look; false when that is no longer known."""
        if self._at < self._store.oldest - 1:
            error = expired(self._at, self._store.oldest).status()
            await _send(response, "ERROR", error)
            return False
        for change in [c for c in self._store.history if c.version > self._at]:
            self._at = change.version
            kind = self._kind_of(change)
            if kind:
                await _send(response, kind, self._complete(change.last))
        return True

    async def send_bookmark(self, response: web.StreamResponse) -> None:
        """A version to go on from, now and then, when bookmarks were asked for."""
        if not self._bookmarks or time.monotonic() - self._bookmarked < _BOOKMARK_SECONDS:
            return
        self._bookmarked = time.monotonic()
        kind = RESOURCES[self._resource]
        metadata = {"resourceVersion": str(self._at), "creationTimestamp": None}
        mark = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": metadata}
        await _send(response, "BOOKMARK", mark)

    def _kind_of(self, change: Change) -> str:
        """ADDED, MODIFIED or DELETED as the selector sees it; "" when it does not."""
        if change.resource != self._resource or change.namespace != self._namespace:
            return ""
        before = change.before is not None and self._selects(change.before)
        after = change.after is not None and self._selects(change.after)
        return {
            (False, True): "ADDED",
            (True, True): "MODIFIED",
            (True, False): "DELETED",
            (False, False): "",
        }[before, after]

    def _complete(self, obj: Json) -> Json:
        kind = RESOURCES[self._resource]
        return {"kind": kind.kind, "apiVersion": kind.api_version, **obj}


async def _send(response: web.StreamResponse, kind: str, obj: Json) -> None:
    await response.write(json.dumps({"type": kind, "object": obj}).encode() + b"\n")


async def _wait(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await changed.wait()
    except TimeoutError:
        return
