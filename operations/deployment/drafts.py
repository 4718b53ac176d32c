"""What a request becomes: a rollout that is stored, and those that give way to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from operations.actor import Actor
from operations.deployment.journal import announce, record
from operations.deployment.policy import Answer
from operations.deployment.ports import Transaction
from operations.deployment.release import Release, Resolution
from operations.deployment.rollout import Rollout, RolloutDraft, RolloutKind, RolloutState
from operations.deployment.target import Target
from operations.redaction import shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What somebody asked for, in their words. `version` "": what runs now, or the branch's head.

    `provider` is the optional word of the command. `pin` is what the version must turn out to be, ""
    where that is open. `channel` is where they asked: the rollout is
    announced there when the configuration names no channel.
    """

    project: str
    environment: str
    version: str = ""
    provider: str = ""
    pin: str = ""
    reason: str = ""
    emergency: bool = False
    external_id: str = ""
    channel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """`superseded` were waiting and have given way; `behind` is being carried out first."""

    rollout: Rollout
    superseded: tuple[Rollout, ...] = ()
    behind: Rollout | None = None


Also = Callable[[Transaction, Requested], Awaitable[None]]
"""What is to happen in the transaction that stores a rollout, or not at all."""


def draft_deploy(
    request: DeployRequest,
    target: Target,
    actor: Actor,
    resolution: Resolution,
    answer: Answer,
    now: datetime,
) -> RolloutDraft:
    """A deploy, which waits for votes where a rule asks for them."""
    rule = answer.rule
    return RolloutDraft(
        project=target.project,
        environment=target.environment,
        provider=target.provider,
        kind=RolloutKind.DEPLOY,
        release=resolution.release,
        previous=resolution.current,
        requested_by=actor,
        requested_at=now,
        reason=shorten(request.reason),
        channel=target.channel or request.channel,
        external_id=request.external_id,
        emergency=request.emergency,
        warnings=resolution.warnings,
        state=RolloutState.PENDING_APPROVAL if rule else RolloutState.QUEUED,
        votes_required=answer.votes_required,
        expires_at=now + rule.expires if rule else None,
    )


def draft_rollback(
    request: DeployRequest,
    target: Target,
    actor: Actor,
    release: Release,
    serving: Release | None,
    now: datetime,
) -> RolloutDraft:
    """The way back, which asks for no votes."""
    return RolloutDraft(
        project=target.project,
        environment=target.environment,
        provider=target.provider,
        kind=RolloutKind.ROLLBACK,
        release=release,
        previous=serving,
        requested_by=actor,
        requested_at=now,
        reason=shorten(request.reason),
        channel=target.channel or request.channel,
        external_id=request.external_id,
        emergency=False,
        warnings=(),
        state=RolloutState.QUEUED,
        votes_required=0,
        expires_at=None,
    )


async def store_draft(tx: Transaction, draft: RolloutDraft, now: datetime) -> Requested:
    """Store it, tell of it, and let what waits for the same target give way."""
    waiting = await tx.rollouts.waiting(draft.project, draft.environment)
    rollout = await tx.rollouts.add(draft)
    superseded = tuple([await _supersede(tx, old, rollout, now) for old in waiting])
    await record(
        tx,
        rollout,
        "rollout.requested",
        rollout.requested_by,
        now,
        version=rollout.release.version,
        pin=rollout.release.pin,
        kind=rollout.kind.value,
        reason=rollout.reason,
    )
    await announce(tx, rollout, now)
    behind = await tx.rollouts.active(draft.project, draft.environment)
    return Requested(rollout=rollout, superseded=superseded, behind=behind)


async def _supersede(tx: Transaction, old: Rollout, new: Rollout, now: datetime) -> Rollout:
    ended = await tx.rollouts.save(
        replace(
            old,
            state=RolloutState.CANCELLED,
            ended_at=now,
            outcome=f"Superseded by {new.name} ({new.release.version}).",
        )
    )
    await record(tx, ended, "rollout.superseded", new.requested_by, now, by=new.name)
    await announce(tx, ended, now)
    return ended
