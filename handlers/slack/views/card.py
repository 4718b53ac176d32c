"""What a rollout's card is drawn from, and the words by which every message calls a rollout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from handlers.slack.views.blocks import code, link, person
from handlers.slack.views.shipments import Shipped
from handlers.states import what as what
from handlers.tickets import Ticket
from operations.actor import ActorKind
from operations.deployment.release import Release
from operations.deployment.rollout import WAITING, Rollout
from operations.deployment.target import ApprovalRule
from operations.errors import Refused

_DIGEST = re.compile(r"\bsha256:([0-9a-f]{6})[0-9a-f]{58}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """All that a card shows. `title` is platform and object; `rule` who has to consent, None: nobody.

    `behind` goes first; `held` is what holds a queued rollout back.
    `can_cancel` and `can_roll_back` say whether those buttons would work now; `cancellers` are who may
    cancel it, as mentions.
    """

    rollout: Rollout
    now: datetime
    title: str
    rule: ApprovalRule | None = None
    behind: Rollout | None = None
    held: Refused | None = None
    can_cancel: bool = False
    cancellers: str = ""
    can_roll_back: bool = False
    shipped: Shipped | None = None
    ticket: Ticket | None = None


def shorten_digests(text: str) -> str:
    """A platform's reason repeats the whole digest; the thread has it in full."""
    return _DIGEST.sub(r"sha256:\1…", text)


def short_pin(release: Release) -> str:
    """`sha256:9f8e2c…` of a digest, seven characters of a commit."""
    algorithm, colon, digest = release.pin.partition(":")
    return f"{algorithm}:{digest[:6]}…" if colon else release.pin[:7]


def asker(rollout: Rollout, ticket: Ticket | None) -> str:
    """A mention, or `hms-dev asks for HMS-7`: a bare name would not say what it has to do with this."""
    who = person(rollout.requested_by)
    if rollout.requested_by.kind is ActorKind.COMPONENT:
        who += " asks" if rollout.state in WAITING else " asked"
    return f"{who} for {ticket_link(ticket)}" if ticket else who


def ticket_link(ticket: Ticket) -> str:
    """A link where its place is known; else code, which Slack makes no link of by itself."""
    return link(ticket.url, ticket.id, 80) if ticket.url else code(ticket.id, 80)
