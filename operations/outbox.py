"""What people are told, as rows written in the transaction that caused them.

A notice says what is due, never how it reads: whoever delivers it reads the subject's present state and
draws that. So a card that changed ten times while Slack was down is told once, as it now is.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol

SLACK = "slack"
MAIL = "mail"
"""Routes. One more for each entry of `notify:` in the configuration, `notify:NAME`."""


class NoticeKind(StrEnum):
    """What is to be told of a subject."""

    CARD = "card"  # the one message that moves: posted once, then edited
    ENDED = "ended"  # the reply that names the requester, told once
    EVIDENCE = "evidence"  # events and log tails in the thread, told once
    ERRORS = "errors"  # new errors after a rollout, in its thread: posted once, then edited
    CHART = "chart"  # the picture in a digest's thread, told once; the card shows it from then on
    ESCALATED = "escalated"  # that nobody looks after an alert, told elsewhere, once


class Urgency(IntEnum):
    """Smaller goes first when Slack's limits bind."""

    FINAL = 0
    DECISION = 1
    PROGRESS = 2
    REDRAW = 3  # only that a message shows what became of something it names


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`subject` is a rollout's name (`D-1042`). There is one row per subject, kind and route.

    `route` is the way it goes: `slack`, `mail`, or `notify:NAME`. `channel` is where to on that way.

    Putting it again makes it due again with a higher `version`; the newest urgency holds, but one that
    waits undelivered keeps the more urgent of both. Mere progress does not hurry one that was postponed.
    """

    subject: str
    kind: NoticeKind
    channel: str
    urgency: Urgency
    version: int = 0
    attempts: int = 0
    created_at: datetime | None = None
    route: str = SLACK
    is_failure: bool = False
    """Tells that something went wrong, which may go other ways too. Known when it is put, not kept."""
    uncertain: bool = False
    """An earlier attempt ended without an answer: look whether it was delivered before telling again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedMessage:
    """Where a notice stands in Slack: what an edit or a thread reply needs."""

    channel: str
    ts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """A notice that does not get through: since when it waits, and what the last attempt met."""

    since: datetime
    error: str


class NoticeQueue(Protocol):
    """Claiming notices for delivery. Each call is a transaction of its own."""

    async def claim(
        self, owner: str, now: datetime, until: datetime, *, limit: int, route: str = SLACK
    ) -> Sequence[Notice]:
        """Take due notices of one route, the most urgent and then the oldest first."""
        ...

    async def delivered(self, notice: Notice, posted: PostedMessage | None) -> None:
        """Done, unless a newer version was put meanwhile: then it is due again."""
        ...

    async def postpone(
        self, notice: Notice, until: datetime, error: str, *, uncertain: bool
    ) -> None:
        """Due again at `until`; `error` is kept for people who look."""
        ...

    async def give_back(self, notice: Notice) -> None:
        """Not tried at all: due again at once, no attempt counted."""
        ...

    async def posted(
        self, subject: str, kind: NoticeKind, *, route: str = SLACK
    ) -> PostedMessage | None:
        """Where the subject's message of this kind stands on its route."""
        ...

    async def depth(self) -> int:
        """How many notices are due and not delivered."""
        ...

    async def delay(self, subject: str, kind: NoticeKind) -> Delay | None:
        """What keeps the subject's notice from Slack; None while nothing does."""
        ...

    async def wait(self, seconds: float, *, route: str = SLACK) -> None:
        """Return when a notice of the route may be due, at the latest after `seconds`."""
        ...


class FallBackQueue(Protocol):
    """What becomes of notices whose route is closed. Each call is a transaction of its own."""

    async def fall_back(self, route: str, now: datetime, before: datetime) -> int:
        """Put on `route` what waits for Slack since `before` or longer.

        Only ends and decisions, only while attempts fail, and each version once. What `route` tells
        anyway (`operations.routing`) is not told twice. Returns how many were put.
        """
        ...

    async def retire(self, routes: Collection[str], before: datetime) -> Mapping[str, int]:
        """Give up what waits since `before` on a route that is none of these; returns how many by route."""
        ...
