"""The commands that only ask about deployments: what serves, what was, and what would be."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from handlers import language
from handlers.fleet_queries import of_provider
from handlers.nothing import no_log, no_rollouts, no_targets
from handlers.slack.boundary import Asker
from handlers.slack.cards import Cards
from handlers.slack.views import answers, reports
from handlers.slack.views.blocks import Message
from handlers.slack.views.fleet import fleet
from handlers.slack.views.statistics import statistics
from operations.clock import Clock
from operations.deployment.rollout import HistoryQuery
from operations.deployment.service import Deployments
from operations.monitoring.alerting import Alerting

_LOGS_LIMIT = 100
_HISTORY_LIMIT = 50
"""More lines than fit in a message of Slack are of no use in it."""

Inquiry = (
    language.Status
    | language.Why
    | language.History
    | language.Show
    | language.Stats
    | language.Logs
)


class InquiryAnswers:
    """Reads, and changes nothing."""

    def __init__(
        self, deployments: Deployments, alerting: Alerting, cards: Cards, clock: Clock
    ) -> None:
        self._inquiries = deployments.inquiries
        self._performance = deployments.performance
        self._alerting = alerting
        self._cards = cards
        self._clock = clock

    async def carry_out(self, command: Inquiry, asker: Asker) -> Message:
        """Ask, and present the answer."""
        match command:
            case language.Status():
                return await self._status(command)
            case language.Why():
                return await self._why(command, asker)
            case language.History():
                return await self._history(command, asker, self._clock.now())
            case language.Show():
                return await self._show(command)
            case language.Stats():
                return statistics(await self._performance.measure(command.project, command.since))
            case language.Logs():
                return await self._logs(command)
            case _:
                assert_never(command)

    async def _status(self, command: language.Status) -> Message:
        found = await self._inquiries.status(command.project, command.environment)
        if not found:
            return answers.nothing(no_targets())
        unreviewed = await self._inquiries.unreviewed(command.project, command.environment)
        alerts = await self._alerting.standing()
        return fleet(of_provider(found, command), self._clock.now(), alerts, unreviewed)

    async def _why(self, command: language.Why, asker: Asker) -> Message:
        answer = await self._inquiries.why(command.project, command.environment, asker.actor)
        return reports.obstacles(answer, self._clock.now())

    async def _history(self, command: language.History, asker: Asker, now: datetime) -> Message:
        if command.by.lower() == "me":
            command = replace(command, by=asker.actor.id)
        page = await self._inquiries.history(_query(command, now))
        if not page.rollouts:
            return answers.nothing(no_rollouts(command))
        serving = await self._inquiries.serving(page.rollouts)
        return reports.history(page, now, serving)

    async def _show(self, command: language.Show) -> Message:
        report = await self._inquiries.show(command.rollout_id)
        title = self._cards.title_of(report.rollout)
        ticket = self._cards.ticket_of(report.rollout)
        return reports.rollout_report(report, title, self._clock.now(), ticket)

    async def _logs(self, command: language.Logs) -> Message:
        lines = await self._inquiries.logs(
            command.project,
            command.environment,
            lines=min(command.lines, _LOGS_LIMIT),
            since=command.since,
        )
        if not lines:
            return answers.nothing(no_log(command))
        return answers.logs(f"{command.project}/{command.environment}", lines)


def _query(command: language.History, now: datetime) -> HistoryQuery:
    return HistoryQuery(
        project=command.project,
        environment=command.environment,
        requested_by=command.by,
        since=now - command.since if command.since else None,
        limit=min(command.limit, _HISTORY_LIMIT),
        unreviewed=command.unreviewed,
        imported=True,
    )
