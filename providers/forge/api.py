"""HTTP to Forge: one method for each call, errors translated, requests paid from the shared budget.

Reads are tried twice; a change is sent once, whatever happens. The deploy hook's URL is a secret: it
appears in no error, no log and no repr.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ValidationError

from operations.clock import Clock
from operations.errors import (
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.redaction import clean
from providers.forge.answers import (
    Attributes,
    Deployment,
    Document,
    HookAttributes,
    Listing,
    LogAttributes,
    OutputAttributes,
    ScriptAttributes,
    Site,
    StatusAttributes,
)
from providers.forge.budget import Budget, Errand
from providers.http import NEVER_SENT, build_client
from providers.specs import ForgeSpec

M = TypeVar("M", bound=BaseModel)


@dataclass(slots=True)
class _Shared:
    """The last answer to a read that several ask for at once, and the lock they queue at."""

    lock: asyncio.Lock
    response: httpx.Response | None = None
    at: datetime | None = None
    begun: int = 0
    waiting: int = 0


class ForgeApi:
    """`deadline` is in seconds and bounds each request."""

    def __init__(
        self, *, token: str, base_url: str, budget: Budget, clock: Clock, deadline: float = 10.0
    ) -> None:
        self._clock = clock
        self._budget = budget
        self._deadline = deadline
        self._origin = httpx.URL(base_url)
        self._client = build_client(
            base_url=base_url,
            headers={
                "Authorization": f"Bearer {token}",
                "Accept": "application/json",
                "Content-Type": "application/json",
            },
            deadline=deadline,
        )
        # Another client for the hook, which takes no token but its own.
        self._hooks = build_client(deadline=deadline)
        self._shared: dict[str, _Shared] = {}

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()
        await self._hooks.aclose()

    async def site(self, spec: ForgeSpec, errand: Errand = Errand.URGENT) -> Site:
        """The site. Raises ProviderRejected when there is none on the server that the target names."""
        path = f"/orgs/{quote(spec.organization, safe='')}/sites/{spec.site}"
        found = await self._find(Document[Site], path, errand, max_age=2.0)
        if found is None or found.data.server not in (None, spec.server):
            raise _no_such_site(spec)
        return found.data

    async def deployments(
        self, spec: ForgeSpec, errand: Errand = Errand.URGENT, *, max_age: float = 0.0
    ) -> list[Deployment]:
        """The newest thirty deployments, newest first."""
        path = f"{_site(spec)}/deployments?sort=-created_at"
        return (await self._read(Listing[Deployment], spec, path, errand, max_age=max_age)).data

    async def deployment(
        self, spec: ForgeSpec, number: int, errand: Errand, *, max_age: float = 0.0
    ) -> Deployment | None:
        """One deployment; None when Forge does not know it (any more)."""
        path = f"{_site(spec)}/deployments/{number}"
        found = await self._find(Document[Deployment], path, errand, max_age=max_age)
        return found.data if found else None

    async def running(self, spec: ForgeSpec) -> str:
        """The status of the deployment that runs on the site; "" when none does."""
        path = f"{_site(spec)}/deployments/status"
        found = await self._read(Document[Attributes[StatusAttributes]], spec, path, Errand.URGENT)
        return found.data.attributes.status or ""

    async def script(self, spec: ForgeSpec) -> str:
        """The site's deployment script."""
        path = f"{_site(spec)}/deployments/script"
        found = await self._read(Document[Attributes[ScriptAttributes]], spec, path, Errand.URGENT)
        return found.data.attributes.content or ""

    async def output(self, spec: ForgeSpec, number: int, errand: Errand) -> str:
        """All that a deployment has printed; "" when Forge has nothing."""
        path = f"{_site(spec)}/deployments/{number}/log"
        found = await self._find(Document[Attributes[OutputAttributes]], path, errand)
        return (found.data.attributes.output or "") if found else ""

    async def application_log(self, spec: ForgeSpec, errand: Errand = Errand.URGENT) -> str:
        """The application's whole log."""
        path = f"{_site(spec)}/logs/application"
        found = await self._find(Document[Attributes[LogAttributes]], path, errand)
        return (found.data.attributes.content or "") if found else ""

    async def deploy(self, spec: ForgeSpec) -> Deployment:
        """Deploy the head of the site's branch. Raises OutcomeUnknown when no answer came."""
        await self._budget.spend(Errand.URGENT)
        request = self._client.build_request("POST", f"{_site(spec)}/deployments")
        response = await self._change(self._client, request)
        if response.status_code == 404:
            raise _no_such_site(spec)
        try:
            return _parse(Document[Deployment], response).data
        except ProviderRejected as exc:
            raise OutcomeUnknown("Forge's answer to the deployment cannot be read.") from exc

    async def trigger(self, spec: ForgeSpec, query: Mapping[str, str]) -> None:
        """Call the site's deploy hook with parameters. Raises OutcomeUnknown when no answer came."""
        path = f"{_site(spec)}/deployments/deploy-hook"
        found = await self._read(Document[Attributes[HookAttributes]], spec, path, Errand.URGENT)
        url = httpx.URL(found.data.attributes.url).copy_merge_params(dict(query))
        ours = (url.scheme, url.netloc) == (self._origin.scheme, self._origin.netloc)
        if url.scheme != "https" and not ours:
            raise ProviderRejected(
                "The site's deploy hook is not a safe address: it was not called."
            )
        response = await self._change(self._hooks, self._hooks.build_request("POST", url))
        if response.status_code >= 300:
            raise ProviderRejected(
                f"Forge answered {response.status_code} to the site's deploy hook.",
                hint="Make a new hook in the site's settings at Forge.",
            )

    async def _read(
        self, kind: type[M], spec: ForgeSpec, path: str, errand: Errand, *, max_age: float = 0.0
    ) -> M:
        found = await self._find(kind, path, errand, max_age=max_age)
        if found is None:
            raise _no_such_site(spec)
        return found

    async def _find(
        self, kind: type[M], path: str, errand: Errand, *, max_age: float = 0.0
    ) -> M | None:
        response = await self._fetch_shared(path, errand, max_age)
        return None if response.status_code == 404 else _parse(kind, response)

    async def _fetch_shared(self, path: str, errand: Errand, max_age: float) -> httpx.Response:
        """The answer to a read, at most `max_age` seconds old; those who ask together share one."""
        entry = self._shared.setdefault(path, _Shared(asyncio.Lock()))
        entry.waiting += 1
        begun = entry.begun
        try:
            async with entry.lock:
                # A read that began after we asked is as good as our own, by whatever clock.
                if entry.response and (entry.begun > begun or self._is_young(entry, max_age)):
                    return entry.response
                entry.begun += 1
                entry.response, entry.at = None, self._clock.now()
                entry.response = await self._fetch(path, errand)
                return entry.response
        finally:
            entry.waiting -= 1
            self._forget_old()

    def _is_young(self, entry: _Shared, max_age: float) -> bool:
        if not max_age or entry.at is None:
            return False
        return 0 <= (self._clock.now() - entry.at).total_seconds() <= max_age

    def _forget_old(self) -> None:
        limit = self._clock.now() - timedelta(seconds=60)
        for path, entry in list(self._shared.items()):
            # Logs are large and nobody asks for a kept one.
            useless = path.endswith(("/log", "/application")) or not entry.at or entry.at < limit
            if useless and not entry.waiting:
                del self._shared[path]

    async def _fetch(self, path: str, errand: Errand) -> httpx.Response:
        try:
            return await self._fetch_once(path, errand)
        except ProviderUnavailable as exc:
            if exc.retry_after is not None:
                raise
        await self._clock.sleep(0.3)
        return await self._fetch_once(path, errand)

    async def _fetch_once(self, path: str, errand: Errand) -> httpx.Response:
        await self._budget.spend(errand)
        try:
            async with asyncio.timeout(self._deadline):
                response = await self._client.get(path)
        except (httpx.HTTPError, TimeoutError) as exc:
            raise ProviderUnavailable("Forge does not answer.") from exc
        self._refuse(response)
        if response.status_code >= 500:
            status = f"Forge answered {response.status_code}."
            raise ProviderUnavailable(status) from _cause(response)
        return response

    async def _change(self, client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        try:
            async with asyncio.timeout(self._deadline):
                response = await client.send(request)
        except NEVER_SENT as exc:
            raise ProviderUnavailable("Forge cannot be reached.") from exc
        except (httpx.HTTPError, TimeoutError) as exc:
            raise OutcomeUnknown("Forge was told to deploy and did not answer.") from exc
        self._refuse(response)
        if response.status_code == 503:
            raise ProviderUnavailable("Forge is offline for maintenance.") from _cause(response)
        if response.status_code >= 500:
            told = f"Forge was told to deploy and answered {response.status_code}."
            raise OutcomeUnknown(told) from _cause(response)
        return response

    def _refuse(self, response: httpx.Response) -> None:
        """Raise what an answer below 500 means, when it means no; 404 is left to the caller."""
        away = self._budget.heed(response.status_code, response.headers)
        status = response.status_code
        if status == 429:
            raise ProviderUnavailable(
                "Forge asks for fewer requests.", retry_after=away
            ) from _cause(response)
        if status == 401:
            raise ProviderUnauthorized(
                "Forge does not accept the token.", hint="Set FORGE_API_TOKEN to a valid one."
            ) from _cause(response)
        if status == 403:
            raise ProviderUnauthorized(
                f"The Forge token is not allowed to do this: {_message(response)}",
                hint="It needs server:view, site:manage-deploys and, for logs, server:manage-logs.",
            ) from _cause(response)
        if 300 <= status < 500 and status != 404:
            raise ProviderRejected(f"Forge refused ({status}): {_message(response)}") from _cause(
                response
            )


def _cause(response: httpx.Response) -> httpx.HTTPStatusError:
    # Its text is the status only: raise_for_status would put the URL into it.
    told = f"HTTP {response.status_code}"
    return httpx.HTTPStatusError(told, request=response.request, response=response)


def _site(spec: ForgeSpec) -> str:
    return f"/orgs/{quote(spec.organization, safe='')}/servers/{spec.server}/sites/{spec.site}"


def _no_such_site(spec: ForgeSpec) -> ProviderRejected:
    return ProviderRejected(
        f"Forge knows no site {spec.site} on server {spec.server} of {spec.organization}.",
        hint="Correct organization, server and site in hms.yaml.",
    )


def _parse(kind: type[M], response: httpx.Response) -> M:
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as exc:
        raise ProviderRejected("Forge's answer has a shape that is not known here.") from exc


def _message(response: httpx.Response) -> str:
    try:
        body = response.json()
    except ValueError:
        return f"HTTP {response.status_code}"
    text = body.get("message") if isinstance(body, dict) else None
    return clean(str(text or response.status_code), limit=200)
