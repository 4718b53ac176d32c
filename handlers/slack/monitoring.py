"""`/hms monitor`, `ack` and `silence`: what people do about checks and alerts by words."""

from __future__ import annotations

from handlers.language import Ack, Monitor, MonitorAction, Silence
from handlers.slack.boundary import Asker
from handlers.slack.views import checks
from handlers.slack.views.blocks import Message
from operations.clock import Clock
from operations.monitoring.alerting import Alerting

MonitoringCommand = Monitor | Ack | Silence


class Monitoring:
    """Carries out what was understood."""

    def __init__(self, alerting: Alerting, clock: Clock) -> None:
        self._alerting = alerting
        self._clock = clock

    async def carry_out(self, command: MonitoringCommand, asker: Asker) -> Message:
        """The answer for the asker; an alert's own message tells everybody else."""
        match command:
            case Monitor():
                return await self._monitor(command, asker)
            case Ack():
                alert = await self._alerting.acknowledge(command.alert_id, asker.actor)
                return checks.acknowledged(alert)
            case Silence():
                alert = await self._alerting.silence(command.alert_id, asker.actor, command.span)
                return checks.silenced(alert, self._clock.now())

    async def _monitor(self, command: Monitor, asker: Asker) -> Message:
        place = (command.project, command.environment)
        match command.action:
            case MonitorAction.LIST:
                return checks.standings(await self._alerting.report(*place), self._clock.now())
            case MonitorAction.STOP:
                return checks.stopped(await self._alerting.stop(asker.actor, *place))
            case MonitorAction.START:
                return checks.started(await self._alerting.start(asker.actor, *place))
