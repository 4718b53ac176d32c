"""How states and people are called within a sentence, wherever a refusal or an outcome is one."""

from __future__ import annotations

from collections.abc import Collection

from operations.actor import Actor
from operations.deployment.rollout import ACTIVE, Rollout, RolloutState

_STATE_WORDS = {
    RolloutState.PENDING_APPROVAL: "waits for approval",
    RolloutState.QUEUED: "is approved and waits in the queue",
    RolloutState.RUNNING: "is approved and rolling out",
    RolloutState.VERIFYING: "is rolled out and being watched",
    RolloutState.SUCCEEDED: "has gone live already",
    RolloutState.REJECTED: "was rejected",
    RolloutState.EXPIRED: "has expired",
    RolloutState.CANCELLED: "was cancelled",
    RolloutState.FAILED: "has failed",
    RolloutState.ROLLED_BACK: "has failed and was rolled back",
    RolloutState.UNKNOWN: "ended without a known outcome",
}


def say_state(rollout: Rollout) -> str:
    """What became of it, as the rest of a sentence that began with its name; names who decided."""
    words = _STATE_WORDS[rollout.state]
    if rollout.state is RolloutState.QUEUED and rollout.start_at is not None:
        words = f"is agreed to, to start at {rollout.start_at:%d %b %H:%M} UTC"
    if rollout.votes and rollout.state in {RolloutState.QUEUED, RolloutState.REJECTED} | ACTIVE:
        words += f" (by {' and '.join(say_actor(v.actor) for v in rollout.votes)})"
    return words


def say_actor(actor: Actor) -> str:
    """Slack's mention for a person, which each presenter may translate; else the plain name."""
    return f"<@{actor.id}>" if actor.is_person else (actor.name or actor.id)


def say_people(names: Collection[str]) -> str:
    """Mentions of users and user groups; nobody named is anybody else."""
    if not names:
        return "Anybody else"
    said = [f"<!subteam^{n}>" if n.startswith("S") else f"<@{n}>" for n in sorted(names)]
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
