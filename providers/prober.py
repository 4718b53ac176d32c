"""Asks checks: the provider's own view of a target, a page, or a port.

It judges one answer. What a row of answers means is `operations.monitoring.policy`'s. "Could not ask" is
kept apart from "failing": nobody is woken because the bot's own machine has run out of something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from operations.clock import Clock
from operations.deployment.ports import Provider, TargetHealth
from operations.deployment.target import Catalog
from operations.errors import OperationError, ProviderRejected, Refused
from operations.monitoring.check import Check, CheckKind, Observation, Outcome
from operations.redaction import clean
from providers.probe import Verdict, judge_connecting

if TYPE_CHECKING:
    from providers.pages import Pages, Passage


class CheckProber:
    """The port `Prober`. `passage` is how redirects find their way; by default the system's."""

    def __init__(
        self,
        providers: Mapping[str, Provider],
        catalog: Catalog,
        clock: Clock,
        passage: Passage | None = None,
    ) -> None:
        self._providers = providers
        self._catalog = catalog
        self._clock = clock
        self._passage = passage
        self._opened: Pages | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()

    async def ask(self, check: Check) -> Observation:
        """Ask once, within the check's timeout."""
        begun = self._clock.now()
        outcome, detail = await self._judge(check)
        now = self._clock.now()
        took = max(now - begun, timedelta(0))
        if outcome is Outcome.OK and check.slower_than is not None and took > check.slower_than:
            outcome, detail = Outcome.FAILING, _too_slow(took, check.slower_than)
        return Observation(outcome=outcome, at=now, detail=detail, took=took)

    async def _judge(self, check: Check) -> Verdict:
        seconds = check.timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                match check.kind:
                    case CheckKind.TARGET:
                        return await self._ask_provider(check)
                    case CheckKind.HTTP:
                        return await self._pages.ask(check)
                    case CheckKind.TCP:
                        return await _ask_port(check)
                    case CheckKind.ERROR_RATE:
                        return Outcome.ERROR, "errors are counted by the central log"
        except TimeoutError:
            late = f"no answer within {seconds:g} s"
            if check.kind is CheckKind.TARGET:
                return _could_not_ask(late)
            return Outcome.FAILING, late

    @property
    def _pages(self) -> Pages:
        """Only who watches asks pages: a command line loads no client for it."""
        if self._opened is None:
            from providers.pages import Pages

            self._opened = Pages(self._clock, self._passage)
        return self._opened

    async def _ask_provider(self, check: Check) -> Verdict:
        try:
            target = self._catalog.find(check.project, check.environment)
            health = await self._providers[target.provider].status(target)
        except (ProviderRejected, Refused) as exc:
            return Outcome.ERROR, clean(exc.message, limit=200)
        except OperationError as exc:
            return _could_not_ask(clean(exc.message, limit=200))
        return _judge_health(health)


def _too_slow(took: timedelta, most: timedelta) -> str:
    return f"took {took.total_seconds():.1f} s, wanted {most.total_seconds():g} s at most"


async def _ask_port(check: Check) -> Verdict:
    try:
        parts = urlsplit(check.url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        return Outcome.ERROR, "write tcp://HOST:PORT"
    try:
        _, writer = await asyncio.open_connection(host, port)
    except UnicodeError:
        return Outcome.ERROR, "the host's name cannot be asked"
    except OSError as exc:
        return judge_connecting(exc)
    writer.transport.abort()
    return Outcome.OK, "accepts connections"


def _judge_health(health: TargetHealth) -> Verdict:
    """A rollout under way is neither good nor bad, unless nothing serves meanwhile."""
    counts = f"{health.healthy} of {health.desired} healthy" if health.desired >= 0 else ""
    detail = clean(health.detail or counts, limit=200)
    match health.state:
        case "healthy":
            return Outcome.OK, detail or "healthy"
        case "degraded" | "down":
            return Outcome.FAILING, f"{health.state}: {detail}" if detail else health.state
        case "deploying" if health.desired > 0 and health.healthy == 0:
            return Outcome.FAILING, f"nothing serves while it deploys: {detail}"
        case "deploying":
            return Outcome.INCONCLUSIVE, f"a rollout is under way: {detail}"
    return _could_not_ask(detail or "the platform cannot tell")


def _could_not_ask(why: str) -> Verdict:
    return Outcome.INCONCLUSIVE, f"could not ask: {why}"
