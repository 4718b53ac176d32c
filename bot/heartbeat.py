"""A dead man's switch: calls an address while this process works, so that its silence is an alarm.

The address is a secret of a kind (whoever knows it can keep the alarm quiet): it is never written anywhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.schedule import Job

_LOG = structlog.get_logger("hms.heartbeat")

Ask = Callable[[], Awaitable[str]]
"""What is wrong, in a few words; "": nothing."""


class Heartbeat:
    """Each replica beats for itself. `vitals` says why it should not; `call` calls the address."""

    def __init__(self, vitals: Ask, call: Ask) -> None:
        self._vitals = vitals
        self._call = call
        self._told = ""

    async def beat(self) -> None:
        """One beat, or none. What keeps it from beating is logged when it changes, and when it is over."""
        withheld = await self._vitals()
        trouble = f"withheld: {withheld}" if withheld else await self._call()
        if trouble == self._told:
            return
        self._told = trouble
        if trouble:
            _LOG.warning("no heartbeat", why=trouble)
        else:
            _LOG.info("the heartbeat is back")


@dataclass(frozen=True, slots=True)
class Beacon:
    """What is called, and how often."""

    every: timedelta
    call: Ask


def heartbeat(beacon: Beacon, vitals: Ask) -> Job:
    """The job that beats."""
    return Job("heartbeat", beacon.every, Heartbeat(vitals, beacon.call).beat)
