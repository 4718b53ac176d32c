"""Delivers notices: posts a subject's card, edits it as the subject moves, and replies in its thread.

What is due comes from the outbox; what it says is read at the last moment. A notice that could not be told
is postponed, never dropped; one that may have been told is looked for in the channel before it is told again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from handlers import delivery
from handlers.delivery import Counter, NotYet, Tempo
from handlers.slack.ids import block_prefix
from handlers.slack.outlet import MessageGone, Outlet, Unreadable
from handlers.slack.pace import Limits, Pace
from handlers.slack.subjects import Illustrated, Reply, Subject, Subjects
from handlers.slack.turns import Turns
from handlers.slack.views.blocks import Message, message, section
from operations.clock import Clock
from operations.errors import (
    OperationError,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.guard import Guard
from operations.outbox import SLACK, Notice, NoticeKind, NoticeQueue, PostedMessage, Urgency

_LOG = logging.getLogger("hms.slack.notices")
_WAITS_FOR_CARD = 3
_MOVING = frozenset({NoticeKind.CARD, NoticeKind.ERRORS, NoticeKind.ESCALATED})
"""What is edited when it is told again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings(Tempo):
    """How fast and how long; `limits` are Slack's own.

    A reply that grows is posted `gather_seconds` after it was first put, so that it does not say one
    where there are soon three.
    """

    limits: Limits = field(default_factory=Limits)
    gather_seconds: float = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What delivering works with."""

    queue: NoticeQueue
    subjects: Subjects
    outlet: Outlet
    clock: Clock
    guard: Guard


class SlackNotices:
    """The delivery worker. `owner` names this process in claims."""

    def __init__(
        self, owner: str, parts: Delivery, settings: DeliverySettings | None = None
    ) -> None:
        settings = settings or DeliverySettings()
        self._queue = parts.queue
        self._subjects = parts.subjects
        self._outlet = parts.outlet
        self._clock = parts.clock
        self._turns = Turns(Pace(settings.limits), self._clock)
        self._gather = timedelta(seconds=settings.gather_seconds)
        counter = Counter(
            owner=owner, route=SLACK, queue=parts.queue, clock=parts.clock, guard=parts.guard
        )
        self._delivery = delivery.Delivery(counter, self._tell, settings, self._told)

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is handed back."""
        await self._delivery.run()

    async def _tell(self, notice: Notice) -> PostedMessage | None:
        """Returns where the message stands when that is news."""
        subject = self._subjects.find(notice.subject)
        if notice.kind is NoticeKind.CHART:
            await self._illustrate(notice, subject)
            return None
        if notice.kind not in _MOVING:
            return await self._tell_thread(notice, await subject.reply(notice.kind))
        try:
            if notice.kind is NoticeKind.ERRORS:
                return await self._tell_growing(notice, subject)
            return await self._tell_card(
                notice, lambda: self._subjects.draw(notice.subject, notice.kind)
            )
        except ProviderUnavailable as exc:
            if exc.retry_after:
                self._turns.block(exc.retry_after)
            raise

    async def _told(self, notice: Notice, posted: PostedMessage | None) -> None:
        if notice.kind is NoticeKind.CARD and posted is not None:
            await self._redraw_overtaken(notice)

    async def _tell_card(
        self, notice: Notice, draw: Callable[[], Awaitable[Message]]
    ) -> PostedMessage:
        """A message of its own in the notice's channel, edited from then on."""
        posted = await self._queue.posted(notice.subject, notice.kind)
        if posted is None and notice.uncertain:
            posted = await self._found(notice)
        if posted is None:
            return await self._post(notice, draw)
        try:
            await self._edit(notice, posted, draw)
        except MessageGone:
            if notice.urgency is Urgency.REDRAW:
                _LOG.info("the %s of %s is gone, as somebody wished", notice.kind, notice.subject)
                return posted
            _LOG.info("the %s of %s is gone: it is posted anew", notice.kind, notice.subject)
            return await self._post(notice, draw)
        return posted

    async def _tell_growing(self, notice: Notice, subject: Subject) -> PostedMessage | None:
        """A reply that moves as the card does; only its first post can be broadcast."""
        posted = await self._queue.posted(notice.subject, notice.kind)
        if posted is None and notice.uncertain:
            posted = await self._found_reply(notice)
        if posted is None:
            self._wait_for_more(notice)
            return await self._tell_thread(notice, await subject.reply(notice.kind))

        async def drawn() -> Message:
            return (await subject.reply(notice.kind)).message

        try:
            await self._edit(notice, posted, drawn)
        except MessageGone:
            _LOG.info("the reply to %s is gone, as somebody wished", notice.subject)
        return posted

    async def _illustrate(self, notice: Notice, subject: Subject) -> None:
        """The subject puts its picture into the thread itself, and has the card drawn again."""
        card = await self._queue.posted(notice.subject, NoticeKind.CARD)
        if card is None:
            raise ProviderUnavailable("It waits until the card has been posted.")
        if isinstance(subject, Illustrated):
            await self._turns.post(notice.channel)
            await subject.illustrate(card)

    def _wait_for_more(self, notice: Notice) -> None:
        now = self._clock.now()
        left = (notice.created_at or now) + self._gather - now
        if left > timedelta(0):
            raise NotYet(left.total_seconds())

    async def _tell_thread(self, notice: Notice, reply: Reply) -> PostedMessage | None:
        told = await self._queue.posted(notice.subject, notice.kind)
        if told is not None:
            return None
        card = await self._queue.posted(notice.subject, NoticeKind.CARD)
        if card is None:
            raise ProviderUnavailable("It waits until the card has been posted.")
        if notice.uncertain and (found := await self._found(notice, card.ts)):
            return found
        drawn = reply.message
        try:
            return await self._post(
                notice, lambda: _ready(drawn), card.ts, broadcast=reply.broadcast
            )
        except MessageGone as exc:
            if notice.attempts < _WAITS_FOR_CARD:
                # Whoever edits the card notices too, and posts it anew.
                raise ProviderUnavailable("It waits until the card has been posted anew.") from exc
            return await self._post(notice, lambda: _ready(drawn))

    async def _post(
        self,
        notice: Notice,
        draw: Callable[[], Awaitable[Message]],
        thread_ts: str = "",
        *,
        broadcast: bool = False,
    ) -> PostedMessage:
        await self._turns.post(notice.channel)
        drawn = await draw()
        try:
            return await self._outlet.post(
                notice.channel, drawn, thread_ts=thread_ts, broadcast=broadcast
            )
        except Unreadable as exc:
            _LOG.error("%s: told without its blocks", exc.message)
            bare = _bare(drawn, notice)
            return await self._outlet.post(
                notice.channel, bare, thread_ts=thread_ts, broadcast=broadcast
            )

    async def _edit(
        self, notice: Notice, posted: PostedMessage, draw: Callable[[], Awaitable[Message]]
    ) -> None:
        """Show what is true by now. Progress gives its turn back instead of waiting for it."""
        await self._turns.edit(f"{notice.subject} {notice.kind}", _urgency(notice))
        drawn = await draw()
        try:
            await self._outlet.edit(posted, drawn)
        except Unreadable as exc:
            _LOG.error("%s: told without its blocks", exc.message)
            await self._outlet.edit(posted, _bare(drawn, notice))

    async def _redraw_overtaken(self, notice: Notice) -> None:
        """What was live before loses its buttons, and what has gone live gets those of its replies."""
        former = await self._subjects.find(notice.subject).overtaken()
        if former:
            await self._redraw(former, NoticeKind.CARD)
            await self._redraw(former, NoticeKind.ERRORS)
        if notice.urgency is Urgency.FINAL:
            await self._redraw(notice.subject, NoticeKind.ERRORS)

    async def _redraw(self, name: str, kind: NoticeKind) -> None:
        """If that fails, the button itself says when pressed that it would not work."""
        posted = await self._queue.posted(name, kind)
        if posted is None:
            return
        try:
            await self._turns.edit(f"{name} {kind}", Urgency.DECISION)
            await self._outlet.edit(posted, await self._subjects.draw(name, kind))
        except NotYet:
            _LOG.info("the %s of %s keeps its button: Slack's limit is reached", kind, name)
        except OperationError as exc:
            _LOG.info("the %s of %s keeps its button: %s", kind, name, exc.message)

    async def _found_reply(self, notice: Notice) -> PostedMessage | None:
        card = await self._queue.posted(notice.subject, NoticeKind.CARD)
        return await self._found(notice, card.ts) if card else None

    async def _found(self, notice: Notice, thread_ts: str = "") -> PostedMessage | None:
        """Our own message, if an earlier attempt did arrive."""
        since = (notice.created_at or self._clock.now()) - timedelta(minutes=2)
        prefix = block_prefix(notice.subject, notice.kind.value)
        try:
            return await self._outlet.find(
                notice.channel, prefix, oldest=since, thread_ts=thread_ts
            )
        except (ProviderUnauthorized, ProviderRejected) as exc:
            _LOG.warning("cannot look for %s in the channel: %s", notice.subject, exc.message)
            return None


def _urgency(notice: Notice) -> Urgency:
    """What was told already and only grows can wait for its turn, however urgent its beginning was."""
    if notice.kind is NoticeKind.ERRORS:
        return max(Urgency.PROGRESS, notice.urgency)
    return notice.urgency


async def _ready(drawn: Message) -> Message:
    return drawn


def _bare(drawn: Message, notice: Notice) -> Message:
    ids = f"{block_prefix(notice.subject, notice.kind.value)}bare"
    return replace(message(drawn.text, [section(drawn.text, block_id=ids)]), text=drawn.text)
