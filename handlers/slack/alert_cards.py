"""Gathers what an alert's card shows, as it is at this moment, and hands it to the view."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.slack.cards import Cards
from handlers.slack.subjects import Reply, Subject, UnknownSubject
from handlers.slack.views.alerts import AlertCard, draw, ended_reply
from handlers.slack.views.blocks import Message
from operations.clock import Clock
from operations.deployment.rollout import Rollout, parse_rollout_id
from operations.errors import InvalidRequest, UnknownRollout
from operations.monitoring.alert import Alert
from operations.monitoring.alerting import Alerting
from operations.outbox import NoticeKind


class AlertCards:
    """Draws alerts. `addresses` by check's id: what is asked, for those that have an address."""

    def __init__(
        self, alerting: Alerting, cards: Cards, *, addresses: Mapping[str, str], clock: Clock
    ) -> None:
        self._alerting = alerting
        self._cards = cards
        self._addresses = addresses
        self._clock = clock

    def subject(self, alert_id: int) -> Subject:
        """The alert as a subject of messages."""
        return _AlertSubject(self, alert_id)

    async def read(self, alert_id: int) -> Alert:
        """The alert as it is; raises UnknownSubject."""
        try:
            return await self._alerting.show(alert_id)
        except InvalidRequest as exc:
            raise UnknownSubject(exc.message, hint=exc.hint) from exc

    async def draw(self, alert: Alert) -> Message:
        """The alert's card."""
        rollout = await self._rollout(alert)
        can_roll_back = (
            alert.is_open and rollout is not None and await self._cards.can_roll_back(rollout)
        )
        return draw(
            AlertCard(
                alert=alert,
                now=self._clock.now(),
                address=self._addresses.get(alert.check_id, ""),
                rollout=rollout,
                can_roll_back=can_roll_back,
            )
        )

    async def _rollout(self, alert: Alert) -> Rollout | None:
        """What the alert names; None when it names none, or one that is not kept any more."""
        rollout_id = parse_rollout_id(alert.rollout)
        if rollout_id is None:
            return None
        try:
            return await self._cards.read(rollout_id)
        except UnknownRollout:
            return None


class _AlertSubject:
    """Implements `subjects.Subject`."""

    def __init__(self, cards: AlertCards, alert_id: int) -> None:
        self._cards = cards
        self._alert_id = alert_id

    async def revision(self) -> int:
        """The alert's."""
        return (await self._cards.read(self._alert_id)).revision

    async def draw(self) -> Message:
        """Its card."""
        return await self._cards.draw(await self._cards.read(self._alert_id))

    async def reply(self, kind: NoticeKind) -> Reply:
        """How it ended: the only thing that is told in its thread."""
        return Reply(ended_reply(await self._cards.read(self._alert_id)))

    async def overtaken(self) -> str:
        """Alerts do not take each other's place."""
        return ""
