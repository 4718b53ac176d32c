"""`/hms doctor`: everything that the bot depends on, asked for real, as the bot itself would ask it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from handlers.slack.views.blocks import Message
from handlers.slack.views.findings import findings
from operations.diagnosis import Finding
from operations.errors import Refused

Examining = Callable[[], Awaitable[Sequence[Finding]]]
"""Looks at everything; what fails is a finding, not an error."""


class Doctor:
    """One examination at a time: each asks every platform and all of Slack's channels."""

    def __init__(self, examining: Examining | None) -> None:
        self._examining = examining
        self._is_busy = False

    async def examine(self) -> Message:
        """Raises Refused while another one goes on."""
        if self._examining is None:
            raise Refused("Nothing can be examined here.", hint="Run `hms-sys doctor`.")
        if self._is_busy:
            raise Refused("Somebody is having it examined now.", hint="Say it again in a moment.")
        self._is_busy = True
        try:
            return findings(await self._examining())
        finally:
            self._is_busy = False
