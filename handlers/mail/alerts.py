"""An alert by mail: that it fires, that nobody looks after it, that it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from handlers.mail.pages import Code, Command, Page, Part, dots, line
from handlers.mail.wording import Names, called, clock
from handlers.states import alert_circle, alert_words
from operations.deployment.rollout import Rollout
from operations.durations import say_duration
from operations.letters import Tone
from operations.monitoring.alert import Alert
from operations.monitoring.grouping import AlertGroup
from operations.outbox import NoticeKind

_OTHERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """All that is shown. `address` is what is asked, `rollout` what went before; "" and None: not known."""

    group: AlertGroup
    now: datetime
    address: str = ""
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
    alert = shown.group.leader
    return Page(
        title=f"{prefix}{_where(alert)} ({alert.label})",
        headline=f"{alert_circle(alert)} {prefix}{_where(alert)}",
        tone=Tone.BAD,
        parts=[
            line(_since(shown), _asked(shown.address)),
            Code(alert.reason) if alert.reason.strip() else None,
            *_others(shown),
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
    alert = shown.group.leader
    by = f"Resolved by {called(alert.resolved_by, shown.names)}" if alert.resolved_by else ""
    return Page(
        title=f"{_where(alert)} ({alert.label})",
        headline=f"{alert_circle(alert)} {_where(alert)}{_lasted(alert)}",
        tone=Tone.PLAIN if alert.resolved_by else Tone.GOOD,
        parts=[
            line(_since(shown), _asked(shown.address), by),
            line("The last that was wrong:") if alert.reason.strip() else None,
            Code(alert.reason) if alert.reason.strip() else None,
            *_others(shown),
            line(_after_rollout(shown)),
            line(alert.label, small=True),
        ],
    )


def _where(alert: Alert) -> str:
    return f"{alert_words(alert)}: {alert.name} · {alert.target_name}"


def _lasted(alert: Alert) -> str:
    return f" after {say_duration(alert.resolved_at - alert.since)}" if alert.resolved_at else ""


def _since(shown: AlertPage) -> str:
    alert, now = shown.group.leader, shown.now
    times = f", seen {alert.seen} times" if alert.seen > 1 else ""
    since = clock(alert.since, now)
    if alert.resolved_at is not None:
        return f"From {since} to {clock(alert.resolved_at, now)}{times}"
    return f"Since {since} ({say_duration(now - alert.since)}){times}"


def _others(shown: AlertPage) -> list[Part | None]:
    """What is told in the same message, as it shares a cause."""
    others = shown.group.others
    told = [
        line(f"{alert_words(a) if not a.is_well else 'Well again'}: {a.name} · {a.reason}")
        for a in others[:_OTHERS]
    ]
    left = len(others) - len(told)
    return [*told, line(f"and {left} more")] if left > 0 else [*told]


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
    rollout = shown.rollout
    if rollout is None or rollout.previous is None:
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
