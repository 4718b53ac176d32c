"""Every call to Slack's Web API, with a deadline, and its failures as errors of `operations.errors`.

Posting is not repeatable: when no answer came, OutcomeUnknown says so and `find` looks for our own message.
The client that is handed in must not retry by itself (see `app.web_client`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import cast

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack.views.blocks import Block, Message
from operations.errors import (
    OutcomeUnknown,
    ProviderError,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.outbox import PostedMessage
from operations.redaction import clean

CALL_SECONDS = 10.0
_LOOK_BACK_PAGES = 5

_GONE = frozenset(
    {"message_not_found", "edit_window_closed", "cant_update_message", "thread_not_found"}
)
_TRANSIENT = frozenset(
    {"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}
)
_UNAUTHORIZED = frozenset(
    {
        "not_authed",
        "invalid_auth",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "ekm_access_denied",
    }
)
_UNREADABLE = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "msg_blocks_too_long",
        "msg_too_long",
        "block_mismatch",
    }
)
_HINTS = {
    "channel_not_found": "Invite the bot to the channel, or name another one in hms.yaml.",
    "not_in_channel": "Invite the bot to the channel: `/invite` and its name.",
    "is_archived": "Unarchive the channel, or name another one in hms.yaml.",
    "missing_scope": "Reinstall the Slack app with the scopes of manifest.yml.",
}


class MessageGone(ProviderRejected):
    """The message that was to be edited, or whose thread was to be replied to, is not there any more."""


class Unreadable(ProviderRejected):
    """Slack refuses the blocks; the text alone would do."""


class Outlet:
    """What this product says in Slack."""

    def __init__(self, client: AsyncWebClient) -> None:
        self._client = client

    async def post(
        self, channel: str, message: Message, *, thread_ts: str = "", broadcast: bool = False
    ) -> PostedMessage:
        """A new message. Raises OutcomeUnknown when it may or may not have been posted.

        Blocks that Slack refuses give way to the message's plainer ones; Unreadable when it has none.
        """
        try:
            return await self._post(channel, message, thread_ts, broadcast=broadcast)
        except Unreadable:
            if message.otherwise is None:
                raise
        plainer = await message.otherwise()
        return await self.post(channel, plainer, thread_ts=thread_ts, broadcast=broadcast)

    async def _post(
        self, channel: str, message: Message, thread_ts: str, *, broadcast: bool
    ) -> PostedMessage:
        async with translated("post to", channel, repeatable=False):
            answer = await self._client.chat_postMessage(
                channel=channel,
                text=message.text,
                blocks=_raw(message),
                thread_ts=thread_ts or None,
                reply_broadcast=broadcast if thread_ts else None,
                unfurl_links=False,
                unfurl_media=False,
            )
        return PostedMessage(channel=_text(answer, "channel") or channel, ts=_text(answer, "ts"))

    async def edit(self, posted: PostedMessage, message: Message) -> None:
        """Make the message read so. Raises MessageGone when it cannot be edited any more, else as `post`."""
        try:
            await self._edit(posted, message)
        except Unreadable:
            if message.otherwise is None:
                raise
        else:
            return
        await self.edit(posted, await message.otherwise())

    async def _edit(self, posted: PostedMessage, message: Message) -> None:
        async with translated("edit a message in", posted.channel):
            await self._client.chat_update(
                channel=posted.channel, ts=posted.ts, text=message.text, blocks=_raw(message)
            )

    async def whisper(self, channel: str, user: str, message: Message) -> None:
        """Only this user sees it, in the channel; in a direct message where the bot is not in the channel."""
        try:
            async with translated("answer in", channel):
                await self._client.chat_postEphemeral(
                    channel=channel, user=user, text=message.text, blocks=_raw(message)
                )
        except ProviderRejected:
            await self.post(user, message)

    async def respond(self, response_url: str, message: Message) -> None:
        """A private answer to a command or a click, through the address that came with it.

        Slack's default for such an answer depends on where it was asked, so the type is always said.
        """
        body = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": message.text,
            "blocks": _raw(message),
        }
        async with (
            translated("answer through", "response_url"),
            session_of(self._client) as session,
            session.post(response_url, json=body) as answer,
        ):
            if answer.status == 429 or answer.status >= 500:
                raise ProviderUnavailable(f"Slack took no answer: {answer.status}.")
            if answer.status >= 400:
                raise ProviderRejected(f"Slack refused an answer with {answer.status}.")

    async def open_view(self, trigger_id: str, view: Block) -> None:
        """Open a modal; its trigger lives for three seconds, so nothing may be awaited before."""
        async with translated("open a form in", "Slack", seconds=3.0):
            await self._client.views_open(trigger_id=trigger_id, view=view)

    async def find(
        self, channel: str, prefix: str, *, oldest: datetime, thread_ts: str = ""
    ) -> PostedMessage | None:
        """Our own message that carries a block_id with this prefix, posted since `oldest`."""
        cursor: str | None = None
        for _ in range(_LOOK_BACK_PAGES):
            async with translated("read", channel):
                page = await self._page(channel, oldest, thread_ts, cursor)
            for found in _list(page, "messages"):
                if _carries(found, prefix):
                    return PostedMessage(channel=channel, ts=str(found["ts"]))
            cursor = _cursor(page)
            if not cursor:
                break
        return None

    async def _page(
        self, channel: str, oldest: datetime, thread_ts: str, cursor: str | None
    ) -> AsyncSlackResponse:
        since = f"{oldest.timestamp():.6f}"
        if thread_ts:
            return await self._client.conversations_replies(
                channel=channel, ts=thread_ts, limit=200, cursor=cursor
            )
        return await self._client.conversations_history(
            channel=channel, oldest=since, limit=200, cursor=cursor
        )


@asynccontextmanager
async def session_of(client: AsyncWebClient) -> AsyncIterator[aiohttp.ClientSession]:
    """The client's own session, for what the SDK has no method for; a fresh one where it has none."""
    if client.session is not None and not client.session.closed:
        yield client.session
        return
    async with aiohttp.ClientSession() as session:
        yield session


@asynccontextmanager
async def translated(
    deed: str, where: str, *, repeatable: bool = True, seconds: float = CALL_SECONDS
) -> AsyncIterator[None]:
    """Slack's and the network's failures as ours; of an unrepeatable call, whether it may have arrived.

    `deed` and `where` make a sentence: “Slack did not let us DEED WHERE”.
    """
    lost = f"Slack did not answer when we wanted to {deed} {where}."
    try:
        async with asyncio.timeout(seconds):
            yield
    except SlackApiError as exc:
        raise _error_of(exc, deed, where, repeatable=repeatable) from exc
    except aiohttp.ClientConnectorError as exc:
        raise ProviderUnavailable("Slack cannot be reached.") from exc
    except (TimeoutError, aiohttp.ClientError, SlackClientError) as exc:
        raise ProviderUnavailable(lost) if repeatable else OutcomeUnknown(lost) from exc


def _error_of(exc: SlackApiError, deed: str, where: str, *, repeatable: bool) -> ProviderError:
    response = exc.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    told = clean(_code(response), limit=80)
    if status == 429 or told in {"ratelimited", "rate_limited"}:
        return ProviderUnavailable(
            f"Slack asked us to wait before we {deed} {where}.", retry_after=_retry_after(response)
        )
    if status >= 500 or told in _TRANSIENT:
        lost = f"Slack failed when we wanted to {deed} {where}: {told or status}."
        return ProviderUnavailable(lost) if repeatable else OutcomeUnknown(lost)
    message = f"Slack did not let us {deed} {where}: {told or status}."
    if told in _GONE:
        return MessageGone(message)
    if told in _UNREADABLE:
        return Unreadable(message)
    if told in _UNAUTHORIZED:
        return ProviderUnauthorized(message, hint=_HINTS.get(told, "Check SLACK_BOT_TOKEN."))
    return ProviderRejected(message, hint=_HINTS.get(told, ""))


def _code(response: object) -> str:
    data = getattr(response, "data", response)
    return str(data.get("error", "")) if isinstance(data, Mapping) else ""


def _retry_after(response: object) -> float:
    headers: Mapping[str, object] = getattr(response, "headers", None) or {}
    written = next((v for k, v in headers.items() if k.lower() == "retry-after"), "")
    try:
        return min(max(float(str(written)), 1.0), 600.0)
    except ValueError:
        return 30.0


def _raw(message: Message) -> list[dict[str, object]]:
    return [cast("dict[str, object]", block) for block in message.blocks]


def _text(answer: AsyncSlackResponse, key: str) -> str:
    value = answer.get(key)
    return value if isinstance(value, str) else ""


def _list(page: AsyncSlackResponse, key: str) -> list[Mapping[str, object]]:
    value = page.get(key)
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _cursor(page: AsyncSlackResponse) -> str:
    metadata = page.get("response_metadata")
    found = metadata.get("next_cursor") if isinstance(metadata, Mapping) else ""
    return found if isinstance(found, str) else ""


def _carries(found: Mapping[str, object], prefix: str) -> bool:
    blocks = found.get("blocks")
    if not isinstance(blocks, list) or not isinstance(found.get("ts"), str):
        return False
    return any(
        isinstance(block, Mapping) and str(block.get("block_id", "")).startswith(prefix)
        for block in blocks
    )
