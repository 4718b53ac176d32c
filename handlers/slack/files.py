"""Uploads pictures to Slack, so that a message's blocks can show them.

Slack takes an upload first and looks at it later: a block that names a file before it has been processed is
refused, so `upload` returns when the file can be shown. See docs.slack.dev, files.getUploadURLExternal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from handlers.slack.outlet import session_of, translated
from operations.clock import Clock
from operations.errors import ProviderRejected, ProviderUnavailable

_SECONDS = 10.0
_LOOK_SECONDS = 0.3
_DEED = "upload a picture to"


class SlackFiles:
    """Files of this product in Slack. `seconds` is what one upload may take, with all that belongs to it."""

    def __init__(self, client: AsyncWebClient, clock: Clock, *, seconds: float = _SECONDS) -> None:
        self._client = client
        self._clock = clock
        self._seconds = seconds

    async def upload(self, content: bytes, *, name: str, title: str) -> str:
        """Returns the file's id once it can be shown; raises ProviderError, within seconds."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._upload(content, name, title)
        except TimeoutError as exc:
            raise ProviderUnavailable("Slack did not process a picture in time.") from exc

    async def _upload(self, content: bytes, name: str, title: str) -> str:
        async with translated(_DEED, "Slack"):
            place = await self._client.files_getUploadURLExternal(
                filename=name, length=len(content)
            )
        file_id = str(place.get("file_id", ""))
        await self._send(str(place.get("upload_url", "")), content)
        async with translated(_DEED, "Slack"):
            await self._client.files_completeUploadExternal(files=[{"id": file_id, "title": title}])
        while not await self._is_processed(file_id):
            await self._clock.sleep(_LOOK_SECONDS)
        return file_id

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

    async def _is_processed(self, file_id: str) -> bool:
        """A file has a type as soon as Slack has looked at it."""
        async with translated("look at a picture in", "Slack"):
            answer = await self._client.files_info(file=file_id)
        return bool(_file(answer).get("mimetype"))


def _file(answer: AsyncSlackResponse) -> Mapping[str, object]:
    found = answer.get("file")
    return cast("Mapping[str, object]", found) if isinstance(found, Mapping) else {}
