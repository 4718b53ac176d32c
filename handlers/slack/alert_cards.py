"""Gathers what an alert's card shows, as it is at this moment, and hands it to the view."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.slack.cards import Cards
from handlers.slack.subjects import Reply, Subject, UnknownSubject
from handlers.slack.views.alerts import AlertCard, draw, ended_reply
from handlers.slack.views.blocks import Message
from handlers.slack.views.escalations import escalation
from operations.clock import Clock
from operations.deployment.rollout import Rollout, parse_rollout_id
from operations.errors import InvalidRequest, UnknownRollout
from operations.monitoring.alerting import Alerting
from operations.monitoring.grouping import AlertGroup
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

    async def read(self, alert_id: int) -> AlertGroup:
        """The alert as it is, with what is told together with it; raises UnknownSubject."""
        try:
            return await self._alerting.group(alert_id)
        except InvalidRequest as exc:
            raise UnknownSubject(exc.message, hint=exc.hint) from exc

    async def draw(self, group: AlertGroup) -> Message:
        """The alert's card."""
        rollout = await self._rollout(group.rollout)
        can_roll_back = (
            group.leader.is_open
            and rollout is not None
            and await self._cards.can_roll_back(rollout)
        )
        return draw(
            AlertCard(
                group=group,
                now=self._clock.now(),
                addresses=self._addresses,
                rollout=rollout,
                can_roll_back=can_roll_back,
            )
        )

    def reply(self, group: AlertGroup, kind: NoticeKind) -> Reply:
        """What is told beside the card: elsewhere that nobody looks after it, in the thread how it ended."""
        if kind is NoticeKind.ESCALATED:
            return Reply(escalation(group, self._clock.now()))
        return Reply(ended_reply(group))

    async def _rollout(self, name: str) -> Rollout | None:
        """None when there is none of this name, or it is not kept any more."""
        rollout_id = parse_rollout_id(name)
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
        """The group's."""
        return (await self._cards.read(self._alert_id)).revision

    async def draw(self) -> Message:
        """Its card."""
        return await self._cards.draw(await self._cards.read(self._alert_id))

    async def reply(self, kind: NoticeKind) -> Reply:
        """How it ended is all that is told in its thread."""
        return self._cards.reply(await self._cards.read(self._alert_id), kind)

    async def overtaken(self) -> str:
        """Alerts do not take each other's place."""
        return ""
