"""An alert by mail: that it fires, that nobody looks after it, that it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from handlers.mail.pages import Code, Command, Page, Part, dots, line
from handlers.mail.wording import Names, called, clock
from handlers.states import alert_circle, alert_words, concerned
from operations.deployment.rollout import Rollout, RolloutKind, RolloutState
from operations.durations import say_duration
from operations.letters import Tone
from operations.monitoring.alert import Alert
from operations.monitoring.grouping import AlertGroup
from operations.outbox import NoticeKind

_LISTED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """All that is shown. `addresses` by check's id are what is asked, `rollout` is what went before."""

    group: AlertGroup
    now: datetime
    addresses: Mapping[str, str] = field(default_factory=dict)
    rollout: Rollout | None = None
    names: Names = field(default_factory=dict)


def draw(shown: AlertPage, kind: NoticeKind) -> Page | None:
    """None when it has ended and this is not its end, or somebody looks after it by now."""
    leader = shown.group.leader
    if leader.is_open:
        if kind is NoticeKind.ESCALATED:
            return None if leader.acknowledged_by else _open(shown, "Not acknowledged: ")
        return _open(shown, "") if kind is NoticeKind.CARD else None
    return _ended(shown) if kind is NoticeKind.ENDED else None


def _open(shown: AlertPage, prefix: str) -> Page:
    group, alert = shown.group, shown.group.leader
    return Page(
        title=f"{prefix}{_where(group)} ({alert.label})",
        headline=f"{alert_circle(group)} {prefix}{_where(group)}",
        tone=Tone.BAD,
        parts=[
            *_what_is_wrong(shown, concerned(group)),
            line(_after_rollout(shown)),
            line(_handling(shown)),
            None
            if alert.acknowledged_by
            else Command("Look after it", f"hms-sys ack {alert.label}"),
            _way_back(shown),
            line(alert.label, small=True),
        ],
    )


def _ended(shown: AlertPage) -> Page:
    group, alert = shown.group, shown.group.leader
    by = f"Resolved by {called(alert.resolved_by, shown.names)}" if alert.resolved_by else ""
    return Page(
        title=f"{_where(group)} ({alert.label})",
        headline=f"{alert_circle(group)} {_where(group)}{_lasted(alert)}",
        tone=Tone.PLAIN if alert.resolved_by else Tone.GOOD,
        parts=[
            line(by),
            *_what_is_wrong(shown, group.alerts),
            line(_after_rollout(shown)),
            line(alert.label, small=True),
        ],
    )


def _where(group: AlertGroup) -> str:
    return f"{alert_words(group)} · {group.leader.target_name}"


def _lasted(alert: Alert) -> str:
    return f" after {say_duration(alert.resolved_at - alert.since)}" if alert.resolved_at else ""


def _what_is_wrong(shown: AlertPage, alerts: Sequence[Alert]) -> list[Part | None]:
    """What each of them asks, since when it fails, and the newest answer."""
    parts: list[Part | None] = []
    for alert in alerts[:_LISTED]:
        named = alert.name if len(shown.group.alerts) > 1 else ""
        asked = _asked(alert.url or shown.addresses.get(alert.check_id, ""))
        parts.append(line(named, asked, _since(alert, shown.now), alert.source))
        parts.append(Code(alert.reason) if alert.reason.strip() else None)
    left = len(alerts) - _LISTED
    return [*parts, line(f"and {left} more")] if left > 0 else parts


def _since(alert: Alert, now: datetime) -> str:
    times = f", seen {alert.seen} times" if alert.seen > 1 else ""
    since = clock(alert.since, now)
    over = alert.resolved_at or alert.well_at
    if over is not None:
        return f"from {since} to {clock(over, now)}{times}"
    return f"since {since} ({say_duration(now - alert.since)}){times}"


def _handling(shown: AlertPage) -> str:
    alert, now = shown.group.leader, shown.now
    acknowledged = silenced = ""
    if alert.acknowledged_by is not None and alert.acknowledged_at is not None:
        at = clock(alert.acknowledged_at, now)
        acknowledged = f"Acknowledged by {called(alert.acknowledged_by, shown.names)} at {at}"
    if alert.silenced_until is not None and now < alert.silenced_until:
        silenced = f"Silenced until {clock(alert.silenced_until, now)}"
    return dots(acknowledged, silenced)


def _after_rollout(shown: AlertPage) -> str:
    """`12 m after D-1042 (1.1.0, alice)`."""
    alert, rollout = shown.group.leader, shown.rollout
    if rollout is None:
        return f"after {alert.rollout}" if alert.rollout else ""
    by = called(rollout.requested_by, shown.names)
    named = f"{rollout.name} ({rollout.release.version}, {by})"
    ended_at = rollout.ended_at
    if ended_at is None or alert.since < ended_at:
        return f"during {named}"
    return f"{say_duration(alert.since - ended_at)} after {named}"


def _way_back(shown: AlertPage) -> Command | None:
    """Of a rollout that went live; whether it serves still, the command looks itself."""
    rollout = shown.rollout
    if rollout is None or rollout.previous is None:
        return None
    if rollout.state is not RolloutState.SUCCEEDED or rollout.kind is RolloutKind.ROLLBACK:
        return None
    where = f"{rollout.project} {rollout.environment}"
    return Command(f"Bring {rollout.previous.version} back", f"hms-sys rollback {where}")


def _asked(address: str) -> str:
    """Host and path; a query may hold a secret."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.hostname or ''}{port}{parts.path if parts.path != '/' else ''}"
