"""The words and the colour for how a rollout or an alert stands, for Slack and mail alike.

Colour is never alone: the word stands beside the circle. Plain text: whoever shows it escapes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from operations.deployment.rollout import ACTIVE, Rollout, RolloutKind, RolloutState
from operations.deployment.start_time import is_scheduled
from operations.monitoring.alert import Alert
from operations.monitoring.grouping import AlertGroup

_NAMED = 3
WENT_LIVE = "Went live"
"""Of a success whose target serves another one now."""
_WAYS = {RolloutKind.ROLLBACK: "rollback", RolloutKind.IMPORT: "imported"}
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
    if is_scheduled(rollout):
        return "Scheduled"
    if rollout.state is RolloutState.RUNNING and rollout.kind is RolloutKind.ROLLBACK:
        return "Rolling back"
    if rollout.state in ACTIVE and rollout.cancelled_by is not None:
        return "Cancelling"
    if _is_failing(rollout):
        return "Failed, rolling back"
    return _ROLLOUTS[rollout.state][1]


def past_words(rollout: Rollout, *, serves: bool) -> str:
    """As `rollout_words`, where what went live once need not be what serves now."""
    is_former = rollout.state is RolloutState.SUCCEEDED and not serves
    return WENT_LIVE if is_former else rollout_words(rollout)


def way_words(rollout: Rollout) -> str:
    """`rollback`, `imported`; "" for an ordinary one, and where `Rolling back` says it."""
    return "" if rollout.state is RolloutState.RUNNING else _WAYS.get(rollout.kind, "")


def state_words(state: RolloutState) -> str:
    """The words of a state alone."""
    return _ROLLOUTS[state][1]


def unreviewed_words(rollouts: Sequence[Rollout]) -> str:
    """That emergencies are to be reviewed, and how they are listed; "" when there is none."""
    count = len(rollouts)
    if not count:
        return ""
    told = "1 emergency is" if count == 1 else f"{count} emergencies are"
    return f"{told} to be reviewed: `history --unreviewed`"


def rollout_circle(rollout: Rollout) -> str:
    """The state's colour."""
    return _ROLLOUTS[RolloutState.FAILED if _is_failing(rollout) else rollout.state][0]


def _is_failing(rollout: Rollout) -> bool:
    """Whether it has failed and the former release is on its way back."""
    is_wanted = rollout.cancelled_by is not None
    return rollout.state in ACTIVE and rollout.is_returning and not is_wanted


def alert_words(group: AlertGroup) -> str:
    """`Failing: web, errors`; what a person called resolved need not be well."""
    return f"{alert_state(group)}: {alert_names(concerned(group), 120)}"


def alert_circle(group: AlertGroup) -> str:
    """The colour that goes with the words."""
    if group.leader.is_open:
        return "🟣" if _is_unasked(group) else "🔴"
    return "⚪" if group.leader.resolved_by else "🟢"


def concerned(group: AlertGroup) -> Sequence[Alert]:
    """Those that are not well; all of them when it is over."""
    return group.failing or group.alerts


def troubles_at(project: str, environment: str, groups: Iterable[AlertGroup]) -> list[AlertGroup]:
    """Those of a target, by its name in any case."""
    place = (project.lower(), environment.lower())
    return [g for g in groups if (g.leader.project.lower(), g.leader.environment.lower()) == place]


def alert_names(alerts: Sequence[Alert], limit: int) -> str:
    """`web, errors and 3 more`."""
    shown = [" ".join(alert.name.split())[: limit // _NAMED] for alert in alerts[:_NAMED]]
    hidden = len(alerts) - len(shown)
    return ", ".join(shown) + (f" and {hidden} more" if hidden else "")


def what(rollout: Rollout) -> str:
    """`myapp 1.1.0 → prod`."""
    parts = (rollout.project, 60), (rollout.release.version, 90), (rollout.environment, 60)
    project, version, environment = (
        text if len(text) <= limit else text[: limit - 1] + "…" for text, limit in parts
    )
    return f"{project} {version} → {environment}"


def alert_state(group: AlertGroup) -> str:
    """`Failing`, `Flapping`, `Cannot be asked`, or how it ended."""
    if not group.leader.is_open:
        if group.leader.resolved_by:
            return "Resolved"
        return "Answers again" if _is_unasked(group) else "Well again"
    if _is_unasked(group):
        return "Cannot be asked"
    is_flapping = all(alert.is_flapping for alert in concerned(group))
    return "Flapping" if is_flapping else "Failing"


def _is_unasked(group: AlertGroup) -> bool:
    return all(alert.is_unasked for alert in concerned(group))
