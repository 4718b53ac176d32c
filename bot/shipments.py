"""What a rollout would ship, for the card that asks for approval: GitHub's comparison as Slack's view."""

from __future__ import annotations

import re

from handlers.slack.views.shipments import Shipped, ShippedCommit
from operations.deployment.release import Release
from operations.deployment.rollout import Rollout
from operations.deployment.target import Catalog
from operations.errors import UnknownTarget
from providers.github import Comparison, GitHub

_COMMIT = re.compile(r"[0-9a-f]{40}")
_REMEMBERED = 200


class Shipments:
    """Asks once for each rollout: what lies between two pinned releases does not change."""

    def __init__(self, commits: GitHub, catalog: Catalog) -> None:
        self._commits = commits
        self._catalog = catalog
        self._known: dict[int, Shipped] = {}

    async def __call__(self, rollout: Rollout) -> Shipped | None:
        """None when there is nothing to compare; raises ProviderUnavailable when GitHub cannot tell."""
        repository = self._repository(rollout)
        if not repository or rollout.previous is None:
            return None
        if rollout.id not in self._known:
            span = (_ref(rollout.previous), _ref(rollout.release))
            compared = await self._commits.compare(repository, *span)
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[rollout.id] = _shipped(repository, span, rollout, compared)
        return self._known[rollout.id]

    def _repository(self, rollout: Rollout) -> str:
        try:
            return self._catalog.find(rollout.project, rollout.environment).repository
        except UnknownTarget:
            return ""


def _ref(release: Release) -> str:
    """The commit where the release is one; else its version, by the custom that tags name images."""
    return release.pin if _COMMIT.fullmatch(release.pin) else release.version


def _shipped(
    repository: str, span: tuple[str, str], rollout: Rollout, compared: Comparison
) -> Shipped:
    former = rollout.previous.version if rollout.previous else ""
    return Shipped(
        commits=tuple(
            ShippedCommit(commit=each.sha, title=each.subject, author=each.author)
            for each in compared.commits
        ),
        url=f"https://github.com/{repository}/compare/{span[0]}...{span[1]}",
        span=f"{former}…{rollout.release.version}",
    )
