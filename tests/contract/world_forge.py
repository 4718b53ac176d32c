"""Forge's world: a site whose script takes a commit, deployed from a repository in memory.

Versions are short commits, because a commit is all that Forge knows of what serves. `good` is the head of
the branch and goes out by the API; the others go through the deploy hook.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.clock import SystemClock
from operations.clock import Clock
from operations.deployment.ports import RestoreOrder, StartOrder
from operations.deployment.progress import Handle, Progress
from operations.deployment.release import Release
from operations.deployment.target import Target
from providers.forge import ForgeProvider
from providers.github import GitHub
from providers.specs import ForgeSpec
from sandbox.forge import PINNING_SCRIPT, ForgeStandIn, Site
from sandbox.github import Commit, GitHubStandIn, Repository

PACE = 0.15


class SteppedClock:
    """Time that passes only when somebody waits, and then at once."""

    def __init__(self) -> None:
        self.on_sleep: Callable[[], None] = lambda: None
        self._now = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The stepped time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        """Let time pass, and others have their turn."""
        self.advance(seconds)
        self.on_sleep()
        await asyncio.sleep(0)


def site_repository() -> Repository:
    """A first, a bad and a slow commit, with a good one as the head."""
    repository = Repository("acme/site")
    repository.commit("Open the shop", tag="1.0")
    repository.commit("Rename the totals column", tag="1.2-bad")
    repository.commit("Rebuild the search index", tag="1.3-slow")
    repository.commit("Show prices with tax", tag="1.4")
    return repository


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The stand-ins of Forge and GitHub, one site, and the real clients of both."""

    github: GitHubStandIn
    forge: ForgeStandIn
    site: Site
    commits: GitHub
    provider: ForgeProvider
    target: Target
    clock: Clock

    def commit(self, ref: str) -> Commit:
        """What a tag or a branch is."""
        found = self.site.repository.find(ref)
        assert found is not None
        return found

    def short(self, ref: str) -> str:
        """Its first seven digits."""
        return self.commit(ref).sha[:7]

    def release(self, ref: str) -> Release:
        """A pinned release of it, without asking anybody."""
        sha = self.commit(ref).sha
        return Release(version=ref, artifact=sha, pin=sha)

    def order(self, ref: str, *, key: str = "D-1042", resumed: bool = False) -> StartOrder:
        """Ship it, as intended just now."""
        return StartOrder(
            target=self.target,
            release=self.release(ref),
            key=key,
            cause=f"{key} by alice",
            intended_at=self.clock.now(),
            resumed=resumed,
        )

    def way_back(self, handle: Handle | None, previous: Release) -> RestoreOrder:
        """Bring `previous` back."""
        return RestoreOrder(
            target=self.target,
            previous=previous,
            handle=handle,
            key="D-1042",
            cause="way back of D-1042",
            intended_at=self.clock.now(),
        )

    async def end_of(self, handle: Handle) -> Progress:
        """The observation with the verdict."""
        async with asyncio.timeout(10):
            async for seen in self.provider.follow(self.target, handle):
                if seen.verdict is not None:
                    return seen
        raise AssertionError("the stream ended without a verdict")


@asynccontextmanager
async def open_setting(
    *,
    clock: Clock,
    live: str = "1.0",
    script: str = PINNING_SCRIPT,
    pace: float = 1.0,
    poll: float = 1.0,
    per_minute: int = 6000,
) -> AsyncIterator[Setting]:
    """Open the stand-ins; on leaving, no client has asked for anything that they do not know."""
    repository = site_repository()
    async with AsyncExitStack() as stack:
        github = await stack.enter_async_context(GitHubStandIn(repositories=[repository]))
        forge = await stack.enter_async_context(
            ForgeStandIn(
                repositories=[repository], pace=pace, requests_per_minute=per_minute, now=clock.now
            )
        )
        site = forge.add_site(live=live, script=script)
        commits = GitHub(token=github.token, base_url=github.url)
        stack.push_async_callback(commits.close)
        provider = ForgeProvider(
            token=forge.token,
            base_url=forge.url,
            commits=commits,
            clock=clock,
            requests_per_minute=per_minute,
            poll_seconds=poll,
        )
        stack.push_async_callback(provider.close)
        yield Setting(
            github=github,
            forge=forge,
            site=site,
            commits=commits,
            provider=provider,
            target=_target(site),
            clock=clock,
        )
        assert forge.unexpected == []
        assert github.unexpected == []


def _target(site: Site) -> Target:
    return Target(
        project="site",
        environment="prod",
        spec=ForgeSpec(provider="forge", organization="acme", server=site.server, site=site.id),
        repository=site.repository.name,
        timeout=timedelta(seconds=5),
    )


class ForgeWorld:
    """See World."""

    def __init__(self, setting: Setting) -> None:
        self._forge = setting.forge
        self._site = setting.site
        self.provider = setting.provider
        self.target = setting.target
        self.first = setting.short("1.0")
        self.bad = setting.short("1.2-bad")
        self.slow = setting.short("1.3-slow")
        self.good = setting.short("main")
        self.missing: str | None = "9.9"

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


@asynccontextmanager
async def open_world() -> AsyncIterator[ForgeWorld]:
    """The stand-ins in real time."""
    async with open_setting(clock=SystemClock(), pace=PACE, poll=0.1) as setting:
        yield ForgeWorld(setting)
