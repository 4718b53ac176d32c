"""Digests, put together: when they are made, what draws their chart, and what answers people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.config import Config
from bot.schedule import Job
from operations.clock import Clock
from operations.monitoring.check import Check
from operations.monitoring.digest.digests import Digests
from operations.monitoring.digest.ports import Painter, Store
from operations.monitoring.digest.span import Plan
from providers.chart import ChartPainter

_LOOKS_EVERY = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestSide:
    """What Slack, mail and the command line need, and the job that makes the day's own."""

    digests: Digests
    painter: Painter
    native_charts: bool
    is_planned: bool

    @property
    def jobs(self) -> Sequence[Job]:
        """Every process looks; the database says who was first."""
        if not self.is_planned:
            return []
        return [Job("digest", _LOOKS_EVERY, self.digests.make_due)]


def build_digests(
    config: Config, checks: Sequence[Check], store: Store, clock: Clock
) -> DigestSide:
    """Without `digest:` in the configuration none is made by itself, and each can still be read."""
    section = config.digest
    plan = Plan(section.channel, section.at, section.timezone) if section else None
    return DigestSide(
        digests=Digests(plan=plan, checks=checks, store=store, clock=clock),
        painter=ChartPainter(),
        native_charts=config.slack.native_charts,
        is_planned=plan is not None,
    )
