"""The words and the colour for how a rollout or an alert stands, for Slack and mail alike.

Colour is never alone: the word stands beside the circle.
"""

from __future__ import annotations

from operations.deployment.rollout import ACTIVE, Rollout, RolloutKind, RolloutState
from operations.monitoring.alert import Alert

_ROLLOUTS = {
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


def rollout_words(rollout: Rollout, behind: Rollout | None = None) -> str:
    """The words beside the circle: `Waiting for approval`."""
    if rollout.state is RolloutState.QUEUED and behind is not None:
        return f"Queued behind {behind.name}"
    if rollout.state is RolloutState.RUNNING and rollout.kind is RolloutKind.ROLLBACK:
        return "Rolling back"
    if rollout.state in ACTIVE and rollout.cancelled_by is not None:
        return "Cancelling"
    return _ROLLOUTS[rollout.state][1]


def rollout_circle(rollout: Rollout) -> str:
    """The state's colour."""
    return _ROLLOUTS[rollout.state][0]


def alert_words(alert: Alert) -> str:
    """`Failing`, or how it ended."""
    if alert.is_open:
        return "Flapping" if alert.is_flapping else "Failing"
    return "Resolved" if alert.resolved_by else "Well again"


def alert_circle(alert: Alert) -> str:
    """What a person called resolved need not be well."""
    if alert.is_open:
        return "🔴"
    return "⚪" if alert.resolved_by else "🟢"


def what(rollout: Rollout) -> str:
    """`myapp 1.1.0 → prod`."""
    parts = (rollout.project, 60), (rollout.release.version, 90), (rollout.environment, 60)
    project, version, environment = (
        text if len(text) <= limit else text[: limit - 1] + "…" for text, limit in parts
    )
    return f"{project} {version} → {environment}"
