"""A provider around a provider, for targets that HMS-OPS and HMS-SYS look after together.

In shadow mode nothing here changes anything: HMS-OPS deploys, and the platform is only asked. HMS-OPS cannot
be asked whether it ran; so it is started at most once for a rollout, and when the process that started it is
gone, what the platform shows decides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from operations.clock import Clock
from operations.deployment.ports import (
    Capabilities,
    Provider,
    RestoreOrder,
    StartOrder,
    TargetHealth,
)
from operations.deployment.progress import Failure, Handle, Progress, Started, Verdict
from operations.deployment.release import Release, Resolution
from operations.deployment.target import Target
from operations.errors import ProviderError, ProviderRejected
from operations.integration.dual.comparison import Comparison, DualMode
from operations.integration.dual.ports import Comparisons, LegacyResult, LegacyTool

_KEY = "dual"
_LOOK_SECONDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DualParts:
    """`modes` by target's name. `settles` is how long the platform may take to show what was shipped."""

    modes: Mapping[str, DualMode]
    tool: LegacyTool
    comparisons: Comparisons
    clock: Clock
    settles: timedelta = timedelta(minutes=5)


class DualProvider:
    """Implements `Provider`; targets without a mode pass through."""

    def __init__(self, inner: Provider, parts: DualParts) -> None:
        self._inner = inner
        self._modes = parts.modes
        self._tool = parts.tool
        self._comparisons = parts.comparisons
        self._clock = parts.clock
        self._settles = parts.settles

    @property
    def capabilities(self) -> Capabilities:
        """The platform's."""
        return self._inner.capabilities

    async def resolve(self, target: Target, version: str) -> Resolution:
        """The plan is HMS-SYS's in either mode."""
        found = await self._inner.resolve(target, version)
        if self._modes.get(target.name) is not DualMode.SHADOW:
            return found
        warning = "HMS-OPS deploys this; HMS-SYS only watches (dual: shadow)"
        return replace(found, warnings=(*found.warnings, warning))

    async def start(self, order: StartOrder) -> Started:
        """In shadow mode only the intent to run HMS-OPS is stored; following runs it."""
        mode = self._modes.get(order.target.name)
        if mode is None:
            return await self._inner.start(order)
        await self._comparisons.begin(
            Comparison(
                key=order.key,
                project=order.target.project,
                environment=order.target.environment,
                mode=mode,
                begun_at=self._clock.now(),
                planned=order.release.version,
            )
        )
        if mode is DualMode.VERIFY:
            started = await self._inner.start(order)
            return replace(started, handle={**started.handle, _KEY: order.key})
        handle: Handle = {
            _KEY: order.key,
            "version": order.release.version,
            "artifact": order.release.artifact,
            "pin": order.release.pin,
        }
        return Started(handle=handle, summary="HMS-OPS deploys it")

    async def follow(self, target: Target, handle: Handle) -> AsyncIterator[Progress]:
        """Until there is a verdict."""
        key = str(handle.get(_KEY, ""))
        found = await self._comparisons.get(key) if key else None
        if found is None:
            async for seen in self._inner.follow(target, _bare(handle)):
                yield seen
        elif found.mode is DualMode.VERIFY:
            async for seen in self._follow_verified(target, handle, found):
                yield seen
        else:
            async for seen in self._follow_shadowed(target, handle, found):
                yield seen

    async def explain(self, target: Target, handle: Handle) -> Failure:
        """What the platform says, or that HMS-OPS has not ended."""
        if self._is_shadowed(handle):
            return Failure(summary="HMS-OPS did not end in time, or the platform does not show it")
        return await self._inner.explain(target, _bare(handle))

    async def restore(self, order: RestoreOrder) -> Started:
        """HMS-SYS takes nothing back that HMS-OPS brought out."""
        if self._modes.get(order.target.name) is DualMode.SHADOW:
            raise ProviderRejected(
                "HMS-OPS deployed this, so HMS-SYS does not take it back (dual: shadow).",
                hint="Bring the former version back with HMS-OPS.",
            )
        handle = _bare(order.handle) if order.handle is not None else None
        return await self._inner.restore(replace(order, handle=handle))

    async def status(self, target: Target) -> TargetHealth:
        """The platform's."""
        return await self._inner.status(target)

    async def logs(self, target: Target, *, lines: int, since: timedelta | None) -> Sequence[str]:
        """The platform's."""
        return await self._inner.logs(target, lines=lines, since=since)

    @staticmethod
    def _is_shadowed(handle: Handle) -> bool:
        return _KEY in handle and "pin" in handle

    async def _follow_verified(
        self, target: Target, handle: Handle, comparison: Comparison
    ) -> AsyncIterator[Progress]:
        async for seen in self._inner.follow(target, _bare(handle)):
            if seen.verdict is Verdict.SUCCEEDED:
                yield await self._verify(target, comparison)
            yield seen

    async def _verify(self, target: Target, comparison: Comparison) -> Progress:
        """A difference is kept and shown; what was shipped stays shipped."""
        try:
            said = await self._tool.status(target.project, target.environment)
        except ProviderError as exc:
            said = LegacyResult(-1, exc.message)
        agrees = said.exit_code == 0
        detail = "" if agrees else f"HMS-OPS's status ended with {said.exit_code}: {said.output}"
        await self._end(comparison, said.exit_code, comparison.planned, agrees, detail)
        word = "HMS-OPS agrees" if agrees else "HMS-OPS differs, see migrate status"
        return Progress(activity="Compared with HMS-OPS", detail=word)

    async def _follow_shadowed(
        self, target: Target, handle: Handle, comparison: Comparison
    ) -> AsyncIterator[Progress]:
        release = _release_of(handle)
        result: LegacyResult | None = None
        if await self._comparisons.take_run(comparison.key, self._clock.now()):
            run = await self._tool.deploy(
                target.provider, target.project, target.environment, release.version
            )
            while (result := await run.wait(_LOOK_SECONDS)) is None:
                yield Progress(activity="HMS-OPS deploys", detail=await run.last_line())
        if result is not None and result.exit_code != 0:
            yield await self._fail(target, release, comparison, result)
            return
        yield Progress(activity="Looking whether the platform shows it")
        yield await self._settle(target, release, comparison, result)

    async def _fail(
        self, target: Target, release: Release, comparison: Comparison, result: LegacyResult
    ) -> Progress:
        """They agree when the platform does not serve it either."""
        health = await self._inner.status(target)
        agrees = not _shows(health, release)
        detail = "" if agrees else "HMS-OPS failed, and the platform serves it all the same"
        await self._end(comparison, result.exit_code, health.version, agrees, detail)
        failure = Failure(
            summary=f"HMS-OPS ended with {result.exit_code}", reason=result.output[-600:]
        )
        return Progress(activity="HMS-OPS", verdict=Verdict.FAILED, failure=failure)

    async def _settle(
        self,
        target: Target,
        release: Release,
        comparison: Comparison,
        result: LegacyResult | None,
    ) -> Progress:
        """`result` None: whoever ran HMS-OPS is gone, and only the platform can tell."""
        until = self._clock.now() + self._settles
        health = await self._inner.status(target)
        while not _serves(health, release) and self._clock.now() < until:
            await self._clock.sleep(_LOOK_SECONDS)
            health = await self._inner.status(target)
        code = result.exit_code if result else None
        if _serves(health, release):
            await self._end(comparison, code, health.version, True, "")
            return Progress(activity="Platform", verdict=Verdict.SUCCEEDED)
        detail = f"the platform shows {health.version or 'nothing'}, {health.state}"
        await self._end(comparison, code, health.version, False, detail)
        failure = Failure(
            summary="HMS-OPS says that it deployed, and the platform does not show it"
            if result
            else "HMS-OPS was left alone, and the platform does not show it",
            reason=detail,
        )
        return Progress(activity="Platform", verdict=Verdict.UNKNOWN, failure=failure)

    async def _end(
        self, comparison: Comparison, code: int | None, seen: str, agrees: bool, detail: str
    ) -> None:
        await self._comparisons.end(
            replace(
                comparison,
                ended_at=self._clock.now(),
                legacy_exit=code,
                seen=seen,
                agrees=agrees,
                detail=detail[:600],
            )
        )


def _bare(handle: Handle) -> Handle:
    return {key: value for key, value in handle.items() if key != _KEY}


def _release_of(handle: Handle) -> Release:
    return Release(
        version=str(handle["version"]), artifact=str(handle["artifact"]), pin=str(handle["pin"])
    )


def _shows(health: TargetHealth, release: Release) -> bool:
    """HMS-OPS ships by tag, HMS-SYS by pin: either name of the same thing will do."""
    is_pinned = bool(release.pin) and release.pin in health.artifact
    return is_pinned or health.version == release.version


def _serves(health: TargetHealth, release: Release) -> bool:
    return _shows(health, release) and health.state == "healthy"
