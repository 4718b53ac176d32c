"""The shapes of Forge's answers, as its OpenAPI document of May 2026 has them."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.forge.sites import Deployment, Site

Resource = dict[str, object]

_SITE_FIXED: Resource = {
    "name": "site.example",
    "url": "https://site.example",
    "user": "forge",
    "https": True,
    "web_directory": "/public",
    "root_directory": "/",
    "aliases": [],
    "php_version": "php84",
    "isolated": False,
    "shared_paths": {},
    "database": None,
    "wildcards": None,
    "app_type": "Laravel",
    "uses_envoyer": False,
    "deployment_url": "https://site.example",
    "healthcheck_url": None,
}


def stamp(moment: datetime) -> str:
    """A time as Laravel writes it, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


def resource(kind: str, identity: object, attributes: Resource, link: str = "") -> Resource:
    """A JSON:API resource object."""
    made: Resource = {"id": str(identity), "type": kind, "attributes": attributes}
    if link:
        made["links"] = {"self": {"href": link}}
    return made


def page(items: list[Resource], *, path: str, size: int, next_cursor: str | None) -> Resource:
    """A page of a list, with cursors."""
    return {
        "data": items,
        "links": {},
        "meta": {
            "path": path,
            "per_page": size,
            "next_cursor": next_cursor,
            "prev_cursor": None,
        },
    }


def site_resource(site: Site, now: datetime, link: str) -> Resource:
    """A site with its server and its newest deployment."""
    newest = site.deployments[-1] if site.deployments else None
    attributes: Resource = {
        **_SITE_FIXED,
        "status": site_status(site, now),
        "deployment_status": newest.status(now) if newest else "",
        "quick_deploy": site.quick_deploy,
        "repository": {
            "provider": "github",
            "url": site.repository.name,
            "branch": site.branch,
            "status": "installed",
        },
        "maintenance_mode": {"enabled": site.maintenance, "status": None},
        "zero_downtime_deployments": site.zero_downtime,
        "deployment_script": site.script,
        "created_at": stamp(site.deployments[0].created_at if newest else now),
        "updated_at": stamp(now),
    }
    made = resource("sites", site.id, attributes, link)
    made["relationships"] = {
        "server": {"data": {"type": "servers", "id": str(site.server)}},
        "latestDeployment": {
            "data": {"type": "deployments", "id": str(newest.id)} if newest else None
        },
    }
    return made


def site_status(site: Site, now: datetime) -> str:
    """Forge's word for the site."""
    if site.maintenance:
        return "maintenance"
    if not site.deployments:
        return "never-deployed"
    if site.running(now) is not None:
        return "deploying"
    return "failed" if site.deployments[-1].status(now) == "failed" else "deployed"


def deployment_resource(deployment: Deployment, site: Site, now: datetime) -> Resource:
    """A deployment. What the deploy hook stated about the commit is shown before what git says."""
    commit = deployment.commit if site.shows_commits else None
    known = deployment.known_commit if site.shows_commits else ""
    # The document has started_at and ended_at as strings even before there is such a time.
    started = min(max(deployment.runs_at, deployment.created_at), max(now, deployment.created_at))
    ended = max(min(deployment.ends_at, now), started)
    attributes: Resource = {
        "commit": {
            "hash": known or None,
            "author": deployment.stated_author or (commit.author if commit else None),
            "message": deployment.stated_message or (commit.message if commit else None),
            "branch": site.branch,
        },
        "type": "hook" if deployment.stated_commit else "manual",
        "status": deployment.status(now),
        "started_at": stamp(started),
        "ended_at": stamp(ended),
        "created_at": stamp(deployment.created_at),
        "updated_at": stamp(now),
    }
    return resource("deployments", deployment.id, attributes)
