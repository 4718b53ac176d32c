"""What to do about notices whose route is closed; the rules of it are here, the rows in storage.

When Slack has not taken an end or a decision for two minutes, it goes another way as well. Slack is told
when it is back.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from operations.clock import Clock
from operations.outbox import FallBackQueue
from operations.routing import Routing

SLACK_MAY_TAKE = timedelta(minutes=2)
_GONE_FOR = timedelta(hours=1)
"""Longer than replicas of an older and a newer configuration run beside each other."""

_LOG = logging.getLogger("hms.fall_back")


class FallBack:
    """Every replica does it; the database sees to it that each version goes once."""

    def __init__(self, queue: FallBackQueue, routing: Routing, clock: Clock) -> None:
        self._queue = queue
        self._routing = routing
        self._clock = clock

    async def tell_elsewhere(self) -> None:
        """Put what Slack does not take on the other way, if there is one."""
        route = self._routing.fall_back
        if not route:
            return
        now = self._clock.now()
        count = await self._queue.fall_back(route, now, now - SLACK_MAY_TAKE)
        if count:
            _LOG.warning("Slack does not take notices: %s go by %s", count, route)

    async def give_up_routes(self) -> None:
        """What waits for a way that is not configured any more is nobody's to deliver."""
        before = self._clock.now() - _GONE_FOR
        given_up = await self._queue.retire(self._routing.routes, before)
        for route, count in given_up.items():
            _LOG.error(
                "%s is not configured any more: %s notices that waited for it are given up",
                route,
                count,
            )
