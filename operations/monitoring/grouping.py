"""Alerts that share a cause: pure rules of which are told together, and when all of it is over.

The first one leads: the message is its message, people act on all by acting on one, and none of them ends
before all are well, so that the end is told once. Most groups have one alert only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.actor import Actor
from operations.monitoring.alert import Alert, AlertState

SHARES_CAUSE = timedelta(minutes=5)
"""What begins to fail on a target within this span of something else there is told together with it."""


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """A leader, and what is told in its message, oldest first."""

    leader: Alert
    others: tuple[Alert, ...] = ()

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """All of them, the leader first."""
        return (self.leader, *self.others)

    @property
    def failing(self) -> tuple[Alert, ...]:
        """Those that are not well by themselves."""
        return tuple(alert for alert in self.alerts if alert.is_open and not alert.is_well)

    @property
    def revision(self) -> int:
        """Rises with every change of any of them."""
        return sum(alert.revision for alert in self.alerts)

    @property
    def rollout(self) -> str:
        """The first that any of them names; "" none."""
        return next((alert.rollout for alert in self.alerts if alert.rollout), "")

    def changed(self, alert: Alert) -> AlertGroup:
        """With this one in the place of what it was before; one that is new comes last."""
        if alert.id == self.leader.id:
            return replace(self, leader=alert)
        kept = tuple(alert if other.id == alert.id else other for other in self.others)
        return replace(self, others=kept if alert in kept else (*kept, alert))


def gather(open_alerts: Iterable[Alert]) -> list[AlertGroup]:
    """Alerts that are open, by the message that tells of them; the oldest message first."""
    groups: dict[int, AlertGroup] = {}
    for alert in sorted(open_alerts, key=lambda alert: (alert.led_by is not None, alert.id)):
        group = groups.get(alert.led_by or alert.id)
        groups[alert.led_by or alert.id] = group.changed(alert) if group else AlertGroup(alert)
    return list(groups.values())


def leader_for(open_there: Sequence[Alert], now: datetime) -> Alert | None:
    """Whose message tells of what begins to fail on their target now; None: a message of its own.

    `open_there` are the target's open alerts, oldest first. The newest group is taken in which anything
    fired lately: so what follows step by step from one cause stays together.
    """
    lately = [alert for alert in open_there if now - alert.fired_at <= SHARES_CAUSE]
    leaders = {alert.id: alert for alert in open_there if alert.led_by is None}
    found = [leaders.get(alert.led_by or alert.id) for alert in lately]
    return max((leader for leader in found if leader), key=lambda a: a.id, default=None)


def join(leader: Alert, alert: Alert) -> Alert:
    """It is told in the leader's message: what people did about that counts for it too."""
    return replace(
        alert,
        led_by=leader.id,
        state=leader.state,
        acknowledged_by=leader.acknowledged_by,
        acknowledged_at=leader.acknowledged_at,
        silenced_by=leader.silenced_by,
        silenced_until=leader.silenced_until,
    )


def recover(group: AlertGroup, alert: Alert, now: datetime, by: Actor | None = None) -> list[Alert]:
    """What changes as one of them is well: itself, or all of them when nothing else is failing."""
    well = replace(alert, well_at=now, is_flapping=False)
    left = group.changed(well)
    return [well] if left.failing else end(left.alerts, now, by)


def end(alerts: Iterable[Alert], now: datetime, by: Actor | None) -> list[Alert]:
    """It is over for all of them. `by` is who says so, None when each is well by itself."""
    return [
        replace(
            alert, state=AlertState.RESOLVED, resolved_at=now, resolved_by=by, is_flapping=False
        )
        for alert in alerts
        if alert.is_open
    ]
