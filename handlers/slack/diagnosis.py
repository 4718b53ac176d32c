"""Slack's part of `doctor`: tokens, scopes, channels, user groups, and how far the clocks are apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack.outlet import translated
from operations.clock import Clock
from operations.diagnosis import Condition, Examination, Examine, Finding
from operations.errors import ProviderRejected, ProviderUnauthorized

_AREA = "Slack"
_NEEDED = frozenset(
    {"commands", "chat:write", "usergroups:read", "channels:history", "groups:history"}
)
"""Without one of these something that is promised does not work."""
_USEFUL = frozenset(
    {"chat:write.public", "channels:read", "groups:read", "files:write", "files:read"}
)
_COMPARE = "Compare the scopes of the app in Slack with manifest.yml."
_REINSTALL = "Reinstall the app with the scopes of manifest.yml."
_SKEW_SECONDS = 60.0
"""Slack's signatures hold for five minutes; a clock that is a minute off is on its way there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What the configuration names in Slack. `app_token` "": HTTP mode."""

    channels: Sequence[str]
    groups: Sequence[str]
    app_token: str = ""


class SlackDiagnosis:
    """Asks Slack what it thinks of us."""

    def __init__(self, client: AsyncWebClient, workspace: Workspace, clock: Clock) -> None:
        self._client = client
        self._workspace = workspace
        self._clock = clock

    def examinations(self) -> list[Examination]:
        """One for each token, channel and group."""
        channels = [
            Examination(_AREA, f"channel {name}", _one(self._channel, name))
            for name in self._workspace.channels
        ]
        groups = [
            Examination(_AREA, f"user group {name}", _one(self._group, name))
            for name in self._workspace.groups
        ]
        return [
            Examination(_AREA, "SLACK_BOT_TOKEN", self._token),
            Examination(_AREA, "SLACK_APP_TOKEN", self._app_token),
            *channels,
            *groups,
        ]

    async def _token(self) -> Sequence[Finding]:
        async with translated("ask about the token of", _AREA):
            answer = await self._client.auth_test()
        who = f"{answer.get('user')} in {answer.get('team')}"
        return [
            _finding("SLACK_BOT_TOKEN", Condition.WELL, f"accepted: {who}"),
            _scopes(answer),
            *_clock(answer, self._clock.now()),
        ]

    async def _app_token(self) -> Sequence[Finding]:
        token = self._workspace.app_token
        if not token:
            return [_finding("SLACK_APP_TOKEN", Condition.WELL, "not set: HTTP mode")]
        async with translated("ask for a socket of", _AREA):
            await self._client.apps_connections_open(app_token=token)
        return [_finding("SLACK_APP_TOKEN", Condition.WELL, "accepted: Socket Mode")]

    async def _channel(self, channel: str) -> Finding:
        subject = f"channel {channel}"
        try:
            async with translated("look at", channel):
                answer = await self._client.conversations_info(channel=channel)
        except ProviderUnauthorized:
            return _finding(subject, Condition.DOUBTFUL, "cannot be looked at", _REINSTALL)
        except ProviderRejected as exc:
            return _finding(subject, Condition.FAILING, exc.message, _INVITE)
        return _judge_channel(subject, answer.get("channel"))

    async def _group(self, group: str) -> Finding:
        subject = f"user group {group}"
        advice = "Name another one in hms.yaml, or make it in Slack."
        try:
            async with translated("look at", group):
                answer = await self._client.usergroups_users_list(usergroup=group)
        except ProviderUnauthorized as exc:
            return _finding(subject, Condition.FAILING, exc.message, _REINSTALL)
        except ProviderRejected as exc:
            return _finding(subject, Condition.FAILING, exc.message, advice)
        users = answer.get("users")
        count = len(users) if isinstance(users, list) else 0
        if not count:
            return _finding(subject, Condition.FAILING, "has no members", "Put somebody into it.")
        return _finding(subject, Condition.WELL, f"{count} {'member' if count == 1 else 'members'}")


_INVITE = "Invite the bot to it (`/invite`), or name another channel in hms.yaml."


def _one(ask: Callable[[str], Awaitable[Finding]], name: str) -> Examine:
    async def examine() -> Sequence[Finding]:
        return [await ask(name)]

    return examine


def _judge_channel(subject: str, found: object) -> Finding:
    channel: Mapping[str, object] = found if isinstance(found, Mapping) else {}
    name = f"#{channel.get('name')}"
    if channel.get("is_archived"):
        advice = "Unarchive it, or name another one in hms.yaml."
        return _finding(subject, Condition.FAILING, f"{name} is archived", advice)
    if channel.get("is_member"):
        return _finding(subject, Condition.WELL, f"{name}, where the bot is a member")
    if channel.get("is_private"):
        return _finding(subject, Condition.FAILING, f"{name} is private", _INVITE)
    return _finding(
        subject,
        Condition.DOUBTFUL,
        f"{name}, where the bot is no member: it can post, and not look for its own messages",
        _INVITE,
    )


def _scopes(answer: AsyncSlackResponse) -> Finding:
    """Slack names the token's scopes in a header of every answer."""
    written = _header(answer, "x-oauth-scopes")
    if not written:
        detail = "Slack did not name them"
        return _finding("scopes", Condition.DOUBTFUL, detail, _COMPARE)
    given = {scope.strip() for scope in written.split(",")}
    if missing := sorted(_NEEDED - given):
        return _finding("scopes", Condition.FAILING, f"missing: {', '.join(missing)}", _REINSTALL)
    if missing := sorted(_USEFUL - given):
        detail = f"it would be better with {', '.join(missing)}"
        return _finding("scopes", Condition.DOUBTFUL, detail, _REINSTALL)
    return _finding("scopes", Condition.WELL, "all that are needed")


def _clock(answer: AsyncSlackResponse, now: datetime) -> Sequence[Finding]:
    try:
        theirs = parsedate_to_datetime(_header(answer, "date")).astimezone(UTC)
    except (TypeError, ValueError):
        return []
    apart = abs((now - theirs).total_seconds())
    if apart <= _SKEW_SECONDS:
        return [_finding("clock", Condition.WELL, f"within {max(1, round(apart))} s of Slack's")]
    return [
        _finding(
            "clock",
            Condition.FAILING,
            f"{round(apart)} s away from Slack's",
            "Set this machine's clock (NTP): requests with old signatures are refused.",
        )
    ]


def _header(answer: AsyncSlackResponse, name: str) -> str:
    headers: Mapping[str, object] = answer.headers or {}
    return str(next((value for key, value in headers.items() if key.lower() == name), ""))


def _finding(subject: str, condition: Condition, detail: str, advice: str = "") -> Finding:
    return Finding(area=_AREA, subject=subject, condition=condition, detail=detail, advice=advice)
