"""A rollout that HMS-OPS carries out, and that HMS-SYS only watches (`dual: shadow`).

HMS-OPS cannot be asked whether it ran; so it is started at most once for a rollout. When the process that
started it is gone, its end is read from what it left; when nothing is left, the platform alone decides, and
nobody says that the two agreed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

from operations.deployment.ports import Provider, StartOrder, TargetHealth
from operations.deployment.progress import Failure, Handle, Progress, Started, Verdict
from operations.deployment.release import Release
from operations.deployment.target import Target
from operations.errors import OutcomeUnknown, ProviderError, ProviderUnavailable
from operations.integration.dual.comparison import Comparison
from operations.integration.dual.ports import LegacyOrder, LegacyResult, LegacyRun
from providers.dual_parts import DUAL_KEY, DualParts, last_moment

_UNSEEN = "HMS-OPS was not seen to end"
_SHELL_ENDS = {
    126: "a program in it cannot be run",
    127: "a program in it was not found; `legacy.environment` says what else it gets of our environment",
}


class Shadow:
    """Follows HMS-OPS, and looks at the platform with `inner` afterwards."""

    def __init__(self, inner: Provider, parts: DualParts) -> None:
        self._inner = inner
        self._parts = parts
        self._tool = parts.tool

    @staticmethod
    def begin(order: StartOrder) -> Started:
        """Only the intent to run HMS-OPS; following runs it."""
        handle: Handle = {
            DUAL_KEY: order.key,
            "version": order.release.version,
            "artifact": order.release.artifact,
            "pin": order.release.pin,
        }
        return Started(handle=handle, summary="Left to HMS-OPS")

    @staticmethod
    def owns(handle: Handle) -> bool:
        """Whether it was begun here."""
        return DUAL_KEY in handle and "pin" in handle

    async def follow(
        self, target: Target, handle: Handle, comparison: Comparison
    ) -> AsyncIterator[Progress]:
        """Until there is a verdict."""
        release = _release_of(handle)
        result = _known(comparison)
        if result is None:
            try:
                async for seen in self._hear(target, release, comparison):
                    if isinstance(seen, Progress):
                        yield seen
                    else:
                        result = seen
            except ProviderUnavailable as exc:
                yield await self._fail_to_start(comparison, exc)
                return
        if result is None or result.exit_code is None:
            result = LegacyResult(None, "")
        else:
            comparison = await self._keep(comparison, result)
        if result.exit_code:
            yield await self._fail(target, release, comparison, result)
            return
        yield Progress(activity="Looking whether the platform shows it")
        yield await self._settle(target, release, comparison, result)

    async def explain(self, target: Target, comparison: Comparison | None) -> Failure:
        """At the deadline. Raises OutcomeUnknown: what HMS-OPS and the platform still do, nobody knows."""
        where = await self.find_at_work(target)
        if where is not None:
            why = f"HMS-OPS is still at work{where}, and is not watched any longer"
        elif comparison is not None and comparison.legacy_exit == 0:
            why = "HMS-OPS says that it deployed, and the platform does not show it yet"
        elif comparison is not None and comparison.legacy_exit is not None:
            why = f"{_say_end(comparison.legacy_exit)}, and the platform could not be asked"
        else:
            why = _UNSEEN
        if comparison is not None and comparison.ended_at is None:
            code = comparison.legacy_exit
            await self._parts.end(comparison, code=code, agrees=None, detail=why)
        raise OutcomeUnknown(why)

    async def find_at_work(self, target: Target) -> str | None:
        """Where HMS-OPS is at work on the target: ` (process 4711 on ops-1)`; None: it is not."""
        run = await self._tool.at_work(target.project, target.environment)
        if run is None:
            return None
        place = await run.place()
        return f" ({place})" if place else ""

    async def _hear(
        self, target: Target, release: Release, comparison: Comparison
    ) -> AsyncIterator[Progress | LegacyResult]:
        """What HMS-OPS says, and in the end how it ended."""
        if comparison.run_at is None:
            async for waiting in self._wait_for_earlier(target):
                yield waiting
        run = await self._run(target, release, comparison)
        if run is None:
            return
        while (heard := await run.wait(self._parts.look_seconds)) is None:
            yield Progress(activity="HMS-OPS deploys", detail=await run.last_line())
        yield heard

    async def _wait_for_earlier(self, target: Target) -> AsyncIterator[Progress]:
        """A rollout that was given up in time has left HMS-OPS at work."""
        while (run := await self._tool.at_work(target.project, target.environment)) is not None:
            yield Progress(
                activity="HMS-OPS is still at work on an earlier deployment",
                detail=await run.place(),
            )
            await run.wait(self._parts.look_seconds)

    async def _run(
        self, target: Target, release: Release, comparison: Comparison
    ) -> LegacyRun | None:
        """Start HMS-OPS, or find where it was started before; None: it left no trace on this machine."""
        order = LegacyOrder(
            f"{comparison.key}-{int(comparison.begun_at.timestamp() * 1_000_000)}",
            target.provider,
            target.project,
            target.environment,
            release.version,
        )
        if await self._parts.comparisons.take_run(comparison.key, self._parts.clock.now()):
            return await self._tool.deploy(order)
        return await self._tool.find(order)

    async def _keep(self, comparison: Comparison, result: LegacyResult) -> Comparison:
        """Stored before anything else is asked: whoever takes over need not hear it again."""
        kept = replace(comparison, legacy_exit=result.exit_code, detail=result.output[-600:])
        await self._parts.comparisons.end(kept)
        return kept

    async def _fail_to_start(self, comparison: Comparison, exc: ProviderUnavailable) -> Progress:
        """Neither an agreement nor a difference."""
        await self._parts.end(comparison, code=None, agrees=None, detail=exc.message)
        failure = Failure(summary=exc.message, reason=exc.hint)
        return Progress(activity="HMS-OPS", verdict=Verdict.FAILED, failure=failure)

    async def _fail(
        self, target: Target, release: Release, comparison: Comparison, result: LegacyResult
    ) -> Progress:
        """They agree when the platform does not serve it either; one that was cut off said nothing."""
        health = await self._health(target, comparison)
        code = result.exit_code or 0
        detail = _say_end(code)
        agrees: bool | None = None
        if health is None:
            detail = f"{detail}, and {_say_shown(health)}"
        elif _shows(health, release):
            agrees, detail = False, "HMS-OPS failed, and the platform serves it all the same"
        elif code > 0 and code not in _SHELL_ENDS:
            agrees, detail = True, ""
        await self._parts.end(
            comparison, code=code, seen=_version_of(health), agrees=agrees, detail=detail
        )
        failure = Failure(summary=_say_end(code), reason=result.output[-600:])
        return Progress(activity="HMS-OPS", verdict=Verdict.FAILED, failure=failure)

    async def _settle(
        self, target: Target, release: Release, comparison: Comparison, result: LegacyResult
    ) -> Progress:
        """Without an exit code whoever ran HMS-OPS is gone, and only the platform can tell."""
        health = await self._look(target, release, comparison)
        code, shown, serves = result.exit_code, _say_shown(health), _serves(health, release)
        detail = f"HMS-OPS says {release.version}, {shown}"
        if code is None:
            detail = _UNSEEN if serves else f"{_UNSEEN}; {shown}"
        await self._parts.end(
            comparison,
            code=code,
            seen=_version_of(health),
            agrees=None if code is None or health is None else serves,
            detail="" if serves and code is not None else detail,
        )
        if serves:
            return Progress(activity="Platform", verdict=Verdict.SUCCEEDED)
        said = _UNSEEN if code is None else "HMS-OPS says that it deployed"
        why = f"{said}, and {'the platform does not show it' if health else shown}"
        last = "HMS-OPS and the platform differ" if health and code is not None else said
        failure = Failure(summary=why, reason=shown)
        return Progress(activity="Platform", detail=last, verdict=Verdict.UNKNOWN, failure=failure)

    async def _look(
        self, target: Target, release: Release, comparison: Comparison
    ) -> TargetHealth | None:
        """What the platform shows, once it shows the release or has had the time to.

        The target's deadline comes after that: what HMS-OPS said and the platform does not show is known.
        """
        clock = self._parts.clock
        until = min(clock.now() + self._parts.settles, last_moment(comparison, target))
        health = await self._health(target, comparison)
        while not _serves(health, release) and clock.now() < until:
            await clock.sleep(self._parts.look_seconds)
            health = await self._health(target, comparison)
        return health

    async def _health(self, target: Target, comparison: Comparison) -> TargetHealth | None:
        """None: the platform cannot be asked, and there is no time left to try again."""
        try:
            return await self._inner.status(target)
        except ProviderError:
            if self._parts.clock.now() < last_moment(comparison, target):
                raise
            return None


def _known(comparison: Comparison) -> LegacyResult | None:
    """What was heard of HMS-OPS before this process, or this attempt, took over."""
    if comparison.legacy_exit is None:
        return None
    return LegacyResult(comparison.legacy_exit, comparison.detail)


def _say_end(code: int) -> str:
    if code < 0:
        return f"HMS-OPS was ended by signal {-code}"
    why = _SHELL_ENDS.get(code)
    return f"HMS-OPS ended with {code}: {why}" if why else f"HMS-OPS ended with {code}"


def _release_of(handle: Handle) -> Release:
    return Release(
        version=str(handle["version"]), artifact=str(handle["artifact"]), pin=str(handle["pin"])
    )


def _shows(health: TargetHealth, release: Release) -> bool:
    """HMS-OPS ships by tag, HMS-SYS by pin: either name of the same thing will do."""
    is_pinned = bool(release.pin) and release.pin in health.artifact
    return is_pinned or health.version == release.version


def _serves(health: TargetHealth | None, release: Release) -> bool:
    return health is not None and _shows(health, release) and health.state == "healthy"


def _version_of(health: TargetHealth | None) -> str:
    return "" if health is None else health.version


def _say_shown(health: TargetHealth | None) -> str:
    if health is None:
        return "the platform cannot be asked"
    return f"the platform shows {health.version or 'nothing'}, {health.state}"
