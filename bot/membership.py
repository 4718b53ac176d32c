"""Slack's user groups where there is no token to ask with: nobody is guessed to belong to anything."""

from __future__ import annotations

from collections.abc import Collection

from operations.errors import ProviderUnavailable


class UnknownMembers:
    """Implements `operations.deployment.ports.Members`."""

    async def groups_of(self, user: str, among: Collection[str]) -> frozenset[str]:
        """Always raises ProviderUnavailable: a right that cannot be checked is not there."""
        raise ProviderUnavailable(
            "Slack's user groups cannot be asked: SLACK_BOT_TOKEN is not set.",
            hint="Set it, or do this in Slack.",
        )
