"""When commits were made that were shipped: GitHub's answer, for lead times."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from operations.deployment.statistics import PastRollout
from operations.deployment.target import Catalog
from operations.errors import InvalidRequest, UnknownTarget
from providers.github import GitHub

_COMMIT = re.compile(r"[0-9a-f]{40}")
_AT_ONCE = 8
_MOST = 100
"""So many of the newest are asked for: a token of GitHub's has 5,000 requests an hour for everything."""

_REMEMBERED = 2000


class ShippedCommits:
    """Implements `operations.deployment.performance.CommitTimes`.

    A pin that is a commit is asked for as such, anything else by its version, by the custom that tags name
    images: what a version means today need not be what it meant then, which a moved tag is wrong about.
    """

    def __init__(self, commits: GitHub, catalog: Catalog) -> None:
        self._commits = commits
        self._catalog = catalog
        self._known: dict[tuple[str, str], datetime | None] = {}

    async def of(self, rollouts: Sequence[PastRollout]) -> Mapping[int, datetime]:
        """By the rollout's id; those that GitHub does not know are left out."""
        sources = {each.id: self._source(each) for each in rollouts}
        wanted = dict.fromkeys(source for source in reversed(sources.values()) if source)
        unknown = [source for source in wanted if source not in self._known][:_MOST]
        slots = asyncio.Semaphore(_AT_ONCE)
        async with asyncio.TaskGroup() as group:
            for source in unknown:
                group.create_task(self._learn(source, slots), name=f"commit {source[1]}")
        found = {each: self._known.get(source) for each, source in sources.items() if source}
        return {each: at for each, at in found.items() if at is not None}

    async def _learn(self, source: tuple[str, str], slots: asyncio.Semaphore) -> None:
        async with slots:
            try:
                found = await self._commits.commit(*source)
            except InvalidRequest:
                self._remember(source, None)
                return
        if found is not None:
            self._remember(source, found.at)

    def _remember(self, source: tuple[str, str], at: datetime | None) -> None:
        """None: there is no such commit, which is not asked again either."""
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[source] = at

    def _source(self, rollout: PastRollout) -> tuple[str, str] | None:
        """Repository and ref; None where none is configured."""
        try:
            repository = self._catalog.find(rollout.project, rollout.environment).repository
        except UnknownTarget:
            return None
        ref = rollout.pin if _COMMIT.fullmatch(rollout.pin) else rollout.version
        return (repository, ref) if repository and ref else None
