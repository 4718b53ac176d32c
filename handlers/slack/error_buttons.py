"""What the buttons of an error group do, wherever it is shown: in an answer, or in a digest.

The one who pressed is always answered: of a private answer nothing could be brought up to date.
"""

from __future__ import annotations

from datetime import timedelta

from handlers.slack.boundary import Asker
from handlers.slack.buttons import Deed
from handlers.slack.ids import ActionId
from handlers.slack.views import errors
from handlers.slack.views.blocks import Message
from operations.clock import Clock
from operations.monitoring.errors.triage import Triage

_SPAN = timedelta(hours=1)


class ErrorButtons:
    """Resolve, Silence 1h, What changed."""

    def __init__(self, triage: Triage, clock: Clock) -> None:
        self._triage = triage
        self._clock = clock

    def deeds(self) -> dict[ActionId, Deed]:
        """What each button does."""
        return {
            ActionId.ERROR_RESOLVE: self._resolve,
            ActionId.ERROR_SILENCE: self._silence,
            ActionId.ERROR_CHANGES: self._changes,
        }

    async def _resolve(self, group_id: int, asker: Asker) -> Message:
        return errors.resolved(await self._triage.resolve(group_id, asker.actor))

    async def _silence(self, group_id: int, asker: Asker) -> Message:
        group = await self._triage.silence(group_id, asker.actor, _SPAN)
        return errors.silenced(group, self._clock.now())

    async def _changes(self, group_id: int, asker: Asker) -> Message:
        return errors.changes(await self._triage.show(group_id), self._clock.now())
