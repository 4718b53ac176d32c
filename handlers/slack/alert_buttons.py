"""What the buttons of an alert's message do. Its Roll back is the rollout's own button."""

from __future__ import annotations

from datetime import timedelta

from handlers.slack.boundary import Asker
from handlers.slack.buttons import Deed
from handlers.slack.ids import ActionId
from operations.monitoring.alerting import Alerting

_SPAN = timedelta(hours=1)


class AlertButtons:
    """Acknowledge, Silence 1h, Resolve. The card itself answers."""

    def __init__(self, alerting: Alerting) -> None:
        self._alerting = alerting

    def deeds(self) -> dict[ActionId, Deed]:
        """What each button does."""
        return {
            ActionId.ACKNOWLEDGE: self._acknowledge,
            ActionId.SILENCE: self._silence,
            ActionId.RESOLVE: self._resolve,
        }

    async def _acknowledge(self, alert_id: int, asker: Asker) -> None:
        await self._alerting.acknowledge(alert_id, asker.actor)

    async def _silence(self, alert_id: int, asker: Asker) -> None:
        await self._alerting.silence(alert_id, asker.actor, _SPAN)

    async def _resolve(self, alert_id: int, asker: Asker) -> None:
        await self._alerting.resolve(alert_id, asker.actor)
