"""Delivers notices: posts a subject's card, edits it as the subject moves, and replies in its thread.

What is due comes from the outbox; what it says is read at the last moment. A notice that could not be told
is postponed, never dropped; one that may have been told is looked for in the channel before it is told again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from handlers.slack.ids import block_prefix
from handlers.slack.outlet import MessageGone, Outlet, Unreadable
from handlers.slack.pace import Limits, Pace
from handlers.slack.subjects import Subject, Subjects, UnknownSubject
from handlers.slack.turns import NotYet, Turns
from handlers.slack.views.blocks import Message, message, section
from operations.clock import Clock
from operations.errors import (
    OperationError,
    OutcomeUnknown,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
    StorageError,
)
from operations.guard import Guard
from operations.outbox import Notice, NoticeKind, NoticeQueue, PostedMessage, Urgency

_LOG = logging.getLogger("hms.slack.notices")
_WAITS_FOR_CARD = 3
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliverySettings:
    """`at_once` notices are delivered together. A claim lasts `claim_seconds`; nothing waits that long.

    A refused notice is tried again after `refused_seconds`, and from the `patience`-th try on hourly.
    """

    at_once: int = 16
    idle_seconds: float = 5.0
    claim_seconds: float = 30.0
    first_pause_seconds: float = 1.0
    longest_pause_seconds: float = 60.0
    refused_seconds: float = 60.0
    patience: int = 10
    limits: Limits = field(default_factory=Limits)


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
        self, owner: str, delivery: Delivery, settings: DeliverySettings | None = None
    ) -> None:
        self._owner = owner
        self._queue = delivery.queue
        self._subjects = delivery.subjects
        self._outlet = delivery.outlet
        self._clock = delivery.clock
        self._guard = delivery.guard
        self._settings = settings or DeliverySettings()
        self._turns = Turns(Pace(self._settings.limits), self._clock)
        self._slots = asyncio.Semaphore(self._settings.at_once)

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is handed back."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._slots.acquire()
                notice = await self._next()
                group.create_task(
                    self._deliver(notice), name=f"notice {notice.subject} {notice.kind}"
                )

    async def _next(self) -> Notice:
        while True:
            now = self._clock.now()
            until = now + timedelta(seconds=self._settings.claim_seconds)
            try:
                claimed = await self._queue.claim(self._owner, now, until, limit=1)
                if claimed:
                    return claimed[0]
                await self._queue.wait(self._settings.idle_seconds)
            except StorageError as exc:
                _LOG.warning("cannot look for notices: %s", exc.message)
                await self._clock.sleep(self._settings.idle_seconds)

    async def _deliver(self, notice: Notice) -> None:
        name = f"{notice.subject} {notice.kind}"
        try:
            reference = await self._guard(name, lambda: self._settle(notice))
            if reference:
                bug = ProviderRejected(f"An error inside HMS-SYS ({reference}).")
                await self._guard(name, lambda: self._postpone(notice, bug))
        finally:
            self._slots.release()

    async def _settle(self, notice: Notice) -> None:
        try:
            await self._settle_stored(notice)
        except StorageError as exc:
            # The claim runs out by itself, and the next one to claim it is told that it is uncertain.
            _LOG.warning("%s waits for the database: %s", notice.subject, exc.message)

    async def _settle_stored(self, notice: Notice) -> None:
        try:
            posted = await self._tell(notice)
        except asyncio.CancelledError:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._queue.postpone(notice, self._clock.now(), "stopped", uncertain=True)
            raise
        except NotYet as turn:
            until = self._clock.now() + timedelta(seconds=turn.seconds)
            await self._insist(lambda: self._queue.postpone(notice, until, "", uncertain=False))
            return
        except UnknownSubject:
            _LOG.warning("%s is not known any more: its %s is dropped", notice.subject, notice.kind)
            posted = None
        except OperationError as exc:
            await self._postpone(notice, exc)
            return
        await self._insist(lambda: self._queue.delivered(notice, posted))
        if notice.kind is NoticeKind.CARD and posted is not None:
            await self._retire_overtaken(self._subjects.find(notice.subject))

    async def _tell(self, notice: Notice) -> PostedMessage | None:
        """Returns where the message stands when that is news."""
        subject = self._subjects.find(notice.subject)
        if notice.kind is NoticeKind.CARD:
            return await self._tell_card(notice, subject)
        return await self._tell_thread(notice, subject)

    async def _tell_card(self, notice: Notice, subject: Subject) -> PostedMessage:
        posted = await self._queue.posted(notice.subject, NoticeKind.CARD)
        if posted is None and notice.uncertain:
            posted = await self._found(notice)
        if posted is None:
            return await self._post(notice, subject.draw)
        try:
            await self._edit(notice, posted, subject)
        except MessageGone:
            _LOG.info("the card of %s is gone: it is posted anew", notice.subject)
            return await self._post(notice, subject.draw)
        return posted

    async def _tell_thread(self, notice: Notice, subject: Subject) -> PostedMessage | None:
        reply = await subject.reply(notice.kind)
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

    async def _edit(self, notice: Notice, posted: PostedMessage, subject: Subject) -> None:
        """Show what is true by now. Progress gives its turn back instead of waiting for it."""
        await self._turns.edit(notice.subject, notice.urgency)
        drawn = await subject.draw()
        try:
            await self._outlet.edit(posted, drawn)
        except Unreadable as exc:
            _LOG.error("%s: told without its blocks", exc.message)
            await self._outlet.edit(posted, _bare(drawn, notice))

    async def _retire_overtaken(self, subject: Subject) -> None:
        """What was live before loses its button; if that fails, the button itself says so when pressed."""
        former = await subject.overtaken()
        posted = await self._queue.posted(former, NoticeKind.CARD) if former else None
        if posted is None:
            return
        try:
            await self._turns.edit(former, Urgency.DECISION)
            await self._outlet.edit(posted, await self._subjects.find(former).draw())
        except NotYet:
            _LOG.info("the card of %s keeps its button: Slack's limit is reached", former)
        except OperationError as exc:
            _LOG.info("the card of %s keeps its button: %s", former, exc.message)

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

    async def _postpone(self, notice: Notice, exc: OperationError) -> None:
        pause = self._pause_after(notice, exc)
        if (
            isinstance(exc, ProviderUnavailable)
            and exc.retry_after
            and notice.kind is NoticeKind.CARD
        ):
            self._turns.block(exc.retry_after)
        lost = isinstance(exc, OutcomeUnknown)
        level = logging.ERROR if _is_lasting(exc) else logging.INFO
        _LOG.log(level, "%s %s waits %.0f s: %s", notice.subject, notice.kind, pause, exc.message)
        until = self._clock.now() + timedelta(seconds=pause)
        error = f"{exc.message} {exc.hint}".strip()
        await self._insist(lambda: self._queue.postpone(notice, until, error, uncertain=lost))

    def _pause_after(self, notice: Notice, exc: OperationError) -> float:
        settings = self._settings
        if _is_lasting(exc):
            return settings.refused_seconds if notice.attempts < settings.patience else 3600.0
        if isinstance(exc, ProviderUnavailable) and exc.retry_after:
            return exc.retry_after
        doubled = settings.first_pause_seconds * 2.0 ** min(notice.attempts, 16)
        return min(settings.longest_pause_seconds, doubled)

    async def _insist(self, store: Callable[[], Awaitable[None]]) -> None:
        """Slack has been told; losing that would tell it twice, so a busy database is asked again.

        Stopped in the midst, it is stored once more: both stores may be repeated, and a claim that nobody
        settled would hold the notice back until it runs out.
        """
        try:
            for _ in range(4):
                try:
                    await store()
                except StorageError:
                    await self._clock.sleep(self._settings.first_pause_seconds)
                else:
                    return
            await store()
        except asyncio.CancelledError:
            async with asyncio.timeout(_STOP_SECONDS):
                await store()
            raise


def _is_lasting(exc: OperationError) -> bool:
    return isinstance(exc, ProviderRejected | ProviderUnauthorized)


async def _ready(drawn: Message) -> Message:
    return drawn


def _bare(drawn: Message, notice: Notice) -> Message:
    ids = f"{block_prefix(notice.subject, notice.kind.value)}bare"
    return replace(message(drawn.text, [section(drawn.text, block_id=ids)]), text=drawn.text)
