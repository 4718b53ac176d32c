"""A rollout's one message that moves: a card for each state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from handlers.slack.ids import ActionId, ButtonValue, block_prefix
from handlers.slack.views.blocks import (
    Block,
    Message,
    actions,
    bold,
    button,
    called,
    clock,
    code,
    confirmation,
    context,
    cut,
    dots,
    fence,
    message,
    one_line,
    people,
    person,
    said,
    section,
)
from handlers.slack.views.shipments import Shipped, shipment
from handlers.slack.views.steps import counted, step_lines
from operations.deployment.release import Release
from operations.deployment.rollout import (
    ACTIVE,
    WAITING,
    Rollout,
    RolloutKind,
    RolloutState,
)
from operations.deployment.target import ApprovalRule
from operations.durations import say_duration
from operations.outbox import NoticeKind

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
_RETRYABLE = frozenset(
    {
        RolloutState.FAILED,
        RolloutState.ROLLED_BACK,
        RolloutState.CANCELLED,
        RolloutState.EXPIRED,
    }
)


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


def draw(card: Card) -> Message:
    """The card as it is now."""
    rollout = card.rollout
    ids = f"{block_prefix(rollout.name, NoticeKind.CARD.value)}{rollout.revision}"
    return message(
        summary(card),
        [
            section(f"{_headline(card)}\n{_origin(card)}", block_id=f"{ids}.head"),
            section(*_warnings(rollout), block_id=f"{ids}.warnings"),
            section(*_body(card), block_id=f"{ids}.body"),
            context(*_footer(card), block_id=f"{ids}.foot"),
            actions(*_buttons(card), block_id=f"{ids}.buttons"),
        ],
    )


def summary(card: Card) -> str:
    """One sentence for notifications and screen readers; it mentions nobody."""
    rollout = card.rollout
    by = called(rollout.requested_by)
    state = state_words(rollout, card.behind)
    sentence = f"{state}: {one_line(what(rollout), 120)}, asked by {by}, {rollout.name}"
    if rollout.failure is not None:
        sentence += f": {one_line(rollout.failure.summary, 80)}"
    return sentence


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


def short_pin(release: Release) -> str:
    """`sha256:9f8e2c…` of a digest, seven characters of a commit."""
    algorithm, colon, digest = release.pin.partition(":")
    return f"{algorithm}:{digest[:6]}…" if colon else release.pin[:7]


def _headline(card: Card) -> str:
    rollout = card.rollout
    words = bold(f"{state_words(rollout, card.behind)}: {what(rollout)}")
    return f"{circle(rollout)} {words}{_span(rollout)}"


def _span(rollout: Rollout) -> str:
    if rollout.took is None:
        return ""
    word = "in" if rollout.state is RolloutState.SUCCEEDED else "after"
    return f" {word} {say_duration(rollout.took)}"


def _origin(card: Card) -> str:
    rollout = card.rollout
    who = person(rollout.requested_by)
    reason = f": “{one_line(rollout.reason, 200)}”" if rollout.reason else ""
    return dots(_from(rollout), one_line(card.title, 120), f"{who}{reason}")


def _from(rollout: Rollout) -> str:
    if rollout.previous is None:
        return "first release" if rollout.state in WAITING | ACTIVE else ""
    version = code(rollout.previous.version, 90)
    if rollout.state in WAITING:
        return f"Now running {version}"
    if rollout.state is RolloutState.ROLLED_BACK:
        return f"{version} is serving again"
    return f"from {version}"


def _warnings(rollout: Rollout) -> list[str]:
    lines = [f"⚠️ {said(warning, 300)}" for warning in rollout.warnings[:5]]
    if rollout.emergency:
        lines.insert(
            0, "🚨 *Emergency*: passes windows and locks; somebody must review it afterwards"
        )
    if rollout.state in WAITING and not rollout.release.is_pinned:
        lines.append("⚠️ mutable tag: can change under its name")
    return lines


def _body(card: Card) -> list[str]:
    rollout = card.rollout
    if rollout.state is RolloutState.PENDING_APPROVAL:
        return shipment(card.shipped) if card.shipped else []
    if rollout.state in ACTIVE:
        return step_lines(rollout, card.now)
    if rollout.failure is not None:
        return _why(rollout)
    if rollout.state in {RolloutState.SUCCEEDED, RolloutState.QUEUED}:
        return []
    return [said(rollout.outcome)] if rollout.outcome else []


def _why(rollout: Rollout) -> list[str]:
    failure = rollout.failure
    if failure is None:
        return []
    reason = failure.reason.strip()
    if not reason:
        told = ""
    elif "\n" in reason or len(reason) > 400:
        told = fence(reason, 1800)
    else:
        told = code(reason, 400)
    return [dots("*Why*", one_line(failure.summary, 300)), told]


def _footer(card: Card) -> list[str]:
    rollout = card.rollout
    if rollout.state in WAITING:
        return _waiting_footer(card)
    if rollout.state in ACTIVE:
        started = f"started {clock(rollout.started_at, card.now)}" if rollout.started_at else ""
        return [rollout.name, started, _stopping(rollout)]
    return [*_end_footer(rollout), rollout.name]


def _waiting_footer(card: Card) -> list[str]:
    rollout = card.rollout
    expires = (
        f"expires {clock(rollout.expires_at, card.now)}"
        if rollout.expires_at and rollout.state is RolloutState.PENDING_APPROVAL
        else ""
    )
    pin = f"pinned to {code(short_pin(rollout.release), 60)}" if rollout.release.is_pinned else ""
    return [_votes(card), pin, expires, rollout.name]


def _votes(card: Card) -> str:
    rollout = card.rollout
    given = ", ".join(
        f"✅ {person(vote.actor)} approved {clock(vote.at, card.now)}"
        for vote in rollout.approvals[:6]
    )
    missing = rollout.votes_required - len(rollout.approvals)
    if rollout.state is not RolloutState.PENDING_APPROVAL or missing <= 0:
        return given
    voters = people(card.rule.voters) if card.rule and card.rule.voters else "anyone who may deploy"
    if given:
        more = "one more" if missing == 1 else f"{missing} more"
        return (
            f"{given} · {len(rollout.approvals)} of {rollout.votes_required}, {more} from {voters}"
        )
    return f"needs {missing} {'vote' if missing == 1 else 'votes'} from {voters}"


def _stopping(rollout: Rollout) -> str:
    return f"{person(rollout.cancelled_by)} asked to stop it" if rollout.cancelled_by else ""


def _end_footer(rollout: Rollout) -> list[str]:
    if rollout.state is RolloutState.SUCCEEDED:
        return _success_footer(rollout)
    shown_above = rollout.failure is None or rollout.outcome == _serving_again(rollout)
    told = "" if shown_above else said(rollout.outcome).rstrip(".")
    thread = "events and logs in thread" if rollout.failure and rollout.failure.evidence else ""
    return [told, thread]


def _serving_again(rollout: Rollout) -> str:
    """What `operations.deployment.endings` says of a way back that worked; our second line says it too."""
    return f"{rollout.previous.version} is serving again." if rollout.previous else ""


def _success_footer(rollout: Rollout) -> list[str]:
    pin = code(short_pin(rollout.release), 60) if rollout.release.is_pinned else ""
    told = said(rollout.outcome) if rollout.outcome else counted(rollout.steps)
    first = " on ".join(part for part in (told.rstrip("."), pin) if part)
    approvers = ", ".join(person(vote.actor) for vote in rollout.approvals[:6])
    return [f"✅ {first}" if first else "", f"approved by {approvers}" if approvers else ""]


def _buttons(card: Card) -> list[Block | None]:
    rollout = card.rollout
    value = ButtonValue(rollout.id, rollout.revision).encode()
    if rollout.state is RolloutState.PENDING_APPROVAL:
        return [
            button("Approve", ActionId.APPROVE, value, style="primary"),
            button("Reject", ActionId.REJECT, value, style="danger"),
        ]
    if rollout.state in WAITING | ACTIVE:
        return [_cancel(card, value)]
    if card.can_roll_back and rollout.state is RolloutState.SUCCEEDED:
        return [_roll_back(rollout, value)]
    if rollout.state in _RETRYABLE and not _was_superseded(rollout):
        return [button("Retry", ActionId.RETRY, value)]
    return []


def _cancel(card: Card, value: str) -> Block | None:
    if not card.can_cancel or card.rollout.cancelled_by is not None:
        return None
    if card.rollout.state in WAITING:
        return button("Cancel", ActionId.CANCEL, value)
    return button(
        "Cancel",
        ActionId.CANCEL,
        value,
        style="danger",
        confirm=confirmation(
            "Stop this rollout?",
            f"{what(card.rollout)} is stopped midway and the former release is brought back "
            "where the target says so.",
            "Stop it",
        ),
    )


def _roll_back(rollout: Rollout, value: str) -> Block:
    former = rollout.previous.version if rollout.previous else "the former release"
    return button(
        "Roll back",
        ActionId.ROLL_BACK,
        value,
        confirm=confirmation(
            f"Roll back {cut(rollout.project, 40)}?",
            f"{cut(former, 80)} takes the place of {cut(rollout.release.version, 80)} "
            f"on {cut(rollout.environment, 40)} at once, without a vote.",
            "Roll back",
        ),
    )


def _was_superseded(rollout: Rollout) -> bool:
    """A newer request took its place, so asking for this one again is not what anybody wants next."""
    return rollout.state is RolloutState.CANCELLED and rollout.cancelled_by is None
