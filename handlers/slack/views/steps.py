"""The lines of a card while a rollout is carried out: what is done, what runs, what is to come."""

from __future__ import annotations

from datetime import datetime

from handlers.slack.views.blocks import bar, clock, dots, one_line, person
from operations.deployment.progress import Step, StepState
from operations.deployment.rollout import Rollout
from operations.durations import say_duration

_SIGNS = {
    StepState.PENDING: "▫️",
    StepState.RUNNING: "▶️",
    StepState.DONE: "✅",
    StepState.FAILED: "❌",
}
_SHOWN = 12


def step_lines(rollout: Rollout, now: datetime) -> list[str]:
    """Who agreed, then one line a step; of very many the newest."""
    return [_approved(rollout, now), *[_line(step, now) for step in rollout.steps[-_SHOWN:]]]


def counted(steps: tuple[Step, ...]) -> str:
    """The last count that a step told: `3 of 3`."""
    told = [step for step in steps if step.total > 0 and step.ready >= 0]
    return f"{told[-1].ready} of {told[-1].total}" if told else ""


def _approved(rollout: Rollout, now: datetime) -> str:
    if not rollout.approvals:
        return ""
    names = [person(vote.actor) for vote in rollout.approvals[:6]]
    who = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return f"✅ Approved by {who} · {clock(rollout.approvals[-1].at, now)}"


def _line(step: Step, now: datetime) -> str:
    name = one_line(step.name, 120)
    sign = _SIGNS[step.state]
    if step.state is StepState.RUNNING:
        shown = bar(step.ready, step.total) if step.total > 0 and step.ready >= 0 else ""
        since = say_duration(now - step.at) if step.at else ""
        return f"{sign} {dots(' '.join(filter(None, [f'*{name}*', shown, _count(step)])), since)}"
    at = clock(step.at, now) if step.at and step.state is not StepState.PENDING else ""
    return f"{sign} {dots(name, _count(step) if step.state is StepState.FAILED else '', at)}"


def _count(step: Step) -> str:
    if step.detail:
        return one_line(step.detail, 160)
    return f"{step.ready} of {step.total}" if step.total > 0 and step.ready >= 0 else ""
