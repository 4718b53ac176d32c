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
from operations.deployment.start_time import LATEST, StartTime, moment_of
from operations.deployment.target import Target
from operations.redaction import shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployRequest:
    """What somebody asked for, in their words. `version` "": what runs now, or the branch's head.

    `provider` is the optional word of the command. `pin` is what the version must turn out to be, ""
    where that is open. `channel` is where they asked: the rollout is
    announced there when the configuration names no channel. `start` None: as soon as it may.
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
    start: StartTime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """`superseded` were waiting and have given way; `behind` is being carried out first.

    `starts` is the time that was asked for, by the clocks of the target, which it names; "": at once.
    """

    rollout: Rollout
    superseded: tuple[Rollout, ...] = ()
    behind: Rollout | None = None
    starts: str = ""


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
    """A deploy, which waits for votes where a rule asks for them, and then for its time."""
    rule = answer.rule
    start_at = moment_of(request.start, target, now)
    expires_at = now + rule.expires if rule else None
    if expires_at is not None and start_at is not None:
        expires_at = min(expires_at, start_at + LATEST)
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
        expires_at=expires_at,
        start_at=start_at,
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
        **_start_detail(rollout),
    )
    await announce(tx, rollout, now)
    behind = await tx.rollouts.active(draft.project, draft.environment)
    return Requested(rollout=rollout, superseded=superseded, behind=behind)


def _start_detail(rollout: Rollout) -> dict[str, str]:
    return {"start_at": f"{rollout.start_at:%d %b %H:%M} UTC"} if rollout.start_at else {}


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
