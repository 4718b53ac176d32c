"""Monitoring, put together: what is watched, who watches, and what answers people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.checks import build_checks
from bot.config import Config
from bot.schedule import Job, Loop
from bot.surroundings import RolloutSurroundings
from operations.clock import Clock
from operations.deployment.inquiries import Inquiries
from operations.guard import Guard
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import Check
from operations.monitoring.escalation import Escalation, EscalationRule
from operations.monitoring.ports import Prober
from operations.monitoring.retention import Retention
from operations.monitoring.vendors import VendorAlerts
from operations.monitoring.watching import Lookout, Watch
from storage.database import Database

_ESCALATES_EVERY = timedelta(seconds=10)
_SWEEPS_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What people and programs ask, and what runs while the process serves."""

    checks: Sequence[Check]
    alerting: Alerting
    vendors: VendorAlerts
    watch: Watch
    escalation: Escalation | None
    retention: Retention

    @property
    def loops(self) -> Sequence[Loop]:
        """What is to go on while the process serves; without checks it ends the alerts of former ones."""
        return [Loop("checks", self.watch.run)]

    @property
    def jobs(self) -> Sequence[Job]:
        """What is to be done at intervals."""
        jobs = [Job("forget vendors' alerts", _SWEEPS_EVERY, self.retention.sweep)]
        if self.escalation is not None:
            jobs.append(Job("escalation", _ESCALATES_EVERY, self.escalation.escalate_due))
        return jobs


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """What monitoring asks: the outside world, and deployment's history."""

    prober: Prober
    inquiries: Inquiries


def build_monitoring(
    config: Config, database: Database, lookups: Lookups, clock: Clock, guard: Guard
) -> Monitoring:
    """Alerts go to the alerts channel, or where rollouts are announced."""
    checks = build_checks(config)
    channel = config.slack.alerts_channel or config.slack.deploys_channel
    surroundings = RolloutSurroundings(lookups.inquiries)
    lookout = Lookout(
        checks=checks,
        channel=channel,
        store=database.store,
        queue=database.check_queue,
        prober=lookups.prober,
        surroundings=surroundings,
        clock=clock,
        guard=guard,
    )
    return Monitoring(
        checks=checks,
        alerting=Alerting(checks=checks, store=database.store, clock=clock),
        vendors=VendorAlerts(
            store=database.store, surroundings=surroundings, clock=clock, channel=channel
        ),
        watch=Watch(lookout),
        escalation=_build_escalation(config, database, clock),
        retention=Retention(database.check_purges, clock),
    )


def _build_escalation(config: Config, database: Database, clock: Clock) -> Escalation | None:
    section = config.alerts.escalation
    if section is None:
        return None
    channels = [section.channel] if section.channel else []
    receivers = tuple(dict.fromkeys([*channels, *(section.people or [])]))
    rule = EscalationRule(section.after, receivers)
    return Escalation(rule=rule, store=database.store, clock=clock)
