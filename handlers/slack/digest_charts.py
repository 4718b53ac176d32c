"""A digest's chart: Slack's own block, or a picture that is painted once and shared in the digest's thread.

The digest goes out first, without: a picture that was shared nowhere only this app could see. When it stands
in the thread, the message is drawn again with it. Whatever fails here costs the chart only.
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
from operations.outbox import PostedMessage

SECONDS = 10.0
"""For painting: with its turn and the upload, less than a claim lasts."""

_LOG = logging.getLogger("hms.slack.digest")


class Files(Protocol):
    """Where pictures are kept for Slack to show; see `files.SlackFiles`."""

    async def upload(self, content: bytes, *, name: str, title: str, card: PostedMessage) -> str:
        """Share it in the card's thread; returns its id once it can be shown. Raises ProviderError."""
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

    def block(self, stored: StoredDigest) -> Block | None:
        """None when there is nothing to draw, or no picture yet."""
        if not has_chart(stored.digest) or stored.id in self._hopeless:
            return None
        if self._native:
            return native_chart(stored.digest)
        return chart_block(stored.picture, stored.digest) if stored.picture else None

    async def share(self, stored: StoredDigest, card: PostedMessage) -> None:
        """Put the picture into the card's thread; raises ProviderUnavailable when that may work later.

        Where Slack draws the chart itself there is none: the card was posted, so Slack took its block.
        """
        if self._native or stored.picture or not has_chart(stored.digest):
            return
        try:
            await self._paint_and_upload(stored, card)
        except ProviderUnavailable:
            raise
        except OperationError as exc:
            _LOG.warning("%s stays without its chart: %s", stored.label, exc.message)

    def refused(self, stored: StoredDigest) -> None:
        """Slack did not take the block: the next one is plainer."""
        if self._native:
            _LOG.warning("Slack refuses its own chart block: pictures from now on")
            self._native = False
            return
        _LOG.warning("Slack refuses the picture of %s: told without", stored.label)
        self._hopeless.add(stored.id)

    async def _paint_and_upload(self, stored: StoredDigest, card: PostedMessage) -> None:
        picture = await self._paint(stored)
        file_id = await self._files.upload(
            picture, name=f"{stored.label}.png", title=f"Digest {stored.label}", card=card
        )
        await self._digests.remember_picture(stored.id, file_id)

    async def _paint(self, stored: StoredDigest) -> bytes:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._painter.paint(stored.digest)
        except TimeoutError as exc:
            raise ProviderUnavailable(f"The chart of {stored.label} takes too long.") from exc
