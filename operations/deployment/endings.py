"""How a rollout ends, and in which words: pure functions from a rollout to the ended rollout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from operations.deployment.phrases import say_actor
from operations.deployment.ports import Capabilities
from operations.deployment.progress import Failure, Progress
from operations.deployment.rollout import Rollout, RolloutKind, RolloutState
from operations.deployment.target import HealthRule, OnFailure, Target
from operations.durations import say_duration
from operations.errors import OperationError
from operations.redaction import clean

Ending = Callable[[Rollout], Rollout]


def cleaned(failure: Failure) -> Failure:
    """The platform's texts made fit to store."""
    return Failure(
        summary=clean(failure.summary, limit=300),
        reason=clean(failure.reason, limit=1500),
        evidence=tuple(clean(line, limit=2000) for line in failure.evidence[-60:]),
    )


def should_restore(rollout: Rollout, target: Target, capabilities: Capabilities) -> bool:
    """Whether a failed rollout is followed by the way back; a failed way back is not."""
    return (
        rollout.kind is RolloutKind.DEPLOY
        and target.on_failure is OnFailure.ROLLBACK
        and capabilities.rolls_back
        and rollout.previous is not None
        and rollout.previous.artifact != rollout.release.artifact
    )


def live(seen: Progress) -> Ending:
    """The platform says that the requested revision serves."""
    return _ending(RolloutState.SUCCEEDED, seen.detail or "It serves.")


def live_and_healthy(rule: HealthRule) -> Ending:
    """It serves and stayed healthy for as long as asked."""

    def ended(rollout: Rollout) -> Rollout:
        counted = next((s.detail for s in reversed(rollout.steps) if s.total > 0), "")
        outcome = f"{counted} · " if counted else ""
        return replace(
            rollout,
            state=RolloutState.SUCCEEDED,
            outcome=f"{outcome}healthy for {say_duration(rule.span)}",
        )

    return ended


def with_late_cancel(ended: Rollout) -> Rollout:
    """Who was told that it is being stopped must find out that it was not."""
    if ended.state is not RolloutState.SUCCEEDED or ended.cancelled_by is None:
        return ended
    late = f"the cancel of {say_actor(ended.cancelled_by)} came too late"
    return replace(ended, outcome=f"{ended.outcome.rstrip('.')} · {late}")


def failed(failure: Failure, target: Target, capabilities: Capabilities) -> Ending:
    """It failed and stays as it is, by wish or because there is no way back."""
    if target.on_failure is OnFailure.LEAVE:
        note = "Left as it is, as configured."
    elif not capabilities.rolls_back:
        note = capabilities.note
    else:
        note = "There is no other former release to go back to."
    return _ending(RolloutState.FAILED, note, failure)


def refused_by_provider(error: OperationError, *, sent: bool) -> Ending:
    """The platform said no. When an earlier try may have arrived, nobody knows what holds."""
    failure = Failure(summary="The platform refused it", reason=clean(error.message, limit=1500))
    if sent:
        return _ending(
            RolloutState.UNKNOWN, "An earlier try may have arrived. Look at the platform.", failure
        )
    return _ending(RolloutState.FAILED, error.hint or "Nothing was changed.", failure)


def never_answered(target: Target, *, sent: bool) -> Ending:
    """The platform could not be told within the target's time."""
    failure = Failure(summary=f"{target.spec.title} did not answer")
    span = say_duration(target.timeout)
    if sent:
        return _ending(
            RolloutState.UNKNOWN,
            f"It was sent, and no answer came within {span}. Look at the platform.",
            failure,
        )
    return _ending(RolloutState.FAILED, f"Nothing was changed within {span}.", failure)


def never_began(rollout: Rollout) -> Rollout:
    """Cancelled before the platform was told anything."""
    by = f" by {say_actor(rollout.cancelled_by)}" if rollout.cancelled_by else ""
    return replace(
        rollout, state=RolloutState.CANCELLED, outcome=f"Cancelled{by} before anything was changed."
    )


def rolled_back_by_platform(target: Target, seen: Progress) -> Ending:
    """The platform gave up by itself and brought the former release back."""
    failure = cleaned(seen.failure or Failure(summary="The platform rolled it back"))

    def ended(rollout: Rollout) -> Rollout:
        former = rollout.previous.version if rollout.previous else "The former release"
        outcome = f"{former} is serving again, brought back by {target.spec.title}."
        return replace(rollout, state=RolloutState.ROLLED_BACK, outcome=outcome, failure=failure)

    return ended


def stopped_at_platform(target: Target) -> Ending:
    """Somebody stopped it there, not through us."""
    return _ending(RolloutState.CANCELLED, f"Stopped at {target.spec.title} by somebody there.")


def cannot_tell(seen: Progress) -> Ending:
    """Nobody can say what serves; never success."""
    failure = cleaned(seen.failure) if seen.failure else None
    why = clean(seen.detail, limit=300) or "The platform cannot tell what became of it"
    return _ending(RolloutState.UNKNOWN, f"{why.rstrip('.')}. Look at the platform.", failure)


def restored(rollout: Rollout) -> Rollout:
    """The former release serves again, after a failure or a cancel."""
    former = rollout.previous.version if rollout.previous else "The former release"
    if rollout.failure is None and rollout.cancelled_by is not None:
        return replace(
            rollout,
            state=RolloutState.CANCELLED,
            outcome=f"Cancelled by {say_actor(rollout.cancelled_by)}; {former} is serving again.",
        )
    return replace(rollout, state=RolloutState.ROLLED_BACK, outcome=f"{former} is serving again.")


def not_restored(problem: str, hint: str) -> Ending:
    """The way back failed as well: a failure that people must look at."""
    why = clean(problem, limit=300).rstrip(".") or "the platform did not say why"
    outcome = f"The former release could not be brought back: {why}. {hint}".strip()

    def ended(rollout: Rollout) -> Rollout:
        state = RolloutState.FAILED if rollout.failure else RolloutState.UNKNOWN
        return replace(rollout, state=state, outcome=outcome)

    return ended


def _ending(state: RolloutState, outcome: str, failure: Failure | None = None) -> Ending:
    return lambda rollout: replace(
        rollout, state=state, outcome=outcome, failure=failure or rollout.failure
    )
