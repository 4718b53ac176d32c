"""Gathers what a rollout's card shows, as it is at this moment, and hands it to the view."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from handlers.slack.subjects import Reply, Subject, UnknownSubject
from handlers.slack.views.aftermath import Aftermath, new_errors_reply
from handlers.slack.views.blocks import Message
from handlers.slack.views.card import Card
from handlers.slack.views.rollouts import draw
from handlers.slack.views.shipments import Shipped
from handlers.slack.views.thread import ended_reply, evidence, is_broadcast
from handlers.tickets import Ticket, Tickets
from operations.actor import SYSTEM
from operations.clock import Clock
from operations.deployment.inquiries import Obstacles
from operations.deployment.policy import required_rule
from operations.deployment.ports import Capabilities
from operations.deployment.rollout import (
    WAITING,
    HistoryQuery,
    Rollout,
    RolloutKind,
    RolloutState,
)
from operations.deployment.service import Deployments
from operations.deployment.start_time import is_early
from operations.deployment.target import ApprovalRule, Target
from operations.deployment.voting import say_cancellers
from operations.deployment.way_back import left_undone
from operations.errors import OperationError, UnknownRollout, UnknownTarget
from operations.monitoring.errors.triage import MOST_AFTER, Triage
from operations.outbox import NoticeKind

Shipments = Callable[[Rollout], Awaitable[Shipped | None]]
"""What a rollout would ship; None when nobody can tell."""

_LOG = logging.getLogger("hms.slack.cards")
_RECENT = 50


class Cards:
    """Draws cards. `capabilities` by provider word; `shipments` is optional."""

    def __init__(
        self,
        deployments: Deployments,
        *,
        capabilities: Mapping[str, Capabilities],
        clock: Clock,
        shipments: Shipments | None = None,
        triage: Triage,
        tickets: Tickets,
    ) -> None:
        self._deployments = deployments
        self._capabilities = capabilities
        self._clock = clock
        self._shipments = shipments
        self._triage = triage
        self._tickets = tickets

    async def read(self, rollout_id: int) -> Rollout:
        """The rollout as it is; raises UnknownRollout."""
        return (await self._deployments.inquiries.show(rollout_id)).rollout

    def subject(self, rollout_id: int) -> Subject:
        """The rollout as a subject of messages."""
        return _RolloutSubject(self, rollout_id)

    async def draw(self, rollout: Rollout) -> Message:
        """The rollout's card."""
        target = self.target_of(rollout)
        queue = await self._queue_of(rollout)
        return draw(
            Card(
                rollout=rollout,
                now=self._clock.now(),
                title=self.title_of(rollout),
                rule=self._rule(rollout, target),
                behind=queue.active if queue and not is_early(rollout, self._clock.now()) else None,
                held=queue.held.get(rollout.id) if queue else None,
                can_cancel=self._can_cancel(rollout),
                cancellers=say_cancellers(rollout, target) if target else "",
                can_roll_back=await self.can_roll_back(rollout),
                shipped=await self._shipped(rollout),
                ticket=self.ticket_of(rollout),
            )
        )

    async def draw_new_errors(self, rollout: Rollout) -> Reply:
        """What began to go wrong after it; the channel hears of it while that is what serves."""
        groups = await self._triage.after_rollout(rollout.name)
        if not groups:
            raise UnknownSubject(f"No errors began after {rollout.name}.")
        after = Aftermath(
            rollout=rollout,
            groups=groups,
            now=self._clock.now(),
            can_roll_back=await self.can_roll_back(rollout),
            is_cut=len(groups) >= MOST_AFTER,
        )
        newest = await self.newest_live(rollout)
        is_live = newest is not None and newest.id == rollout.id
        return Reply(new_errors_reply(after), broadcast=is_live)

    async def former_live(self, rollout: Rollout) -> Rollout | None:
        """The rollout that was live before this one took its place."""
        live = await self._live(rollout.project, rollout.environment)
        return next((r for r in live if r.id < rollout.id), None)

    async def newest_live(self, rollout: Rollout) -> Rollout | None:
        """What is live on the rollout's target now."""
        return await self.live_on(rollout.project, rollout.environment)

    async def live_on(self, project: str, environment: str) -> Rollout | None:
        """What is live there now; None also for a target that nobody knows."""
        try:
            return next(iter(await self._live(project, environment)), None)
        except UnknownTarget:
            return None

    async def left_undone(self, rollout: Rollout) -> Rollout | None:
        """What was tried on the rollout's target since and left as it is: then nothing is sure to serve."""
        return left_undone(await self._recent(rollout.project, rollout.environment))

    def target_of(self, rollout: Rollout) -> Target | None:
        """None when it is not configured any more."""
        try:
            return self._deployments.inquiries.catalog.find(rollout.project, rollout.environment)
        except UnknownTarget:
            return None

    def title_of(self, rollout: Rollout) -> str:
        """Platform and object for people."""
        target = self.target_of(rollout)
        return target.spec.title if target else f"{rollout.provider}, not configured any more"

    def ticket_of(self, rollout: Rollout) -> Ticket | None:
        """What a component calls the matter; None without one."""
        return self._tickets.of(rollout)

    @staticmethod
    def _rule(rollout: Rollout, target: Target | None) -> ApprovalRule | None:
        if target is None or rollout.state is not RolloutState.PENDING_APPROVAL:
            return None
        is_rollback = rollout.kind is RolloutKind.ROLLBACK
        return required_rule(target, emergency=rollout.emergency, is_rollback=is_rollback)

    def _can_cancel(self, rollout: Rollout) -> bool:
        if rollout.state in WAITING:
            return True
        capabilities = self._capabilities.get(rollout.provider)
        return capabilities is not None and capabilities.aborts

    async def _queue_of(self, rollout: Rollout) -> Obstacles | None:
        """What a queued rollout waits for; None: it does not, or its target is not known any more."""
        if rollout.state is not RolloutState.QUEUED or self.target_of(rollout) is None:
            return None
        return await self._deployments.inquiries.why(rollout.project, rollout.environment, SYSTEM)

    async def can_roll_back(self, rollout: Rollout) -> bool:
        """Whether it is what serves now, and there is a former release to go back to."""
        if rollout.state is not RolloutState.SUCCEEDED or rollout.kind is RolloutKind.ROLLBACK:
            return False
        if self.target_of(rollout) is None or rollout.previous is None:
            return False
        newest = await self.newest_live(rollout)
        is_newest = newest is not None and newest.id == rollout.id
        return is_newest and await self.left_undone(rollout) is None

    async def _live(self, project: str, environment: str) -> list[Rollout]:
        recent = await self._recent(project, environment)
        return [r for r in recent if r.state is RolloutState.SUCCEEDED]

    async def _recent(self, project: str, environment: str) -> tuple[Rollout, ...]:
        query = HistoryQuery(project=project, environment=environment, limit=_RECENT)
        return (await self._deployments.inquiries.history(query)).rollouts

    async def _shipped(self, rollout: Rollout) -> Shipped | None:
        if self._shipments is None or rollout.state is not RolloutState.PENDING_APPROVAL:
            return None
        try:
            return await self._shipments(rollout)
        except OperationError as exc:
            _LOG.info("cannot tell what %s ships: %s", rollout.name, exc.message)
            return None


class _RolloutSubject:
    """Implements `subjects.Subject`."""

    def __init__(self, cards: Cards, rollout_id: int) -> None:
        self._cards = cards
        self._rollout_id = rollout_id

    async def revision(self) -> int:
        """The rollout's."""
        return (await self._read()).revision

    async def draw(self) -> Message:
        """Its card."""
        return await self._cards.draw(await self._read())

    async def reply(self, kind: NoticeKind) -> Reply:
        """How it ended, the evidence of a failure, or the errors that came after it."""
        rollout = await self._read()
        if kind is NoticeKind.ERRORS:
            return await self._cards.draw_new_errors(rollout)
        if kind is NoticeKind.ENDED:
            told = ended_reply(rollout, self._cards.ticket_of(rollout))
            return Reply(told, broadcast=is_broadcast(rollout))
        return Reply(evidence(rollout))

    async def overtaken(self) -> str:
        """What was live before it went live."""
        rollout = await self._read()
        if rollout.state is not RolloutState.SUCCEEDED:
            return ""
        former = await self._cards.former_live(rollout)
        return former.name if former else ""

    async def _read(self) -> Rollout:
        try:
            return await self._cards.read(self._rollout_id)
        except UnknownRollout as exc:
            raise UnknownSubject(exc.message, hint=exc.hint) from exc
