"""Follows a provider to its verdict, through lost contact and up to the deadline."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from operations.clock import Clock
from operations.deployment.ports import Provider
from operations.deployment.progress import Failure, Handle, Progress, Verdict
from operations.deployment.release import Release, is_same_artifact
from operations.deployment.target import Target
from operations.deployment.tenure import Pace
from operations.durations import say_duration
from operations.errors import (
    OperationError,
    OutcomeUnknown,
    ProviderError,
    ProviderUnauthorized,
    ProviderUnavailable,
)
from operations.redaction import clean

_SERVING_SECONDS = 5.0  # well within a lease

MAY_PASS = (ProviderUnavailable, ProviderUnauthorized, OutcomeUnknown)
"""Troubles after which a platform is asked again.

Credentials are among them: a Kubernetes API server that has just started forbids everything until it has
read who may do what, and what people mend meanwhile is taken up.
"""

Tell = Callable[[Progress], Awaitable[None]]


class Observation:
    """One target's provider as seen by whoever waits for a verdict."""

    def __init__(self, target: Target, provider: Provider, clock: Clock, pace: Pace) -> None:
        self._target = target
        self._provider = provider
        self._clock = clock
        self._pace = pace

    async def serving(self, known: Release | None) -> Release | None:
        """What serves now; `known` when that is still it, or when nobody can tell in a few seconds."""
        try:
            async with asyncio.timeout(_SERVING_SECONDS):
                found = (await self._provider.resolve(self._target, "")).current
        except (OperationError, TimeoutError):
            return known
        if found is None or (known is not None and _is_same(known, found)):
            return known
        return found

    async def verdict(
        self, handle: Handle, deadline: datetime, tell: Tell, note: Callable[[str], Awaitable[None]]
    ) -> Progress:
        """The observation that ends it. `tell` hears all others, `note` of trouble.

        A passed deadline is FAILED, with the platform's reasons, unless those are that nobody can tell;
        contact that stays lost is UNKNOWN.
        """
        problem = ""
        async for left in self.attempts(deadline, grace=self._pace.grace_seconds):
            timeout = asyncio.timeout(left)
            try:
                async with timeout:
                    return await self._listen(handle, tell)
            except TimeoutError:
                if timeout.expired():
                    return await self._overdue(handle)
                problem = "no answer"
            except ProviderError as exc:
                problem = exc.message
                await note(problem)
                if not isinstance(exc, MAY_PASS):
                    break
        return Progress(activity="Rollout", detail=problem, verdict=Verdict.UNKNOWN)

    async def attempts(self, deadline: datetime, *, grace: float = 0.0) -> AsyncIterator[float]:
        """Yield the seconds left, at least once, with growing pauses between, until the deadline."""
        pause = self._pace.pause_seconds
        left = max(grace, 0.001, (deadline - self._clock.now()).total_seconds())
        while left > 0:
            yield left
            await self._clock.sleep(pause)
            pause = min(pause * 2, self._pace.pause_seconds * 10)
            left = (deadline - self._clock.now()).total_seconds()

    async def _listen(self, handle: Handle, tell: Tell) -> Progress:
        async with _closing(self._provider.follow(self._target, handle)) as stream:
            async for seen in stream:
                if seen.verdict is not None:
                    return seen
                await tell(seen)
        raise ProviderUnavailable("The platform stopped answering without a verdict.")

    async def _overdue(self, handle: Handle) -> Progress:
        late = f"Not done within {say_duration(self._target.timeout)}"
        try:
            async with asyncio.timeout(self._pace.call_seconds):
                found = await self._provider.explain(self._target, handle)
            failure = replace(found, summary=f"{late}: {found.summary}" if found.summary else late)
        except OutcomeUnknown as exc:
            why = f"{late}: {exc.message}"
            return Progress(activity="Rollout", detail=why, verdict=Verdict.UNKNOWN)
        except (ProviderError, TimeoutError) as exc:
            failure = Failure(summary=late, reason=clean(str(exc), limit=500))
        return Progress(activity="Rollout", verdict=Verdict.FAILED, failure=failure)


@asynccontextmanager
async def _closing(stream: AsyncIterator[Progress]) -> AsyncIterator[AsyncIterator[Progress]]:
    """End a generator's own clean-up before going on, also when the loop over it is left early."""
    try:
        yield stream
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


def _is_same(one: Release, other: Release) -> bool:
    return is_same_artifact(one, other) or one.artifact == other.artifact
