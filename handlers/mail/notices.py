"""Delivers notices of one route as letters: each is drawn as the matter stands by then, and sent once.

SMTP and most of the other ways cannot be asked whether a message arrived, so one whose answer was lost is
sent again, with the same id. What was put many times while the way was closed is one letter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from handlers.delivery import Counter, Delivery, NotYet, Tempo
from handlers.mail.pages import Line, Page
from handlers.mail.rendering import render_html, render_text, render_title
from handlers.mail.subjects import Kinds, draw, earlier_of, subject_of
from handlers.mail.wording import clock
from operations.letters import Courier, Letter
from operations.outbox import Delay, Notice, NoticeKind, PostedMessage

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
SLOW = Tempo(at_once=2, claim_seconds=90.0, longest_pause_seconds=300.0)
"""Mail servers take their time, and do not like to be called by many at once."""
_WORTH_TELLING = timedelta(minutes=1)
_GATHER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Way:
    """Who draws and who carries."""

    kinds: Kinds
    courier: Courier


class LetterNotices:
    """The delivery worker of one route."""

    def __init__(self, counter: Counter, way: Way, tempo: Tempo = SLOW) -> None:
        self._queue = counter.queue
        self._clock = counter.clock
        self._route = counter.route
        self._way = way
        self._delivery = Delivery(counter, self._tell, tempo)

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then is handed back."""
        await self._delivery.run()

    async def _tell(self, notice: Notice) -> PostedMessage | None:
        page = await draw(self._way.kinds, notice.subject, notice.kind)
        if page is None or await self._is_told_by_another(notice):
            return None
        delay = await self._queue.delay(notice.subject, notice.kind)
        if not _is_late(delay, self._clock.now()):
            await self._wait_for_more(notice)
        root = await self._root(notice)
        letter = self._letter(notice, _with_delay(page, delay, self._clock.now()), root)
        await self._way.courier.send(letter)
        # What came first stays the one that the others answer.
        own = await self._queue.posted(notice.subject, notice.kind, route=self._route)
        return own or PostedMessage(channel=self._route, ts=letter.id)

    async def _wait_for_more(self, notice: Notice) -> None:
        """What is added to a card that was sent already: several that join one by one are one letter."""
        sent = await self._queue.posted(notice.subject, notice.kind, route=self._route)
        if sent is None or notice.kind is not NoticeKind.CARD:
            return
        now = self._clock.now()
        left = (notice.created_at or now) + _GATHER - now
        if left > timedelta(0):
            raise NotYet(left.total_seconds())

    async def _root(self, notice: Notice) -> str:
        """The first letter about the matter; "" when this is it."""
        subject = subject_of(notice.subject)
        for kind in (NoticeKind.CARD, notice.kind):
            posted = await self._queue.posted(subject, kind, route=self._route)
            if posted is not None:
                return posted.ts
        return ""

    async def _is_told_by_another(self, notice: Notice) -> bool:
        """What Slack should have told several people one by one is one letter, not one for each of them."""
        for name in earlier_of(notice.subject):
            if await self._queue.delay(name, notice.kind) is not None:
                return True
        return False

    def _letter(self, notice: Notice, page: Page, root: str) -> Letter:
        return Letter(
            id=letter_id(notice),
            thread=root,
            title=render_title(page),
            text=render_text(page),
            html=render_html(page),
            tone=page.tone,
            at=self._clock.now(),
            pictures=page.pictures,
        )


def letter_id(notice: Notice) -> str:
    """The same for every attempt at one version; no other database's, even when it counts from 1 again."""
    made = notice.created_at
    stamp = _in_base_36(int(made.timestamp() * 1_000_000)) if made else "0"
    return f"{notice.subject.replace('/', '-')}.{notice.kind.value}.{notice.version}.{stamp}"


def _with_delay(page: Page, delay: Delay | None, now: datetime) -> Page:
    """Says so when Slack has not taken it, lest anybody look for it there."""
    if delay is None or not _is_late(delay, now):
        return page
    why = f" ({delay.error.strip().rstrip('.')})" if delay.error.strip() else ""
    told = (
        f"Slack cannot be reached: it has not taken this since {clock(delay.since, now)}{why}. "
        "It is told there too when that works again."
    )
    return replace(page, parts=[*page.parts, Line(told, small=True)])


def _is_late(delay: Delay | None, now: datetime) -> bool:
    """Whether Slack has not taken it for a while."""
    return delay is not None and now - delay.since >= _WORTH_TELLING


def _in_base_36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"
