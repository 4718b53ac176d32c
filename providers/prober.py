"""Asks checks: the provider's own view of a target, a page, or a port.

It judges one answer. What a row of answers means is `operations.monitoring.policy`'s. "Could not ask" is
kept apart from "failing": nobody is woken because the bot's own machine has run out of something.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from operations.clock import Clock
from operations.deployment.ports import Provider, TargetHealth
from operations.deployment.target import Catalog
from operations.errors import OperationError, ProviderRejected, Refused
from operations.monitoring.check import Check, CheckKind, Observation, Outcome
from operations.redaction import clean
from providers.certificates import judge_certificate
from providers.http import build_client
from providers.probe import has_run_out, why_not_connected

_BEYOND_ANY_CHECK = 3600.0
"""Seconds. The client's own deadlines must not end a question before the check's does."""

Verdict = tuple[Outcome, str]


class CheckProber:
    """The port `Prober`. At most 100 pages are asked at once: more would wait for each other."""

    def __init__(self, providers: Mapping[str, Provider], catalog: Catalog, clock: Clock) -> None:
        self._providers = providers
        self._catalog = catalog
        self._clock = clock
        self._client = build_client(deadline=_BEYOND_ANY_CHECK, connect=_BEYOND_ANY_CHECK)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def ask(self, check: Check) -> Observation:
        """Ask once, within the check's timeout."""
        begun = self._clock.now()
        outcome, detail = await self._judge(check)
        now = self._clock.now()
        return Observation(
            outcome=outcome, at=now, detail=detail, took=max(now - begun, timedelta(0))
        )

    async def _judge(self, check: Check) -> Verdict:
        seconds = check.timeout.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                match check.kind:
                    case CheckKind.TARGET:
                        return await self._ask_provider(check)
                    case CheckKind.HTTP:
                        return await self._ask_page(check)
                    case CheckKind.TCP:
                        return await _ask_port(check)
        except TimeoutError:
            late = f"no answer within {seconds:g} s"
            if check.kind is CheckKind.TARGET:
                return _could_not_ask(late)
            return Outcome.FAILING, late

    async def _ask_provider(self, check: Check) -> Verdict:
        try:
            target = self._catalog.find(check.project, check.environment)
            health = await self._providers[target.provider].status(target)
        except (ProviderRejected, Refused) as exc:
            return Outcome.ERROR, clean(exc.message, limit=200)
        except OperationError as exc:
            return _could_not_ask(clean(exc.message, limit=200))
        return _judge_health(health)

    async def _ask_page(self, check: Check) -> Verdict:
        try:
            # The body is not read: a page may be of any length, and a connection left in the middle is
            # not used again. One kept open knows nothing of names and certificates that changed.
            async with self._client.stream("GET", check.url) as response:
                return self._judge_page(check, response)
        except httpx.PoolTimeout:
            return _could_not_ask("too many questions at once")
        except httpx.TimeoutException as exc:
            raise TimeoutError from exc
        except httpx.ConnectError as exc:
            return _judge_connecting(exc)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError):
            return Outcome.ERROR, "the URL cannot be asked"
        except httpx.HTTPError as exc:
            return Outcome.FAILING, clean(f"broke off: {type(exc).__name__}", limit=80)

    def _judge_page(self, check: Check, response: httpx.Response) -> Verdict:
        status = response.status_code
        if status != check.expect:
            note = "; redirects are not followed" if response.has_redirect_location else ""
            return Outcome.FAILING, f"answered {status}, wanted {check.expect}{note}"
        trouble = judge_certificate(response, self._clock.now())
        return (Outcome.FAILING, trouble) if trouble else (Outcome.OK, f"answered {status}")


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
        return _judge_connecting(exc)
    writer.transport.abort()
    return Outcome.OK, "accepts connections"


def _judge_connecting(error: Exception) -> Verdict:
    why = why_not_connected(error)
    return _could_not_ask(why) if has_run_out(error) else (Outcome.FAILING, why)


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
