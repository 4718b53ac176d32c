"""Counts calls on their way out: to platforms by a provider around the provider, to Slack by its session.

Both see everything and change nothing: results, errors and cancellation pass as they are.
"""

from __future__ import annotations

import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import aiohttp

from bot.metrics import Metrics
from operations.deployment.ports import (
    Capabilities,
    Provider,
    RestoreOrder,
    StartOrder,
    TargetHealth,
)
from operations.deployment.progress import Failure, Handle, Progress, Started
from operations.deployment.release import Resolution
from operations.deployment.target import Target
from operations.errors import (
    OutcomeUnknown,
    Overloaded,
    ProviderRejected,
    ProviderUnauthorized,
    ProviderUnavailable,
    Refused,
)
from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.intake import Also, Intake, IntakeDesk
from operations.monitoring.errors.log_ports import LogPage, LogSource
from operations.monitoring.errors.repeats import BatchKey
from providers.log_readers import log_of

_OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (Refused, "refused"),
    (ProviderUnavailable, "unavailable"),
    (ProviderRejected, "rejected"),
    (ProviderUnauthorized, "unauthorized"),
    (OutcomeUnknown, "unknown"),
    (Exception, "bug"),
    (BaseException, "cancelled"),
)
_SLACK_METHOD = re.compile(r"[a-z]+(?:\.[a-zA-Z]+){1,3}")


class Meters:
    """Implements `bot.bootstrap.Meter`."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def provider(self, name: str, inner: Provider) -> Provider:
        """Counted under its word."""
        return MeteredProvider(self._metrics, name, inner)

    def intake(self, desk: IntakeDesk) -> Intake:
        """Counted by event."""
        return MeteredIntake(desk, self._metrics)


class MeteredIntake(Intake):
    """Counts events as `taken` once they are committed, as `refused` when there were too many."""

    def __init__(self, desk: IntakeDesk, metrics: Metrics) -> None:
        super().__init__(desk)
        self._taken, self._refused = map(metrics.events.labels, ("taken", "refused"))

    async def take(
        self, events: Sequence[LogEvent], *, also: Also | None = None, key: BatchKey | None = None
    ) -> bool:
        """As ever; what came again under its key is neither."""
        try:
            is_fresh = await super().take(events, also=also, key=key)
        except Overloaded:
            self._refused.inc(len(events))
            raise
        if is_fresh:
            self._taken.inc(len(events))
        return is_fresh


class MeteredProvider:
    """A provider whose calls are counted. `name` is the provider's word."""

    def __init__(self, metrics: Metrics, name: str, inner: Provider) -> None:
        self._name = name
        self._inner = inner
        self._metrics = metrics

    @property
    def capabilities(self) -> Capabilities:
        """The provider's own."""
        return self._inner.capabilities

    async def resolve(self, target: Target, version: str) -> Resolution:
        """Counted."""
        with self._timed("resolve"):
            return await self._inner.resolve(target, version)

    async def start(self, order: StartOrder) -> Started:
        """Counted."""
        with self._timed("start"):
            return await self._inner.start(order)

    async def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """Counted once, when it ends; one that its reader leaves has ended well."""
        stream = self._inner.follow(target, handle)
        with self._counted("follow"):
            try:
                async for seen in stream:
                    yield seen
            except GeneratorExit:
                return
            finally:
                if isinstance(stream, AsyncGenerator):
                    await stream.aclose()

    async def explain(self, target: Target, handle: Handle) -> Failure:
        """Counted."""
        with self._timed("explain"):
            return await self._inner.explain(target, handle)

    async def restore(self, order: RestoreOrder) -> Started:
        """Counted."""
        with self._timed("restore"):
            return await self._inner.restore(order)

    async def status(self, target: Target) -> TargetHealth:
        """Counted."""
        with self._timed("status"):
            return await self._inner.status(target)

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        """Counted."""
        with self._timed("logs"):
            return await self._inner.logs(target, lines=lines, since=since)

    async def read_log(self, source: LogSource, target: Target, cursor: str, limit: int) -> LogPage:
        """Counted."""
        with self._timed("read_log"):
            return await log_of(self._inner).read_log(source, target, cursor, limit)

    @contextmanager
    def _timed(self, method: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            with self._counted(method):
                yield
        finally:
            seconds = time.monotonic() - begun
            self._metrics.provider_seconds.labels(self._name, method).observe(seconds)

    @contextmanager
    def _counted(self, method: str) -> Iterator[None]:
        outcome = "ok"
        try:
            yield
        except BaseException as exc:
            outcome = next(word for kind, word in _OUTCOMES if isinstance(exc, kind))
            if isinstance(exc, ProviderUnavailable) and exc.retry_after is not None:
                self._metrics.provider_throttles.labels(self._name, method).inc()
            raise
        finally:
            self._metrics.provider_calls.labels(self._name, method, outcome).inc()


def trace_slack(metrics: Metrics) -> aiohttp.TraceConfig:
    """For the session of everything that is said to Slack: methods of its API, and response_urls."""

    async def answered(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestEndParams,
    ) -> None:
        method, status = _slack_method(params.url.path), params.response.status
        metrics.slack_calls.labels(method, _slack_outcome(status)).inc()
        if status == 429:
            metrics.slack_throttles.labels(method).inc()

    async def unanswered(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        params: aiohttp.TraceRequestExceptionParams,
    ) -> None:
        metrics.slack_calls.labels(_slack_method(params.url.path), "unanswered").inc()

    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(answered)
    trace.on_request_exception.append(unanswered)
    return trace


def _slack_method(path: str) -> str:
    """The address of an answer to a command holds a ticket: it is none of the API's methods."""
    last = path.rpartition("/")[2]
    return last if _SLACK_METHOD.fullmatch(last) else "response_url"


def _slack_outcome(status: int) -> str:
    if status == 429:
        return "throttled"
    return "ok" if status < 400 else "failed"
