"""`/hms digest`: what the daily summary would say now, or one that is posted at once."""

from __future__ import annotations

from handlers.language import Digest, DigestAction
from handlers.slack.boundary import Asker
from handlers.slack.views import digest as view
from handlers.slack.views.blocks import Message
from operations.errors import InvalidRequest
from operations.monitoring.digest.digests import Digests


class DigestAnswers:
    """Answers the asker; a digest that is posted has a message of its own."""

    def __init__(self, digests: Digests | None) -> None:
        self._digests = digests

    async def carry_out(self, command: Digest, asker: Asker) -> Message:
        """Read one, or post one."""
        if self._digests is None:
            raise InvalidRequest("Digests are not made here.")
        if command.action is DigestAction.NOW:
            return view.posted(await self._digests.post_now(asker.actor))
        return view.draw_preview(await self._digests.preview())
