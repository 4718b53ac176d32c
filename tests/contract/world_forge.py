"""Forge's world: a site whose script takes a commit, deployed from a repository in memory.

Versions are short commits, because a commit is all that Forge knows of what serves. `good` is the head of
the branch and goes out by the API; the others go through the deploy hook.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta

from bot.clock import SystemClock
from operations.deployment.target import Target
from providers.forge import ForgeProvider
from providers.github import GitHub
from providers.specs import ForgeSpec
from sandbox.forge import ForgeStandIn, Site
from sandbox.github import GitHubStandIn, Repository

PACE = 0.15


class ForgeWorld:
    """See World."""

    def __init__(self, forge: ForgeStandIn, site: Site, provider: ForgeProvider) -> None:
        self._forge = forge
        self._site = site
        self.provider = provider
        self.target = Target(
            project="site",
            environment="prod",
            spec=ForgeSpec(provider="forge", organization="acme", server=site.server, site=site.id),
            repository=site.repository.name,
            timeout=timedelta(seconds=5),
        )
        self.first = self._short("1.0")
        self.bad = self._short("1.2-bad")
        self.slow = self._short("1.3-slow")
        self.good = self._short("main")
        self.missing: str | None = "9.9"

    def _short(self, ref: str) -> str:
        commit = self._site.repository.find(ref)
        assert commit is not None
        return commit.sha[:7]

    async def serving(self) -> str:
        """The short commit on the site."""
        return self._forge.serving(self._site)[:7]

    async def changes(self) -> int:
        """Deployments asked for, by API or by hook."""
        return self._site.asked

    async def break_down(self) -> None:
        """Forge answers 503 to everything."""
        self._forge.down = True

    async def recover(self) -> None:
        """Forge is back."""
        self._forge.down = False


def world_repository() -> Repository:
    """A first, a bad and a slow commit, with a good one as the head."""
    repository = Repository("acme/site")
    repository.commit("Open the shop", tag="1.0")
    repository.commit("Rename the totals column", tag="1.2-bad")
    repository.commit("Rebuild the search index", tag="1.3-slow")
    repository.commit("Show prices with tax", tag="1.4")
    return repository


@asynccontextmanager
async def open_world() -> AsyncIterator[ForgeWorld]:
    """The stand-ins of Forge and GitHub, with the real clients of both."""
    repository = world_repository()
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(GitHubStandIn(repositories=[repository]))
        forge = await stack.enter_async_context(
            ForgeStandIn(repositories=[repository], pace=PACE, requests_per_minute=6000)
        )
        site = forge.add_site(live="1.0")
        commits = GitHub(token=github.token, base_url=github.url)
        stack.push_async_callback(commits.close)
        provider = ForgeProvider(
            token=forge.token,
            base_url=forge.url,
            commits=commits,
            clock=SystemClock(),
            requests_per_minute=6000,
            poll_seconds=0.1,
        )
        stack.push_async_callback(provider.close)
        yield ForgeWorld(forge, site, provider)
        assert forge.unexpected == []
        assert github.unexpected == []
