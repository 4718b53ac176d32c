"""Keeps long-running tasks alive: one of the two places that may catch everything.

A bug in a task is logged with a short reference; a task that should never end is begun again.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

import structlog

from handlers.log_fields import about
from operations.clock import Clock

_LOG = structlog.get_logger("hms.supervision")
_LONGEST_PAUSE = 30.0


class Supervisor:
    """Implements `operations.guard.Guard`, and keeps eternal tasks going."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def __call__(self, name: str, work: Callable[[], Awaitable[None]]) -> str:
        """Run to the end; "" or the reference under which the bug was logged."""
        with about(name, task=name):
            try:
                await work()
            except Exception:  # noqa: BLE001 -- the supervisor: whatever it was, the rest goes on
                reference = secrets.token_hex(4)
                _LOG.exception("task failed", reference=reference)
                return reference
        return ""

    async def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run something that never ends; begin again after a pause that doubles up to half a minute."""
        pause = 0.5
        while True:
            begun = self._clock.now()
            reference = await self(name, work)
            if not reference:
                _LOG.warning("task ended by itself", task=name)
            if (self._clock.now() - begun).total_seconds() > _LONGEST_PAUSE:
                pause = 0.5
            await self._clock.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
