"""What a site serves now, and the tail of its application's log. Forge counts no instances."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from operations.clock import Clock
from operations.deployment.ports import TargetHealth
from operations.deployment.target import Target
from operations.redaction import clean
from providers.forge.answers import Deployment, DeploymentState, Site
from providers.forge.api import ForgeApi
from providers.forge.budget import Errand
from providers.forge.revision import spec_of
from providers.forge.serving import Serving

# Laravel begins each entry so; its times are the application's, UTC unless somebody changed it.
_ENTRY = re.compile(r"\[(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)")
_ENDED_BADLY = frozenset({DeploymentState.FAILED, DeploymentState.CANCELLED})


class SiteHealth:
    """Reads; changes nothing."""

    def __init__(self, api: ForgeApi, serving: Serving, clock: Clock) -> None:
        self._api = api
        self._serving = serving
        self._clock = clock

    async def status(self, target: Target) -> TargetHealth:
        """See Provider.status. Monitoring asks often: it leaves the reserve of requests alone."""
        spec = spec_of(target)
        site = await self._api.site(spec, Errand.BACKGROUND)
        recent = await self._api.deployments(spec, Errand.BACKGROUND, max_age=2.0)
        live = next((d for d in recent if d.state is DeploymentState.FINISHED), None)
        commit = await self._serving.commit_of(spec, live, Errand.BACKGROUND) if live else ""
        state, detail = _judge(site, recent)
        return TargetHealth(
            version=commit[:7], artifact=commit, desired=-1, healthy=-1, state=state, detail=detail
        )

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        """See Provider.logs. Forge gives the whole file: the end is kept here."""
        content = await self._api.application_log(spec_of(target))
        found = clean(content, limit=max(20_000, lines * 400)).splitlines()
        if since is not None:
            found = _younger(found, self._clock.now() - since)
        return [line for line in found if line.strip()][-lines:] if lines > 0 else []


def _judge(site: Site, recent: Sequence[Deployment]) -> tuple[str, str]:
    told = site.attributes
    if told.maintenance_mode.enabled or told.status == "maintenance":
        return "down", "in maintenance mode"
    newest = recent[0] if recent else None
    if newest is None:
        return "unknown", "never deployed"
    if newest.state is DeploymentState.RUNNING:
        return "deploying", f"deployment {newest.id} is {clean(newest.attributes.status, limit=40)}"
    if newest.state in _ENDED_BADLY:
        return "degraded", f"deployment {newest.id} {clean(newest.attributes.status, limit=40)}"
    return "healthy", f"deployment {newest.id} finished"


def _younger(lines: Sequence[str], moment: datetime) -> list[str]:
    """The lines from the first entry at or after `moment`; lines without a time go with their entry."""
    for index, line in enumerate(lines):
        match = _ENTRY.match(line)
        if match and datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=UTC) >= moment:
            return list(lines[index:])
    # A log without any times cannot be cut by time.
    return [] if any(_ENTRY.match(line) for line in lines) else list(lines)
