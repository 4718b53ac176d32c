"""Uploads pictures to Slack, so that a message's blocks can show them.

Slack takes an upload first and looks at it later: a block that names a file before it has been processed is
refused, so `upload` returns when the file can be shown. See docs.slack.dev, files.getUploadURLExternal.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack.outlet import session_of, translated
from operations.clock import Clock
from operations.errors import OutcomeUnknown, ProviderError, ProviderRejected, ProviderUnavailable
from operations.outbox import PostedMessage

SECONDS = 10.0
_LOOK_SECONDS = 0.3
_LOG = logging.getLogger("hms.slack.files")
_DEED = "upload a picture to"


class SlackFiles:
    """Files of this product in Slack. `seconds` is what one upload may take, with all that belongs to it."""

    def __init__(self, client: AsyncWebClient, clock: Clock, *, seconds: float = SECONDS) -> None:
        self._client = client
        self._clock = clock
        self._seconds = seconds

    async def upload(self, content: bytes, *, name: str, title: str, card: PostedMessage) -> str:
        """Share it in the card's thread; returns the file's id once it can be shown there.

        Only its own app sees a file that is shared nowhere. Raises ProviderError, within seconds, when it
        does not stand in the thread. What stands there is not shared again, however long Slack looks at it.
        """
        shared = ""
        try:
            async with asyncio.timeout(self._seconds):
                file_id = await self._send_in(content, name)
                await self._share(file_id, title, card)
                shared = file_id
                while not (await self._look(file_id)).get("mimetype"):
                    await self._clock.sleep(_LOOK_SECONDS)
        except TimeoutError as exc:
            if not shared:
                raise ProviderUnavailable("Slack did not take a picture in time.") from exc
        except ProviderError as exc:
            if not shared:
                raise
            _LOG.info("cannot see whether a picture can be shown: %s", exc.message)
        return shared

    async def _send_in(self, content: bytes, name: str) -> str:
        async with translated(_DEED, "Slack"):
            place = await self._client.files_getUploadURLExternal(
                filename=name, length=len(content)
            )
        file_id = str(place.get("file_id", ""))
        await self._send(str(place.get("upload_url", "")), content)
        return file_id

    async def _share(self, file_id: str, title: str, card: PostedMessage) -> None:
        """Once: when the answer was lost, the file itself tells whether it arrived."""
        try:
            async with translated(_DEED, "Slack", repeatable=False):
                await self._client.files_completeUploadExternal(
                    files=[{"id": file_id, "title": title}],
                    channel_id=card.channel,
                    thread_ts=card.ts,
                )
        except OutcomeUnknown as exc:
            if not await self._is_shared(file_id):
                raise ProviderUnavailable(exc.message) from exc

    async def _send(self, url: str, content: bytes) -> None:
        """To where Slack said, over a connection as safe as that to Slack itself."""
        if urlsplit(url).scheme != urlsplit(self._client.base_url).scheme:
            raise ProviderRejected("Slack named no address that a picture can be sent to.")
        async with (
            translated(_DEED, "Slack"),
            session_of(self._client) as session,
            session.post(url, data=content, allow_redirects=False) as answer,
        ):
            if answer.status >= 500 or answer.status == 429:
                raise ProviderUnavailable(f"Slack took no picture: {answer.status}.")
            if answer.status != 200:
                raise ProviderRejected(f"Slack refused a picture with {answer.status}.")

    async def _is_shared(self, file_id: str) -> bool:
        try:
            return bool((await self._look(file_id)).get("shares"))
        except ProviderRejected:
            return False

    async def _look(self, file_id: str) -> Mapping[str, object]:
        """What Slack knows of it. It has a type as soon as Slack has processed it."""
        async with translated("look at a picture in", "Slack"):
            answer = await self._client.files_info(file=file_id)
        return _file(answer)


def _file(answer: AsyncSlackResponse) -> Mapping[str, object]:
    found = answer.get("file")
    return cast("Mapping[str, object]", found) if isinstance(found, Mapping) else {}
