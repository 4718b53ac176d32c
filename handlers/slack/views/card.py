"""What a rollout's card is drawn from, and the words by which every message calls a rollout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from handlers.slack.views.shipments import Shipped
from handlers.states import what as what
from operations.deployment.release import Release
from operations.deployment.rollout import Rollout
from operations.deployment.target import ApprovalRule
from operations.errors import Refused

_DIGEST = re.compile(r"\bsha256:([0-9a-f]{6})[0-9a-f]{58}\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """All that a card shows. `title` is platform and object; `rule` who has to consent, None: nobody.

    `behind` goes first; `held` is what holds a queued rollout back.
    `can_cancel` and `can_roll_back` say whether those buttons would work now.
    """

    rollout: Rollout
    now: datetime
    title: str
    rule: ApprovalRule | None = None
    behind: Rollout | None = None
    held: Refused | None = None
    can_cancel: bool = False
    can_roll_back: bool = False
    shipped: Shipped | None = None


def shorten_digests(text: str) -> str:
    """A platform's reason repeats the whole digest; the thread has it in full."""
    return _DIGEST.sub(r"sha256:\1…", text)


def short_pin(release: Release) -> str:
    """`sha256:9f8e2c…` of a digest, seven characters of a commit."""
    algorithm, colon, digest = release.pin.partition(":")
    return f"{algorithm}:{digest[:6]}…" if colon else release.pin[:7]
