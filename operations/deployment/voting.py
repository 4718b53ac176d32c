"""Who may vote for a rollout and against it, and who may call it off: pure, as `policy` is."""

from __future__ import annotations

from datetime import datetime

from operations.actor import Actor
from operations.deployment.phrases import say_actor, say_people, say_state
from operations.deployment.policy import Identity, may_deploy, required_rule
from operations.deployment.rollout import Rollout, RolloutState, VoteKind
from operations.deployment.target import ApprovalRule, Target
from operations.errors import NotPermitted, Refused, StaleDecision


def vote_obstacle(
    rollout: Rollout, target: Target, identity: Identity, now: datetime
) -> Refused | None:
    """Why this vote, for or against, would not count; None when it does."""
    return (
        _decided_obstacle(rollout, identity.actor, now)
        or _voter_obstacle(rollout, target, identity)
        or _repeat_obstacle(rollout, identity.actor)
    )


def _decided_obstacle(rollout: Rollout, actor: Actor, now: datetime) -> Refused | None:
    if rollout.state is not RolloutState.PENDING_APPROVAL:
        voted = any(vote.actor.id == actor.id for vote in rollout.votes)
        counted = "Your earlier vote was counted: " if voted else ""
        return StaleDecision(
            f"{counted}{rollout.name} {say_state(rollout)}.", hint=f"See `show {rollout.name}`."
        )
    if has_expired(rollout, now):
        return StaleDecision(
            f"The request {rollout.name} has expired.",
            hint=f"Ask again: `deploy {rollout.project} {rollout.environment} {rollout.release.version}`.",
        )
    return None


def _voter_obstacle(rollout: Rollout, target: Target, identity: Identity) -> Refused | None:
    rule = required_rule(target, emergency=rollout.emergency, is_rollback=False) or ApprovalRule(
        required=1
    )
    if not identity.actor.is_person:
        return NotPermitted(
            "Your vote counts for nothing here: this login is not mapped to a Slack user.",
            hint="An admin can add it under `access.cli` in hms.yaml.",
        )
    if identity.actor.id == rollout.requested_by.id and not rule.self_approval:
        return NotPermitted(
            f"You asked for {rollout.name} yourself: somebody else has to decide.",
            hint=f"{say_people(rule.voters)} can. You can `cancel {rollout.name}`.",
        )
    allowed = identity.is_in(rule.voters) if rule.voters else may_deploy(target, identity)
    if allowed:
        return None
    return NotPermitted(
        f"You may not decide on {rollout.name}.",
        hint=f"{say_people(rule.voters or target.deployers or ())} can.",
    )


def _repeat_obstacle(rollout: Rollout, actor: Actor) -> Refused | None:
    if not any(vote.actor.id == actor.id for vote in rollout.votes):
        return None
    missing = rollout.votes_required - len(rollout.approvals)
    return StaleDecision(
        f"You have approved {rollout.name} already.",
        hint=f"It needs {missing} more vote{'s' if missing > 1 else ''}, of somebody else.",
    )


def has_expired(rollout: Rollout, now: datetime) -> bool:
    """Whether its question has been open for too long."""
    return rollout.expires_at is not None and now >= rollout.expires_at


def is_approved(rollout: Rollout) -> bool:
    """Whether enough people agreed and nobody refused."""
    refused = any(vote.kind is VoteKind.REJECT for vote in rollout.votes)
    return not refused and len(rollout.approvals) >= rollout.votes_required


def cancel_obstacle(rollout: Rollout, target: Target, identity: Identity) -> Refused | None:
    """Requesters may cancel their own, admins any; where no admin is named, whoever may deploy."""
    if rollout.has_ended:
        return StaleDecision(
            f"{rollout.name} {say_state(rollout)}.", hint="Nothing is left to cancel."
        )
    if rollout.cancelled_by is not None:
        return StaleDecision(
            f"{say_actor(rollout.cancelled_by)} is cancelling {rollout.name} already."
        )
    if rollout.is_returning:
        former = rollout.previous.version if rollout.previous else "The former release"
        return StaleDecision(f"{rollout.name} has failed: {former} is being brought back already.")
    if identity.actor.id == rollout.requested_by.id or identity.is_in(target.admins):
        return None
    if not target.admins and may_deploy(target, identity):
        return None
    return NotPermitted(
        f"You may not cancel {rollout.name}.",
        hint=f"{say_actor(rollout.requested_by)} can"
        + (f", and {say_people(target.admins)}." if target.admins else "."),
    )


def say_cancellers(rollout: Rollout, target: Target) -> str:
    """Who can cancel it, as `cancel_obstacle` has it."""
    if target.admins:
        others = say_people(target.admins)
    elif target.deployers is None:
        others = "anybody who may deploy there"
    else:
        others = say_people(target.deployers)
    return f"{say_actor(rollout.requested_by)} or {others}"
