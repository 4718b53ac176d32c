"""Who belongs to Slack's user groups: approvers and deployers named as `S…` in the configuration.

An answer holds for a minute. When Slack cannot be asked after that, nobody is taken for a member: a right
that was withdrawn must not live on because a network is down.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from operations.clock import Clock
from operations.errors import ProviderUnavailable
from operations.redaction import clean

_LOG = logging.getLogger("hms.slack.groups")
_CALL_SECONDS = 5.0
_FRESH = timedelta(seconds=60)
_NO_SUCH_GROUP = frozenset({"no_such_subteam", "subteam_not_found", "invalid_usergroup"})


@dataclass(frozen=True, slots=True)
class _Answer:
    members: frozenset[str]
    at: datetime


class SlackMembers:
    """The port `Members` of `operations.deployment.ports`."""

    def __init__(self, client: AsyncWebClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._answers: dict[str, _Answer] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def groups_of(self, user: str, among: Collection[str]) -> frozenset[str]:
        """Those of the groups that the user belongs to; raises ProviderUnavailable."""
        found = set()
        for group in sorted(among):
            if user in await self._members(group):
                found.add(group)
        return frozenset(found)

    async def _members(self, group: str) -> frozenset[str]:
        async with self._asking.setdefault(group, asyncio.Lock()):
            known = self._answers.get(group)
            if known is not None and self._clock.now() - known.at < _FRESH:
                return known.members
            answer = _Answer(await self._ask(group), self._clock.now())
            self._answers[group] = answer
            return answer.members

    async def _ask(self, group: str) -> frozenset[str]:
        try:
            async with asyncio.timeout(_CALL_SECONDS):
                answer = await self._client.usergroups_users_list(usergroup=group)
        except SlackApiError as exc:
            told = clean(str(exc.response.get("error", "")), limit=80)
            if told in _NO_SUCH_GROUP:
                _LOG.error(
                    "the user group %s of hms.yaml is not in Slack: it has no members", group
                )
                return frozenset()
            raise _unavailable(group, told) from exc
        except (TimeoutError, aiohttp.ClientError, SlackClientError) as exc:
            raise _unavailable(group, "") from exc
        users = answer.get("users")
        return (
            frozenset(u for u in users if isinstance(u, str))
            if isinstance(users, list)
            else frozenset()
        )


def _unavailable(group: str, told: str) -> ProviderUnavailable:
    why = f" ({told})" if told else ""
    scope = told in {"missing_scope", "unknown_method"}
    return ProviderUnavailable(
        f"Slack cannot tell who belongs to <!subteam^{group}>{why}, so nothing was decided.",
        hint="The app needs the scope usergroups:read." if scope else "Try again in a moment.",
    )
