"""The deployment port over Forge, put together from the parts of this package."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from operations.clock import Clock
from operations.deployment.ports import Capabilities, RestoreOrder, StartOrder, TargetHealth
from operations.deployment.progress import Failure, Handle, Progress, Started
from operations.deployment.release import Resolution
from operations.deployment.target import Target
from operations.monitoring.errors.log_ports import LogPage, LogSource
from providers.forge.api import ForgeApi
from providers.forge.budget import Budget, Errand
from providers.forge.health import SiteHealth
from providers.forge.launch import Launch
from providers.forge.log_pages import read_page
from providers.forge.observation import Observation
from providers.forge.revision import VARIABLE, Revisions, spec_of
from providers.forge.serving import Serving
from providers.github import GitHub

# How long Forge may be unreachable before a follower says so.
_PATIENCE_SECONDS = 60.0
_CAPABILITIES = Capabilities(
    pins=False,
    aborts=False,
    rolls_back=True,
    note=(
        "Forge deploys the head of the site's branch and cannot stop a deployment. "
        f"Another commit, a roll-back too, needs a deploy script that takes {VARIABLE}."
    ),
)


class ForgeProvider:
    """One per Forge user, as the limit on requests is the user's.

    `poll_seconds` is the shortest span between two looks at a deployment; it grows with the number of
    rollouts followed. `commits` is closed by whoever made it.
    """

    def __init__(
        self,
        *,
        token: str,
        base_url: str,
        commits: GitHub,
        clock: Clock,
        requests_per_minute: int = 60,
        poll_seconds: float = 3.0,
    ) -> None:
        budget = Budget(clock=clock, per_minute=requests_per_minute)
        self._api = ForgeApi(token=token, base_url=base_url, budget=budget, clock=clock)
        serving = Serving(self._api)
        self._revisions = Revisions(self._api, commits, serving)
        self._launch = Launch(self._api, self._revisions, clock)
        self._health = SiteHealth(self._api, serving, clock)
        self._observation = Observation(
            self._api, serving, budget, clock, poll=poll_seconds, patience=_PATIENCE_SECONDS
        )

    @property
    def capabilities(self) -> Capabilities:
        """See Provider.capabilities."""
        return _CAPABILITIES

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def resolve(self, target: Target, version: str) -> Resolution:
        """See Provider.resolve."""
        return await self._revisions.resolve(target, version)

    async def start(self, order: StartOrder) -> Started:
        """See Provider.start."""
        return await self._launch.start(order)

    def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """See Provider.follow."""
        return self._observation.follow(target, handle)

    async def explain(self, target: Target, handle: Handle) -> Failure:
        """See Provider.explain."""
        return await self._observation.explain(target, handle)

    async def restore(self, order: RestoreOrder) -> Started:
        """See Provider.restore."""
        return await self._launch.restore(order)

    async def status(self, target: Target) -> TargetHealth:
        """See Provider.status."""
        return await self._health.status(target)

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        """See Provider.logs."""
        return await self._health.logs(target, lines=lines, since=since)

    async def read_log(self, source: LogSource, target: Target, cursor: str, limit: int) -> LogPage:
        """What the site's application has written since; see `LogReader`."""
        content = await self._api.application_log(spec_of(target), Errand.BACKGROUND)
        return read_page(content, cursor, limit=limit)
