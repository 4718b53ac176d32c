"""The steps that people watch while a rollout runs: pure changes of a tuple of `Step`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from operations.deployment.progress import Progress, Step, StepState
from operations.deployment.release import Release
from operations.deployment.target import Target
from operations.durations import say_duration

Steps = tuple[Step, ...]


def first_steps(target: Target, now: datetime) -> Steps:
    """The provider is being told; the rest is to come."""
    steps = (
        Step(name=f"Tell {target.spec.title}", state=StepState.RUNNING, at=now),
        Step(name="Rollout", state=StepState.PENDING),
    )
    if target.health is None:
        return steps
    return (
        *steps,
        Step(name=f"Health for {say_duration(target.health.span)}", state=StepState.PENDING),
    )


def after_start(steps: Steps, summary: str, now: datetime) -> Steps:
    """The provider has accepted: the first running step is done, the next one runs."""
    position = _running(steps)
    done = replace(steps[position], name=summary, state=StepState.DONE, at=now)
    following = [
        replace(step, state=StepState.RUNNING, at=now) for step in steps[position + 1 :][:1]
    ]
    return (*steps[:position], done, *following, *steps[position + 2 :])


def with_progress(steps: Steps, progress: Progress) -> Steps:
    """The platform's own account of the running step."""
    position = _running(steps)
    step = replace(
        steps[position],
        name=progress.activity,
        detail=progress.detail,
        ready=progress.ready,
        total=progress.total,
    )
    return (*steps[:position], step, *steps[position + 1 :])


def with_note(steps: Steps, text: str) -> Steps:
    """A word of trouble beside the running step."""
    position = _running(steps)
    return (*steps[:position], replace(steps[position], detail=text), *steps[position + 1 :])


def finish_running(steps: Steps, state: StepState, now: datetime) -> Steps:
    """The running step ends; the next pending one, if it went well, begins."""
    position = _running(steps)
    ended = replace(steps[position], state=state, at=now)
    rest = steps[position + 1 :]
    if state is StepState.DONE and rest:
        rest = (replace(rest[0], state=StepState.RUNNING, at=now), *rest[1:])
    return (*steps[:position], ended, *rest)


def way_back(steps: Steps, previous: Release | None, now: datetime) -> Steps:
    """What ran has failed or was stopped; what was to come is dropped; the way back begins."""
    kept = [
        replace(step, state=StepState.FAILED, at=now) if step.state is StepState.RUNNING else step
        for step in steps
        if step.state is not StepState.PENDING
    ]
    former = previous.version if previous else "the former release"
    return (
        *kept,
        Step(name=f"Bring {former} back", state=StepState.RUNNING, at=now),
        Step(name=f"{former} again", state=StepState.PENDING),
    )


def _running(steps: Steps) -> int:
    """The position of the step that runs; the last one when none does."""
    return next(
        (i for i, step in enumerate(steps) if step.state is StepState.RUNNING), len(steps) - 1
    )
