"""The buttons of a rollout's card: only those that would work now."""

from __future__ import annotations

from handlers.slack.ids import ActionId, ButtonValue
from handlers.slack.views.blocks import Block, button, confirmation, cut
from handlers.slack.views.card import Card, what
from operations.deployment.rollout import ACTIVE, WAITING, Rollout, RolloutState

_RETRYABLE = frozenset(
    {
        RolloutState.FAILED,
        RolloutState.ROLLED_BACK,
        RolloutState.CANCELLED,
        RolloutState.EXPIRED,
    }
)


def choices(card: Card) -> list[Block | None]:
    """Of a decided or finished rollout, none that could only be refused."""
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
        return [roll_back(rollout)]
    if rollout.state in _RETRYABLE and not _was_superseded(rollout):
        return [button("Retry", ActionId.RETRY, value)]
    return []


def _cancel(card: Card, value: str) -> Block | None:
    rollout = card.rollout
    if not card.can_cancel or rollout.cancelled_by is not None or rollout.is_returning:
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


def roll_back(rollout: Rollout, *, style: str = "") -> Block:
    """Brings the release back that this rollout took the place of."""
    former = rollout.previous.version if rollout.previous else "the former release"
    return button(
        "Roll back",
        ActionId.ROLL_BACK,
        ButtonValue(rollout.id, rollout.revision).encode(),
        style=style,
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
