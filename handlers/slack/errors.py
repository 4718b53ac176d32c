"""`/hms errors`: what went wrong of late, and one group of it in full."""

from __future__ import annotations

from collections.abc import Iterable

from handlers.error_queries import find_groups
from handlers.language import Errors
from handlers.slack.cards import Cards
from handlers.slack.views import errors
from handlers.slack.views.blocks import Message
from handlers.slack.views.error_lines import Live
from operations.clock import Clock
from operations.deployment.target import Catalog
from operations.monitoring.errors.group import ErrorGroup
from operations.monitoring.errors.triage import Triage

_WITH_MARKS = 12


class ErrorAnswers:
    """Answers questions about errors."""

    def __init__(self, triage: Triage, catalog: Catalog, cards: Cards, clock: Clock) -> None:
        self._triage = triage
        self._catalog = catalog
        self._cards = cards
        self._clock = clock

    async def carry_out(self, command: Errors) -> Message:
        """The answer for the asker."""
        if command.group_id is not None:
            detail = await self._triage.show(command.group_id)
            live = await self._serving([detail.report.group])
            return errors.detail(detail, self._clock.now(), live)
        found = await find_groups(self._triage, self._catalog, command, self._clock.now())
        live = await self._serving(report.group for report in found.reports[:_WITH_MARKS])
        return errors.listing(found, self._clock.now(), live)

    async def _serving(self, groups: Iterable[ErrorGroup]) -> Live:
        """The rollouts that are live where errors began after one."""
        places = dict.fromkeys((g.project, g.environment) for g in groups if g.rollout)
        found = [await self._cards.live_on(*place) for place in places]
        return {r.name: r.started_at or r.requested_at for r in found if r is not None}
