"""Carries one rollout through its phases under one lease.

    STARTING ─ start ─ FOLLOWING ─ verdict ─┬ VERIFYING ─ healthy ─ succeeded
                                            └ a failure or a cancel ─ RESTORING ─ RETURNING ─ end

Each phase is stored before it is begun; each may be begun again by another worker, because `start` and
`restore` are idempotent by the rollout's name and `follow` needs the stored handle only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta

from operations.deployment import endings, orders, steps
from operations.deployment.observation import MAY_PASS, Observation
from operations.deployment.ports import HealthProbe, Provider
from operations.deployment.progress import Failure, Progress, Started, StepState, Verdict
from operations.deployment.release import Release
from operations.deployment.rollout import Phase, Rollout, RolloutState
from operations.deployment.start_time import lateness
from operations.deployment.target import HealthRule, Target
from operations.deployment.tenure import CANCELLABLE, CancelAsked, Tenure
from operations.durations import say_duration
from operations.errors import OperationError, OutcomeUnknown, ProviderUnavailable
from operations.redaction import clean

_LOOK = "Look at the platform."
_FRESH = timedelta(minutes=1)
_WORTH_SAYING = timedelta(minutes=1)


class Carrier:
    """One rollout, from the phase that it is in to its end."""

    def __init__(
        self, tenure: Tenure, target: Target, provider: Provider, probe: HealthProbe
    ) -> None:
        self._tenure = tenure
        self._target = target
        self._provider = provider
        self._probe = probe
        self._clock = tenure.clock
        self._pace = tenure.pace
        self._observation = Observation(target, provider, tenure.clock, tenure.pace)
        self._phases: dict[Phase, Callable[[], Awaitable[None]]] = {
            Phase.STARTING: self._start,
            Phase.FOLLOWING: self._follow,
            Phase.VERIFYING: self._verify,
            Phase.RESTORING: self._restore,
            Phase.RETURNING: self._return,
        }

    @property
    def _rollout(self) -> Rollout:
        return self._tenure.rollout

    async def run(self) -> None:
        """Carry on until the end. Raises LeaseLost or StorageError.

        The lease is given back, also when cancelled; a bug keeps it, for whoever ends the rollout then.
        """
        try:
            await self._begin()
            while not self._rollout.has_ended:
                await self._run_phase()
        except (OperationError, asyncio.CancelledError):
            await self._tenure.give_back()
            raise
        await self._tenure.give_back()

    async def _run_phase(self) -> None:
        """One phase beside a watch that renews the lease and sees a cancel."""
        try:
            async with asyncio.TaskGroup() as group:
                watch = group.create_task(self._tenure.watch(), name=f"{self._rollout.name} lease")
                await self._phases[self._rollout.phase]()
                watch.cancel()
        except BaseExceptionGroup as problems:
            if problems.subgroup(CancelAsked) is None:
                raise _first(problems) from problems
            await self._stop()

    # -- phases ------------------------------------------------------------------------------------

    async def _begin(self) -> None:
        if self._rollout.steps:
            await self._tenure.write(lambda rollout, now: rollout, "rollout.resumed")
            return

        former = await self._former()

        def begun(rollout: Rollout, now: datetime) -> Rollout:
            return replace(rollout, previous=former, steps=steps.first_steps(self._target, now))

        late = lateness(self._rollout)
        detail = {"late": say_duration(late)} if late >= _WORTH_SAYING else {}
        await self._tenure.write(begun, "rollout.started", **detail)

    async def _former(self) -> Release | None:
        """What to go back to: what serves now, which need not be what served at the request.

        A rollout may have been carried out meanwhile, or, while people thought about an approval,
        somebody may have brought something else without us.
        """
        rollout = self._rollout
        since = await self._tenure.live_since(rollout.requested_at)
        if since is not None:
            return since.release
        if self._clock.now() - rollout.requested_at < _FRESH:
            return rollout.previous
        return await self._observation.serving(rollout.previous)

    async def _start(self) -> None:
        sent = self._tenure.was_begun
        async for _ in self._observation.attempts(self._deadline()):
            if await self._tenure.is_cancelled():
                await self._stop_start(sent=sent)
                return
            now = self._clock.now()
            order = orders.to_start(self._rollout, self._target, now, resumed=sent)
            try:
                async with asyncio.timeout(self._pace.call_seconds):
                    started = await self._provider.start(order)
            except (OutcomeUnknown, TimeoutError):
                sent = True
            except ProviderUnavailable as exc:
                await self._note(exc.message)
            except OperationError as exc:
                await self._end(endings.refused_by_provider(exc, sent=sent))
                return
            else:
                await self._advance(Phase.FOLLOWING, started)
                return
        await self._end(endings.never_answered(self._target, sent=sent))

    async def _follow(self) -> None:
        seen = await self._observe(self._deadline())
        if seen.verdict is not Verdict.SUCCEEDED:
            await self._conclude(seen)
        elif self._target.health is not None:
            await self._begin_verifying(seen)
        else:
            await self._end(endings.live(seen), seen)

    async def _conclude(self, seen: Progress) -> None:
        """Every verdict but success."""
        match seen.verdict:
            case Verdict.FAILED:
                await self._fail(seen.failure or Failure(summary="The platform reports a failure"))
            case Verdict.ROLLED_BACK:
                await self._end(endings.rolled_back_by_platform(self._target, seen))
            case Verdict.CANCELLED:
                await self._end(endings.stopped_at_platform(self._target))
            case _:
                await self._end(endings.cannot_tell(seen))

    async def _verify(self) -> None:
        rule = self._target.health
        if rule is None:  # the rule was taken out of the configuration meanwhile
            await self._end(endings.live(Progress(activity="Rollout")))
            return
        misses, healthy_since, trouble = 0, self._clock.now(), ""
        while misses < self._pace.misses:
            trouble = await self._probe.probe(rule)
            misses = misses + 1 if trouble else 0
            if trouble:
                healthy_since = self._clock.now()
                await self._note(trouble)
            elif self._clock.now() - healthy_since >= rule.span:
                await self._confirm(rule)
                return
            await self._clock.sleep(max(0.05, min(2.0, rule.span.total_seconds() / 5)))
        await self._fail(
            Failure(summary="It went out, but is not healthy", reason=f"{rule.url} {trouble}")
        )

    async def _confirm(self, rule: HealthRule) -> None:
        """Health does not tell whose it is: another change may have taken our place meanwhile."""

        async def keep_quiet(seen: Progress) -> None:
            """The step that runs is the watch over health."""

        handle, deadline = self._rollout.handle or {}, self._clock.now() + self._target.timeout
        seen = await self._observation.verdict(handle, deadline, keep_quiet, self._note)
        if seen.verdict is Verdict.SUCCEEDED:
            await self._end(endings.live_and_healthy(rule))
        else:
            await self._conclude(seen)

    async def _restore(self) -> None:
        problem = "no former release is known"
        order = orders.to_restore(self._rollout, self._target, self._clock.now())
        async for _ in self._observation.attempts(self._way_back_deadline()):
            if order is None:
                break
            try:
                async with asyncio.timeout(self._pace.call_seconds):
                    started = await self._provider.restore(order)
            except MAY_PASS as exc:
                problem = exc.message
                await self._note(problem)
            except TimeoutError:
                problem = "no answer"
            except OperationError as exc:
                await self._end(endings.not_restored(exc.message, exc.hint))
                return
            else:
                await self._advance(Phase.RETURNING, started)
                return
        await self._end(endings.not_restored(problem, _LOOK))

    async def _return(self) -> None:
        seen = await self._observe(self._way_back_deadline())
        if seen.verdict is Verdict.SUCCEEDED:
            await self._end(endings.restored, seen)
            return
        why = seen.failure.summary if seen.failure else seen.detail
        await self._end(endings.not_restored(why, _LOOK))

    # -- from phase to phase -----------------------------------------------------------------------

    async def _fail(self, failure: Failure) -> None:
        """Store why, then bring the former release back where that is wanted and can be done."""
        failure = endings.cleaned(failure)
        if endings.should_restore(self._rollout, self._target, self._provider.capabilities):
            await self._begin_restoring("rollout.failing", failure)
            return
        await self._end(endings.failed(failure, self._target, self._provider.capabilities))

    async def _stop_start(self, *, sent: bool) -> None:
        """What may have arrived is taken back, and not sent once more for the sake of being found."""
        if sent:
            await self._begin_restoring("rollout.stopping", None)
        else:
            await self._end(endings.never_began)

    async def _stop(self) -> None:
        """The cancel that somebody asked for, unless the phase was over when it was seen."""
        if self._rollout.phase in CANCELLABLE:
            await self._begin_restoring("rollout.stopping", None)

    async def _begin_restoring(self, action: str, failure: Failure | None) -> None:
        def restoring(rollout: Rollout, now: datetime) -> Rollout:
            return replace(
                rollout,
                state=RolloutState.RUNNING,
                phase=Phase.RESTORING,
                failure=failure,
                steps=steps.way_back(rollout.steps, rollout.previous, now),
            )

        await self._tenure.write(restoring, action, why=failure.summary if failure else "")

    async def _begin_verifying(self, seen: Progress) -> None:
        def verifying(rollout: Rollout, now: datetime) -> Rollout:
            known = steps.with_progress(rollout.steps, seen)
            return replace(
                rollout,
                state=RolloutState.VERIFYING,
                phase=Phase.VERIFYING,
                steps=steps.finish_running(known, StepState.DONE, now),
            )

        await self._tenure.write(verifying, "rollout.verifying")

    async def _advance(self, phase: Phase, started: Started) -> None:
        def advanced(rollout: Rollout, now: datetime) -> Rollout:
            return replace(
                rollout,
                phase=phase,
                handle=started.handle,
                steps=steps.after_start(rollout.steps, started.summary, now),
            )

        await self._tenure.write(advanced, f"rollout.{phase.value}", what=started.summary)

    async def _end(self, ending: endings.Ending, seen: Progress | None = None) -> None:
        """`seen` is the last observation, when the step that runs should show it."""

        def ended(rollout: Rollout, now: datetime) -> Rollout:
            closed = endings.with_late_cancel(ending(rollout))
            known = steps.with_progress(closed.steps, seen) if seen else closed.steps
            went_well = closed.state is RolloutState.SUCCEEDED or (
                rollout.phase is Phase.RETURNING
                and closed.state in {RolloutState.ROLLED_BACK, RolloutState.CANCELLED}
            )
            last = StepState.DONE if went_well else StepState.FAILED
            return replace(
                closed,
                phase=Phase.DONE,
                ended_at=now,
                steps=steps.finish_running(known, last, now),
            )

        await self._tenure.write(ended, "rollout.ended")

    # -- what phases share -------------------------------------------------------------------------

    async def _observe(self, deadline: datetime) -> Progress:
        handle = self._rollout.handle or {}
        return await self._observation.verdict(handle, deadline, self._tell, self._note)

    async def _tell(self, seen: Progress) -> None:
        known = steps.with_progress(self._rollout.steps, seen)
        if known != self._rollout.steps:
            await self._tenure.write(lambda rollout, now: replace(rollout, steps=known))

    async def _note(self, text: str) -> None:
        """Show trouble beside the running step."""
        known = steps.with_note(self._rollout.steps, clean(text, limit=200))
        if known != self._rollout.steps:
            await self._tenure.write(lambda rollout, now: replace(rollout, steps=known))

    def _deadline(self) -> datetime:
        return (self._rollout.started_at or self._clock.now()) + self._target.timeout

    def _way_back_deadline(self) -> datetime:
        begun = [step.at for step in self._rollout.steps if step.at is not None]
        return max(begun, default=self._clock.now()) + self._target.timeout


def _first(problems: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a group, however deep."""
    inner = problems.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner
