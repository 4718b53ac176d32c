"""What a rollout's card is drawn from, and the words by which every message calls a rollout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from handlers.slack.views.blocks import cut
from handlers.slack.views.shipments import Shipped
from operations.deployment.release import Release
from operations.deployment.rollout import ACTIVE, Rollout, RolloutKind, RolloutState
from operations.deployment.target import ApprovalRule

_DIGEST = re.compile(r"\bsha256:([0-9a-f]{6})[0-9a-f]{58}\b")
_WORDS = {
    RolloutState.PENDING_APPROVAL: ("🟡", "Waiting for approval"),
    RolloutState.QUEUED: ("🟡", "Queued"),
    RolloutState.RUNNING: ("🔵", "Rolling out"),
    RolloutState.VERIFYING: ("🔵", "Verifying"),
    RolloutState.SUCCEEDED: ("🟢", "Live"),
    RolloutState.REJECTED: ("⚪", "Rejected"),
    RolloutState.EXPIRED: ("⚪", "Expired"),
    RolloutState.CANCELLED: ("⚪", "Cancelled"),
    RolloutState.FAILED: ("🔴", "Failed"),
    RolloutState.ROLLED_BACK: ("🔴", "Failed and rolled back"),
    RolloutState.UNKNOWN: ("🟣", "Cannot tell"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """All that a card shows. `title` is platform and object; `rule` who has to consent, None: nobody.

    `can_cancel` and `can_roll_back` say whether those buttons would work now.
    """

    rollout: Rollout
    now: datetime
    title: str
    rule: ApprovalRule | None = None
    behind: Rollout | None = None
    can_cancel: bool = False
    can_roll_back: bool = False
    shipped: Shipped | None = None


def state_words(rollout: Rollout, behind: Rollout | None = None) -> str:
    """The words beside the circle: `Waiting for approval`."""
    if rollout.state is RolloutState.QUEUED and behind is not None:
        return f"Queued behind {behind.name}"
    if rollout.state is RolloutState.RUNNING and rollout.kind is RolloutKind.ROLLBACK:
        return "Rolling back"
    if rollout.state in ACTIVE and rollout.cancelled_by is not None:
        return "Cancelling"
    return _WORDS[rollout.state][1]


def circle(rollout: Rollout) -> str:
    """The state's colour; never shown without its words."""
    return _WORDS[rollout.state][0]


def what(rollout: Rollout) -> str:
    """`myapp 1.1.0 → prod`."""
    return f"{cut(rollout.project, 60)} {cut(rollout.release.version, 90)} → {cut(rollout.environment, 60)}"


def shorten_digests(text: str) -> str:
    """A platform's reason repeats the whole digest; the thread has it in full."""
    return _DIGEST.sub(r"sha256:\1…", text)


def short_pin(release: Release) -> str:
    """`sha256:9f8e2c…` of a digest, seven characters of a commit."""
    algorithm, colon, digest = release.pin.partition(":")
    return f"{algorithm}:{digest[:6]}…" if colon else release.pin[:7]
