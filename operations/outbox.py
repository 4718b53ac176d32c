"""What people are told, as rows written in the transaction that caused them.

A notice says what is due, never how it reads: whoever delivers it reads the subject's present state and
draws that. So a card that changed ten times while Slack was down is told once, as it now is.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class NoticeKind(StrEnum):
    """What is to be told of a subject."""

    CARD = "card"  # the one message that moves: posted once, then edited
    ENDED = "ended"  # the reply that names the requester, told once
    EVIDENCE = "evidence"  # events and log tails in the thread, told once


class Urgency(IntEnum):
    """Smaller goes first when Slack's limits bind."""

    FINAL = 0
    DECISION = 1
    PROGRESS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """`subject` is a rollout's name (`D-1042`). There is one row per subject and kind.

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
    uncertain: bool = False
    """An earlier attempt ended without an answer: look whether it was delivered before telling again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedMessage:
    """Where a notice stands in Slack: what an edit or a thread reply needs."""

    channel: str
    ts: str
