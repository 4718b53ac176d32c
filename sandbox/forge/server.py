"""The routes of Forge's API that HMS-SYS uses, and the deploy hook."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta

from aiohttp import web

from sandbox.forge.resources import (
    Resource,
    deployment_resource,
    page,
    resource,
    site_resource,
    stamp,
)
from sandbox.forge.sites import PINNING_SCRIPT, Deployment, Site
from sandbox.forge.throttle import Throttle
from sandbox.github import Repository
from sandbox.loopback import Loopback, message

_SITE = "/orgs/{organization}/servers/{server}/sites/{site}"
_Handler = Callable[[web.Request], Awaitable[web.Response]]

ALL_SCOPES = frozenset(
    {
        "organization:view",
        "user:view",
        "server:view",
        "site:manage-deploys",
        "server:manage-logs",
    }
)


class _Refusal(Exception):
    """An answer that ends the handling of a request."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class ForgeStandIn(Loopback):
    """Knobs beside those of Loopback: `scopes` of the token, `throttle.allowance` a minute.

    `pace` is one step of a deployment in seconds: a good one takes four, a slow one forty-two.
    """

    def __init__(
        self,
        *,
        repositories: Iterable[Repository],
        pace: float = 1.0,
        requests_per_minute: int = 60,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__()
        self.token = "forge-sandbox"
        self.scopes: set[str] = set(ALL_SCOPES)
        self.throttle = Throttle(requests_per_minute, seconds=lambda: now().timestamp())
        self.sites: list[Site] = []
        self._repositories = {r.name.lower(): r for r in repositories}
        self._pace = timedelta(seconds=pace)
        self._now = now

    @property
    def url(self) -> str:
        """What FORGE_API_URL is set to."""
        return f"{self.origin}/api"

    def add_site(
        self,
        repository: str = "acme/site",
        *,
        live: str = "",
        script: str = PINNING_SCRIPT,
        server: int = 123,
        site: int = 456,
    ) -> Site:
        """Add a site of organization `acme`; `live` has been serving for an hour."""
        made = Site(
            repository=self._repositories[repository.lower()],
            pace=self._pace,
            script=script,
            server=server,
            id=site,
        )
        if live:
            made.seed(live, self._now() - timedelta(hours=1))
        self.sites.append(made)
        return made

    def serving(self, site: Site) -> str:
        """The sha that the site serves at this moment."""
        site.advance(self._now())
        return site.serving

    def routes(self) -> list[web.RouteDef]:
        """Every route with the scope it asks for, and the hook, which has its own token."""
        deployments = f"{_SITE}/deployments"
        served: list[tuple[str, str, str, _Handler]] = [
            ("GET", "/me", "user:view", self._me),
            ("GET", "/orgs", "organization:view", self._organizations),
            ("GET", "/orgs/{organization}/sites/{site}", "server:view", self._show_site),
            ("GET", deployments, "server:view", self._list),
            ("POST", deployments, "site:manage-deploys", self._deploy),
            ("GET", f"{deployments}/status", "server:view", self._status),
            ("DELETE", f"{deployments}/status", "site:manage-deploys", self._reset),
            ("GET", f"{deployments}/script", "server:view", self._script),
            ("PUT", f"{deployments}/script", "site:manage-deploys", self._write_script),
            ("GET", f"{deployments}/deploy-hook", "site:manage-deploys", self._hook_url),
            ("GET", f"{deployments}/{{deployment}}", "server:view", self._show),
            ("GET", f"{deployments}/{{deployment}}/log", "site:manage-deploys", self._log),
            ("GET", f"{_SITE}/logs/application", "server:manage-logs", self._site_log),
        ]
        made = [
            web.route(method, f"/api{path}", self._guard(scope, handler))
            for method, path, scope, handler in served
        ]
        hook = "/servers/{server}/sites/{site}/deploy/http"
        return [*made, web.get(hook, self._hook), web.post(hook, self._hook)]

    def refuse(self, request: web.Request) -> web.Response | None:
        """Credentials first, then the limit; the hook is bound by neither."""
        if not request.path.startswith("/api/"):
            return None
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return message(401, "Unauthenticated.")
        if not self.throttle.admits() or self.throttled:
            refused = message(429, "Too Many Attempts.")
            refused.headers.update(self.throttle.headers(refused=True))
            return refused
        return None

    def decorate(self, response: web.StreamResponse) -> None:
        """Every answer tells what is left of the limit."""
        for name, value in self.throttle.headers(refused=False).items():
            response.headers.setdefault(name, value)

    def _guard(self, scope: str, handler: _Handler) -> _Handler:
        async def guarded(request: web.Request) -> web.Response:
            if scope not in self.scopes:
                return message(403, "Invalid scope(s) provided.")
            try:
                return await handler(request)
            except _Refusal as refusal:
                return message(refusal.status, str(refusal))

        return guarded

    def _site(self, request: web.Request) -> Site:
        wanted = request.match_info
        for site in self.sites:
            named = site.organization == wanted["organization"] and str(site.id) == wanted["site"]
            if named and wanted.get("server", str(site.server)) == str(site.server):
                site.advance(self._now())
                return site
        raise _Refusal(404, "The requested resource was not found.")

    def _deployment(self, request: web.Request) -> tuple[Site, Deployment]:
        site = self._site(request)
        for deployment in site.deployments:
            if str(deployment.id) == request.match_info["deployment"]:
                return site, deployment
        raise _Refusal(404, "The requested resource was not found.")

    async def _me(self, request: web.Request) -> web.Response:
        attributes: Resource = {"name": "Robo", "email": "robo@acme.example"}
        return _answer(resource("users", 1, {**attributes, **_dates(self._now())}, _link(request)))

    async def _organizations(self, request: web.Request) -> web.Response:
        slugs = sorted({s.organization for s in self.sites})
        items = [
            resource(
                "organizations",
                number,
                {"name": slug.title(), "slug": slug, **_dates(self._now())},
                _link(request),
            )
            for number, slug in enumerate(slugs, start=1)
        ]
        return _json(page(items, path=_link(request), size=30, next_cursor=None))

    async def _show_site(self, request: web.Request) -> web.Response:
        return _answer(site_resource(self._site(request), self._now(), _link(request)))

    async def _list(self, request: web.Request) -> web.Response:
        site = self._site(request)
        sort = request.query.get("sort", "created_at")
        if sort not in ("created_at", "-created_at"):
            return message(400, f"Requested sort(s) `{sort}` is not allowed.")
        wanted = request.query.get("filter[commit_hash]", "")
        ordered = site.deployments[::-1] if sort.startswith("-") else site.deployments
        found = [
            deployment_resource(d, site, self._now())
            for d in ordered
            if d.known_commit.startswith(wanted)
        ]
        size = int(request.query.get("page[size]", "30"))
        begin = int(request.query.get("page[cursor]", "0"))
        following = str(begin + size) if begin + size < len(found) else None
        return _json(
            page(found[begin : begin + size], path=_link(request), size=size, next_cursor=following)
        )

    async def _deploy(self, request: web.Request) -> web.Response:
        site = self._site(request)
        made = site.deploy(self._now())
        return _answer(deployment_resource(made, site, self._now()), status=202)

    async def _status(self, request: web.Request) -> web.Response:
        site = self._site(request)
        running = site.running(self._now())
        attributes: Resource = {
            "status": running.status(self._now()) if running else None,
            "started_at": stamp(running.created_at if running else self._now()),
        }
        return _answer(resource("deploymentStatuses", site.id, attributes, _link(request)))

    async def _reset(self, request: web.Request) -> web.Response:
        site = self._site(request)
        running = site.running(self._now())
        if running is not None:
            site.cancel(running, self._now())
        return web.Response(status=202)

    async def _script(self, request: web.Request) -> web.Response:
        return self._script_answer(self._site(request), request)

    async def _write_script(self, request: web.Request) -> web.Response:
        site = self._site(request)
        given = await request.json()
        if not isinstance(given.get("content"), str):
            text = "The content field is required."
            return web.json_response({"message": text, "errors": {"content": [text]}}, status=422)
        site.script = given["content"]
        return self._script_answer(site, request)

    def _script_answer(self, site: Site, request: web.Request) -> web.Response:
        attributes: Resource = {"content": site.script, "auto_source": False}
        return _answer(resource("deploymentScripts", site.id, attributes, _link(request)))

    async def _hook_url(self, request: web.Request) -> web.Response:
        site = self._site(request)
        url = f"{site.hook_origin or self.origin}/servers/{site.server}/sites/{site.id}/deploy/http"
        attributes: Resource = {"url": f"{url}?token={site.hook_token}"}
        return _answer(resource("deploymentHooks", site.id, attributes, _link(request)))

    async def _show(self, request: web.Request) -> web.Response:
        site, deployment = self._deployment(request)
        return _answer(deployment_resource(deployment, site, self._now()))

    async def _log(self, request: web.Request) -> web.Response:
        _, deployment = self._deployment(request)
        attributes: Resource = {"output": "\n".join(deployment.log(self._now()))}
        return _answer(resource("deploymentOutputs", deployment.id, attributes, _link(request)))

    async def _site_log(self, request: web.Request) -> web.Response:
        site = self._site(request)
        attributes: Resource = {"content": "\n".join(site.application_log)}
        body: Resource = {
            "data": resource("applicationLogs", site.id, attributes, _link(request)),
            "meta": {"log": "site"},
        }
        return _json(body)

    async def _hook(self, request: web.Request) -> web.Response:
        wanted = request.match_info
        given = request.query.get("token", "")
        for site in self.sites:
            named = (str(site.server), str(site.id)) == (wanted["server"], wanted["site"])
            if named and hmac.compare_digest(given, site.hook_token):
                return self._trigger(site, request)
        return message(404, "Not found.")

    def _trigger(self, site: Site, request: web.Request) -> web.Response:
        # Forge ignores a push to another branch without an error.
        if request.query.get("forge_deploy_branch", site.branch) == site.branch:
            site.deploy(self._now(), dict(request.query))
        return web.Response(text="OK")


def _dates(now: datetime) -> Resource:
    return {"created_at": stamp(now), "updated_at": stamp(now)}


def _link(request: web.Request) -> str:
    return str(request.url.with_query(None))


def _answer(data: Resource, *, status: int = 200) -> web.Response:
    return _json({"data": data}, status=status)


def _json(body: Resource, *, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, content_type="application/vnd.api+json")
