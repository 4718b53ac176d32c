"""The block that holds a digest's chart: Slack's own, or a picture that is painted and uploaded once.

A digest without its chart is still a digest: whatever fails here is logged, and it goes out without.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from handlers.digest_words import has_chart
from handlers.slack.views.blocks import Block
from handlers.slack.views.digest import chart_block
from handlers.slack.views.native_chart import native_chart
from operations.errors import OperationError, ProviderUnavailable
from operations.monitoring.digest.digest import StoredDigest
from operations.monitoring.digest.digests import Digests
from operations.monitoring.digest.ports import Painter

SECONDS = 12.0
"""For painting and uploading, waits included: with what else a message needs, less than a claim lasts."""

_LOG = logging.getLogger("hms.slack.digest")


class Files(Protocol):
    """Where pictures are kept for Slack to show; see `files.SlackFiles`."""

    async def upload(self, content: bytes, *, name: str, title: str) -> str:
        """Returns the file's id once it can be shown; raises ProviderError."""
        ...


class DigestCharts:
    """`native`: Slack's own chart is wanted; when Slack refuses one, pictures take its place from then on."""

    def __init__(
        self,
        digests: Digests,
        painter: Painter,
        files: Files,
        *,
        native: bool = False,
        seconds: float = SECONDS,
    ) -> None:
        self._digests = digests
        self._painter = painter
        self._files = files
        self._native = native
        self._seconds = seconds
        self._hopeless: set[int] = set()

    async def block(self, stored: StoredDigest) -> Block | None:
        """None when there is nothing to draw, or it could not be drawn."""
        if not has_chart(stored.digest) or stored.id in self._hopeless:
            return None
        if self._native:
            return native_chart(stored.digest)
        file_id = stored.picture or await self._upload(stored)
        return chart_block(file_id, stored.digest) if file_id else None

    def refused(self, stored: StoredDigest) -> None:
        """Slack did not take the block: the next one is plainer."""
        if self._native:
            _LOG.warning("Slack refuses its own chart block: pictures from now on")
            self._native = False
            return
        _LOG.warning("Slack refuses the picture of %s: told without", stored.label)
        self._hopeless.add(stored.id)

    async def _upload(self, stored: StoredDigest) -> str:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._paint_and_upload(stored)
        except TimeoutError:
            _LOG.warning("%s goes without its chart for now: it takes too long", stored.label)
        except ProviderUnavailable as exc:
            _LOG.warning("%s goes without its chart for now: %s", stored.label, exc.message)
        except OperationError as exc:
            _LOG.warning("%s goes without its chart: %s", stored.label, exc.message)
            self._hopeless.add(stored.id)
        return ""

    async def _paint_and_upload(self, stored: StoredDigest) -> str:
        picture = await self._painter.paint(stored.digest)
        name = f"{stored.label}.png"
        file_id = await self._files.upload(picture, name=name, title=f"Digest {stored.label}")
        await self._digests.remember_picture(stored.id, file_id)
        return file_id
