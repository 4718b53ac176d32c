"""One cluster: requests with deadlines, retries of reads, and the login's renewal. Raw JSON in and out.

Paths are built here from names that the configuration has checked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import NoReturn
from urllib.parse import quote

import aiohttp
import stamina
from kubernetes.aio.client import ApiClient, ApiException

from operations.clock import Clock
from operations.errors import ProviderUnavailable
from providers.kubernetes.credentials import Login, log_in
from providers.kubernetes.faults import (
    Expired,
    LoginRefused,
    from_event,
    from_status,
    translating,
)
from providers.kubernetes.objects import JsonObject, at, items, mapping, text

Query = Mapping[str, str]

STRATEGIC = "application/strategic-merge-patch+json"
FIELD_MANAGER = "hms-sys"

_CONNECT_SECONDS = 5.0
_RENEW_BEFORE = timedelta(minutes=2)
_MAX_RETRY_AFTER = 2.0


@dataclass(frozen=True, slots=True)
class Listed:
    """A list with the version from which a watch can go on."""

    items: list[JsonObject]
    version: str


@dataclass(frozen=True, slots=True)
class Event:
    """A line of a watch: `ADDED`, `MODIFIED`, `DELETED` or `BOOKMARK`."""

    kind: str
    object: JsonObject


def path_of(resource: str, namespace: str, name: str = "", part: str = "") -> str:
    """The path of a collection or an object; `resource` is the plural."""
    base = "/api/v1" if resource in ("pods", "events") else "/apis/apps/v1"
    ends = "".join(f"/{quote(p, safe='')}" for p in (name, part) if p)
    return f"{base}/namespaces/{quote(namespace, safe='')}/{resource}{ends}"


class Cluster:
    """The API server of one kubeconfig context; logs in at the first request."""

    def __init__(
        self,
        *,
        clock: Clock,
        kubeconfig: str | None,
        context: str,
        timeout: float = 10.0,
        watch_seconds: int = 50,  # a dead connection is noticed within about a minute
    ) -> None:
        self._clock = clock
        self._kubeconfig = kubeconfig
        self._context = context
        self._timeout = timeout
        self._watch_seconds = watch_seconds
        self._login: Login | None = None
        self._client: ApiClient | None = None
        self._retired: list[ApiClient] = []
        self._gate = asyncio.Lock()

    async def close(self) -> None:
        """Close all connections."""
        clients = [*self._retired, *([self._client] if self._client else [])]
        self._client, self._login, self._retired = None, None, []
        for client in clients:
            await client.close()  # type: ignore[no-untyped-call]  # the client has no types here

    async def get(self, path: str) -> JsonObject:
        """Read one object."""
        return _decode(await self._read(path, {}))

    async def list(self, path: str, query: Query) -> Listed:
        """Read a collection."""
        body = _decode(await self._read(path, query))
        return Listed(items(body, "items"), text(body, "metadata", "resourceVersion"))

    async def text(self, path: str, query: Query) -> str:
        """Read a log."""
        return await self._read(path, query)

    async def patch(self, path: str, body: JsonObject) -> JsonObject:
        """Change one object by a strategic merge patch; never sent a second time.

        Raises Conflict when the patch names a resourceVersion that is no longer the newest, OutcomeUnknown
        when no answer came.
        """
        query = {"fieldManager": FIELD_MANAGER}
        return _decode(await self._exchange("PATCH", path, query, body))

    @asynccontextmanager
    async def watch(
        self, path: str, query: Query, version: str
    ) -> AsyncIterator[AsyncIterator[Event]]:
        """Changes after `version` until the server ends the watch, after `watch_seconds`."""
        asked = {
            **query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(self._watch_seconds),
        }
        used = _secrets(self._login)
        with translating(writes=False):
            response = await self._send("GET", path, asked, None, self._watch_seconds + 10)
            async with response:
                if response.status == 401 and await self._renewed(used):
                    raise Expired("The watch belonged to a login that has ended.")
                if response.status != 200:
                    await _fail(response, writes=False)
                yield _events(response)

    async def _read(self, path: str, query: Query) -> str:
        async for attempt in stamina.retry_context(
            on=_worth_retrying, attempts=3, timeout=8.0, wait_max=1.0, wait_jitter=0.2
        ):
            with attempt:
                return await self._exchange("GET", path, query, None)
        raise ProviderUnavailable("The Kubernetes cluster does not answer.")

    async def _exchange(self, method: str, path: str, query: Query, body: object) -> str:
        used = _secrets(self._login)
        try:
            return await self._ask(method, path, query, body)
        except LoginRefused:
            if not await self._renewed(used):
                raise
        return await self._ask(method, path, query, body)

    async def _ask(self, method: str, path: str, query: Query, body: object) -> str:
        writes = method != "GET"
        with translating(writes=writes):
            response = await self._send(method, path, query, body, self._timeout)
            async with response:
                if response.status not in (200, 201):
                    await _fail(response, writes=writes)
                return await response.text(errors="replace")

    async def _send(
        self, method: str, path: str, query: Query, body: object, seconds: float
    ) -> aiohttp.ClientResponse:
        client = await self._ready()
        headers = {"Accept": "application/json, */*"}  # logs are plain text
        if body is not None:
            headers["Content-Type"] = STRATEGIC
        request = await client.param_serialize(
            method,
            path,
            query_params=list(query.items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=_CONNECT_SECONDS)
        answer = await client.call_api(*request, _request_timeout=timeout)
        response: aiohttp.ClientResponse = answer.response
        return response

    async def _ready(self) -> ApiClient:
        async with self._gate:
            ends = self._login.expires if self._login else None
            if self._client is None or (ends and self._clock.now() >= ends - _RENEW_BEFORE):
                self._take(await log_in(self._kubeconfig, self._context))
            if self._client is None:
                raise ProviderUnavailable("The Kubernetes client was closed.")
            return self._client

    async def _renewed(self, used: object) -> bool:
        """After a 401: whether there are other credentials than those used, here or by a new login."""
        async with self._gate:
            if _secrets(self._login) == used:
                self._take(await log_in(self._kubeconfig, self._context))
            return _secrets(self._login) != used

    def _take(self, login: Login) -> None:
        """Use a login; the same client goes on where only the token is new, so that watches live."""
        old = self._login
        if self._client and old and _place(old) == _place(login):
            self._client.configuration.api_key = login.configuration.api_key
        else:
            if self._client is not None:
                self._retired.append(self._client)
            self._client = login.client()
        self._login = login


def _place(login: Login) -> tuple[object, ...]:
    c = login.configuration
    return c.host, c.ssl_ca_cert, c.cert_file, c.key_file, c.verify_ssl, c.proxy


def _secrets(login: Login | None) -> object:
    """A copy: the client changes the mapping in place."""
    return login and (dict(login.configuration.api_key), login.configuration.cert_file)


def _worth_retrying(exc: Exception) -> bool | float:
    if not isinstance(exc, ProviderUnavailable):
        return False
    return min(exc.retry_after, _MAX_RETRY_AFTER) if exc.retry_after else True


async def _fail(response: aiohttp.ClientResponse, *, writes: bool) -> NoReturn:
    body = await response.text(errors="replace")
    cause = ApiException(status=response.status, reason=response.reason)
    raise from_status(response.status, body, response.headers, writes=writes) from cause


async def _events(response: aiohttp.ClientResponse) -> AsyncIterator[Event]:
    while line := await _line(response):
        event = _decode(line)
        kind = text(event, "type")
        if kind == "ERROR":
            raise from_event(at(event, "object"))
        yield Event(kind, mapping(event, "object"))


async def _line(response: aiohttp.ClientResponse) -> str:
    try:
        return (await response.content.readline()).decode(errors="replace")
    except ValueError as exc:
        raise ProviderUnavailable("A change is too long to be read.") from exc


def _decode(body: str) -> JsonObject:
    try:
        document = json.loads(body)
    except ValueError as exc:
        raise ProviderUnavailable("Kubernetes answered with something else than JSON.") from exc
    return document if isinstance(document, dict) else {}
