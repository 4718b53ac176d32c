"""A provider around a provider, for targets that HMS-OPS and HMS-SYS look after together.

In shadow mode nothing here changes anything: HMS-OPS deploys, and the platform is only asked. HMS-OPS cannot
be asked whether it ran; so it is started at most once for a rollout. When the process that started it is
gone, its end is waited for where it can be seen, and what the platform shows decides.
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
from operations.errors import ProviderError, ProviderRejected, ProviderUnavailable
from operations.integration.dual.comparison import Comparison, DualMode
from operations.integration.dual.ports import (
    Comparisons,
    LegacyOrder,
    LegacyResult,
    LegacyRun,
    LegacyTool,
)

_KEY = "dual"


@dataclass(frozen=True, slots=True, kw_only=True)
class DualParts:
    """`modes` by target's name. `settles` is how long the platform may take to show what was shipped.

    HMS-OPS at work is looked at every `look_seconds`.
    """

    modes: Mapping[str, DualMode]
    tool: LegacyTool
    comparisons: Comparisons
    clock: Clock
    settles: timedelta = timedelta(minutes=5)
    look_seconds: float = 3.0


class DualProvider:
    """Implements `Provider`; targets without a mode pass through."""

    def __init__(self, inner: Provider, parts: DualParts) -> None:
        self._inner = inner
        self._modes = parts.modes
        self._tool = parts.tool
        self._comparisons = parts.comparisons
        self._clock = parts.clock
        self._settles = parts.settles
        self._look_seconds = parts.look_seconds
        self._latest: dict[str, LegacyRun] = {}
        """By target: what this process started last."""

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
            if await self._is_at_work(target):
                return Failure(summary="HMS-OPS is still at work, and is not watched any longer")
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
        detail = "" if agrees else _say_status(said)
        await self._end(comparison, said.exit_code, comparison.planned, agrees, detail)
        word = "HMS-OPS agrees" if agrees else "HMS-OPS differs, see migrate status"
        return Progress(activity="Compared with HMS-OPS", detail=word)

    async def _follow_shadowed(
        self, target: Target, handle: Handle, comparison: Comparison
    ) -> AsyncIterator[Progress]:
        release = _release_of(handle)
        result = _known(comparison)
        if result is None:
            while comparison.run_at is None and await self._is_at_work(target):
                yield Progress(activity="HMS-OPS is still at work on an earlier deployment")
            try:
                run = await self._run(target, release, comparison)
            except ProviderUnavailable as exc:
                yield await self._fail_to_start(comparison, exc)
                return
            heard: LegacyResult | None = None
            while run is not None and heard is None:
                if (heard := await run.wait(self._look_seconds)) is None:
                    yield Progress(activity="HMS-OPS deploys", detail=await run.last_line())
            result = heard
            if result is not None and result.exit_code is not None:
                comparison = await self._keep(comparison, result)
        if result is not None and result.exit_code:
            yield await self._fail(target, release, comparison, result)
            return
        yield Progress(activity="Looking whether the platform shows it")
        yield await self._settle(target, release, comparison, result)

    async def _run(
        self, target: Target, release: Release, comparison: Comparison
    ) -> LegacyRun | None:
        """Start HMS-OPS, or find where it was started before; None: it left no trace on this machine."""
        name = f"{comparison.key}-{int(comparison.begun_at.timestamp() * 1_000_000)}"
        if not await self._comparisons.take_run(comparison.key, self._clock.now()):
            return await self._tool.find(name)
        run = await self._tool.deploy(
            LegacyOrder(name, target.provider, target.project, target.environment, release.version)
        )
        self._latest[target.name] = run
        return run

    async def _is_at_work(self, target: Target) -> bool:
        run = self._latest.get(target.name)
        return run is not None and await run.wait(min(1.0, self._look_seconds)) is None

    async def _keep(self, comparison: Comparison, result: LegacyResult) -> Comparison:
        """Stored before anything else is asked: nobody can hear it a second time."""
        kept = replace(comparison, legacy_exit=result.exit_code, detail=result.output[-600:])
        await self._comparisons.end(kept)
        return kept

    async def _fail_to_start(self, comparison: Comparison, exc: ProviderUnavailable) -> Progress:
        """Neither an agreement nor a difference."""
        await self._comparisons.end(
            replace(comparison, ended_at=self._clock.now(), detail=exc.message)
        )
        failure = Failure(summary=exc.message, reason=exc.hint)
        return Progress(activity="HMS-OPS", verdict=Verdict.FAILED, failure=failure)

    async def _fail(
        self, target: Target, release: Release, comparison: Comparison, result: LegacyResult
    ) -> Progress:
        """They agree when the platform does not serve it either."""
        health = await self._inner.status(target)
        agrees = not _shows(health, release)
        detail = "" if agrees else "HMS-OPS failed, and the platform serves it all the same"
        await self._end(comparison, result.exit_code, health.version, agrees, detail)
        failure = Failure(summary=_say_end(result.exit_code), reason=result.output[-600:])
        return Progress(activity="HMS-OPS", verdict=Verdict.FAILED, failure=failure)

    async def _settle(
        self,
        target: Target,
        release: Release,
        comparison: Comparison,
        result: LegacyResult | None,
    ) -> Progress:
        """Without an exit code whoever ran HMS-OPS is gone, and only the platform can tell."""
        until = self._clock.now() + self._settles
        health = await self._inner.status(target)
        while not _serves(health, release) and self._clock.now() < until:
            await self._clock.sleep(self._look_seconds)
            health = await self._inner.status(target)
        code = result.exit_code if result else None
        has_said = code is not None
        if _serves(health, release):
            await self._end(comparison, code, health.version, True, "")
            return Progress(activity="Platform", verdict=Verdict.SUCCEEDED)
        detail = f"the platform shows {health.version or 'nothing'}, {health.state}"
        await self._end(comparison, code, health.version, False, detail)
        failure = Failure(
            summary="HMS-OPS says that it deployed, and the platform does not show it"
            if has_said
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


def _known(comparison: Comparison) -> LegacyResult | None:
    """What was heard of HMS-OPS before this process, or this attempt, took over."""
    if comparison.legacy_exit is None:
        return None
    return LegacyResult(comparison.legacy_exit, comparison.detail)


def _say_status(said: LegacyResult) -> str:
    end = "" if said.exit_code == -1 else f" ended with {said.exit_code}"
    return f"HMS-OPS's status{end}: {said.output}"


def _say_end(code: int | None) -> str:
    if code is not None and code < 0:
        return f"HMS-OPS was ended by signal {-code}"
    return f"HMS-OPS ended with {code}"


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
