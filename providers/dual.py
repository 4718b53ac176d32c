"""A provider around a provider, for targets that HMS-OPS and HMS-SYS look after together.

In shadow mode nothing here changes anything: HMS-OPS deploys, and the platform is only asked (see
`dual_shadow`). In verify mode the platform's own provider deploys, and HMS-OPS's status is asked afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta

from operations.deployment.ports import (
    Capabilities,
    Provider,
    RestoreOrder,
    StartOrder,
    TargetHealth,
)
from operations.deployment.progress import Failure, Handle, Progress, Started, Verdict
from operations.deployment.release import Resolution
from operations.deployment.target import Target
from operations.errors import ProviderError, ProviderRejected
from operations.integration.dual.comparison import Comparison, DualMode
from operations.integration.dual.ports import LegacyResult
from providers.dual_parts import DUAL_KEY, DualParts, bare, last_moment
from providers.dual_shadow import Shadow


class DualProvider:
    """Implements `Provider`; targets without a mode pass through."""

    def __init__(self, inner: Provider, parts: DualParts) -> None:
        self._inner = inner
        self._parts = parts
        self._shadow = Shadow(inner, parts)

    @property
    def capabilities(self) -> Capabilities:
        """The platform's."""
        return self._inner.capabilities

    async def resolve(self, target: Target, version: str) -> Resolution:
        """The plan is HMS-SYS's in either mode."""
        found = await self._inner.resolve(target, version)
        if self._mode(target) is not DualMode.SHADOW:
            return found
        warning = "HMS-OPS deploys this; HMS-SYS only watches (dual: shadow)"
        return replace(found, warnings=(*found.warnings, warning))

    async def start(self, order: StartOrder) -> Started:
        """In shadow mode only the intent to run HMS-OPS is stored; following runs it."""
        mode = self._mode(order.target)
        if mode is None:
            return await self._inner.start(order)
        await self._parts.comparisons.begin(
            Comparison(
                key=order.key,
                project=order.target.project,
                environment=order.target.environment,
                mode=mode,
                place=order.target.spec.identity,
                begun_at=self._parts.clock.now(),
                planned=order.release.version,
            )
        )
        if mode is DualMode.SHADOW:
            return self._shadow.begin(order)
        started = await self._inner.start(order)
        return replace(started, handle={**started.handle, DUAL_KEY: order.key})

    async def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """Until there is a verdict."""
        found = await self._comparison(handle)
        if found is None:
            stream = self._inner.follow(target, bare(handle))
        elif found.mode is DualMode.VERIFY:
            stream = self._follow_verified(target, handle, found)
        else:
            stream = self._shadow.follow(target, handle, found)
        async for seen in stream:
            yield seen

    async def explain(self, target: Target, handle: Handle) -> Failure:
        """What the platform says, or that HMS-OPS has not ended."""
        if self._shadow.owns(handle):
            return await self._shadow.explain(target, await self._comparison(handle))
        return await self._inner.explain(target, bare(handle))

    async def restore(self, order: RestoreOrder) -> Started:
        """HMS-SYS takes nothing back that HMS-OPS brought out."""
        shadowed = order.handle is not None and self._shadow.owns(order.handle)
        if shadowed or self._mode(order.target) is DualMode.SHADOW:
            place = await self._shadow.find_at_work(order.target)
            raise ProviderRejected(
                f"HMS-OPS is still at work{place}, and HMS-SYS does not stop it (dual: shadow)."
                if place is not None
                else "HMS-OPS deployed this, so HMS-SYS does not take it back (dual: shadow).",
                hint="Bring the former version back with HMS-OPS.",
            )
        handle = bare(order.handle) if order.handle is not None else None
        return await self._inner.restore(replace(order, handle=handle))

    async def status(self, target: Target) -> TargetHealth:
        """The platform's."""
        return await self._inner.status(target)

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        """The platform's."""
        return await self._inner.logs(target, lines=lines, since=since)

    def _mode(self, target: Target) -> DualMode | None:
        return self._parts.modes.get(target.name)

    async def _comparison(self, handle: Handle) -> Comparison | None:
        key = str(handle.get(DUAL_KEY, ""))
        return await self._parts.comparisons.get(key) if key else None

    async def _follow_verified(
        self, target: Target, handle: Handle, comparison: Comparison
    ) -> AsyncIterator[Progress]:
        async for seen in self._inner.follow(target, bare(handle)):
            if seen.verdict is Verdict.SUCCEEDED:
                said = await self._verify(target, comparison)
                yield Progress(activity="Compared with HMS-OPS", detail=said)
                seen = replace(seen, detail=" · ".join(filter(None, [seen.detail, said])))
            elif seen.verdict is not None:
                await self._parts.end(
                    comparison,
                    code=None,
                    agrees=None,
                    detail="HMS-OPS was not asked: it did not succeed",
                )
            yield seen

    async def _verify(self, target: Target, comparison: Comparison) -> str:
        """A difference is kept and shown; what was shipped stays shipped."""
        left = (last_moment(comparison, target) - self._parts.clock.now()).total_seconds()
        if left <= 0 and comparison.ended_at is not None:
            return _WORDS[comparison.agrees]  # it was asked before
        said = await self._ask(target, left)
        agrees = None if said.exit_code is None else said.exit_code == 0
        await self._parts.end(
            comparison,
            code=said.exit_code,
            seen=comparison.planned,
            agrees=agrees,
            detail="" if agrees else _say_status(said),
        )
        return _WORDS[agrees]

    async def _ask(self, target: Target, seconds: float) -> LegacyResult:
        """Within the target's own time: an HMS-OPS that hangs must not let what is live be called overdue."""
        if seconds <= 0:
            return LegacyResult(None, "there was no time left to ask")
        try:
            async with asyncio.timeout(seconds):
                return await self._parts.tool.status(target.project, target.environment)
        except TimeoutError:
            return LegacyResult(None, "no answer within its time")
        except ProviderError as exc:
            return LegacyResult(None, exc.message)


_WORDS = {
    True: "HMS-OPS agrees",
    False: "HMS-OPS differs, see `hms-sys migrate status`",
    None: "HMS-OPS could not be asked, see `hms-sys migrate status`",
}


def _say_status(said: LegacyResult) -> str:
    end = "" if said.exit_code is None else f" ended with {said.exit_code}"
    return f"HMS-OPS's status{end}: {said.output}"
