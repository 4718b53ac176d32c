"""Monitoring, put together: what is watched, who watches, and what answers people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.checks import build_checks
from bot.config import Config
from bot.schedule import Job, Loop
from bot.surroundings import RolloutSurroundings
from operations.clock import Clock
from operations.deployment.inquiries import Inquiries
from operations.guard import Guard
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import Check
from operations.monitoring.ports import Prober
from operations.monitoring.watching import Lookout, Watch
from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitoring:
    """What people and programs ask, and what runs while the process serves."""

    checks: Sequence[Check]
    alerting: Alerting
    watch: Watch

    @property
    def loops(self) -> Sequence[Loop]:
        """What is to go on while the process serves."""
        return [Loop("checks", self.watch.run)] if self.checks else []

    @property
    def jobs(self) -> Sequence[Job]:
        """What is to be done at intervals."""
        return []


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
    lookout = Lookout(
        checks=checks,
        channel=config.slack.alerts_channel or config.slack.deploys_channel,
        store=database.store,
        queue=database.check_queue,
        prober=lookups.prober,
        surroundings=RolloutSurroundings(lookups.inquiries),
        clock=clock,
        guard=guard,
    )
    return Monitoring(
        checks=checks,
        alerting=Alerting(checks=checks, store=database.store, clock=clock),
        watch=Watch(lookout),
    )
