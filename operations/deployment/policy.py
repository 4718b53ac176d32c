"""Who may do what, when, and with whose consent: pure functions of values.

The same functions answer the command, the button, the dry run and `why`. Nothing here reads a clock,
a database or a network; whoever calls brings what is known and acts on the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.actor import Actor, ActorKind
from operations.deployment.rollout import (
    ACTIVE,
    Rollout,
    RolloutKind,
    RolloutState,
    TargetLock,
    VoteKind,
)
from operations.deployment.target import ApprovalRule, Target, Window
from operations.errors import Blocked, InvalidRequest, NotPermitted, Refused, StaleDecision


@dataclass(frozen=True, slots=True)
class Identity:
    """An actor and those of the user groups that matter here to which they belong."""

    actor: Actor
    groups: frozenset[str] = frozenset()

    def is_in(self, names: Collection[str]) -> bool:
        """Whether the actor, or a group of theirs, is among the names."""
        return self.actor.id in names or not self.groups.isdisjoint(names)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A wish to ship to `target`, with all that the answer depends on."""

    target: Target
    identity: Identity
    now: datetime
    lock: TargetLock | None = None
    emergency: bool = False
    is_rollback: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`obstacles` in the order to mention them; none: it may go on, after `rule`'s votes if there is one."""

    obstacles: tuple[Refused, ...]
    rule: ApprovalRule | None

    @property
    def votes_required(self) -> int:
        """Votes that are needed before it is queued."""
        return self.rule.required if self.rule else 0


def assess(question: Question) -> Answer:
    """What stands in the way of a deploy now, and whose votes it needs."""
    found = [permission_obstacle(question.target, question.identity), _emergency_obstacle(question)]
    if not (question.emergency or question.is_rollback):
        found += [
            lock_obstacle(question.lock, question.identity),
            window_obstacle(question.target.windows, question.now),
        ]
    return Answer(
        obstacles=tuple(obstacle for obstacle in found if obstacle is not None),
        rule=required_rule(
            question.target, emergency=question.emergency, is_rollback=question.is_rollback
        ),
    )


def required_rule(target: Target, *, emergency: bool, is_rollback: bool) -> ApprovalRule | None:
    """Whose consent a rollout needs: none for a way back, one admin's in an emergency."""
    if is_rollback:
        return None
    if emergency:
        expires = target.approval.expires if target.approval else timedelta(hours=1)
        return ApprovalRule(required=1, voters=target.admins, expires=expires)
    return target.approval


def permission_obstacle(target: Target, identity: Identity) -> Refused | None:
    """Whether the actor may ask for a deploy to the target at all."""
    if may_deploy(target, identity):
        return None
    return NotPermitted(
        f"You may not deploy to {target.name}.",
        hint=f"{say_people(target.deployers or ())} may.",
    )


def may_deploy(target: Target, identity: Identity) -> bool:
    """The right of `access.deploy`; a component's rights were checked where its token was read."""
    if target.deployers is None or identity.actor.kind is ActorKind.COMPONENT:
        return True
    return identity.is_in(target.deployers)


def lock_obstacle(lock: TargetLock | None, identity: Identity) -> Refused | None:
    """A lock holds back everybody but its holder."""
    if lock is None or lock.actor.id == identity.actor.id:
        return None
    until = f" until {lock.until:%d %b %H:%M} UTC" if lock.until else ""
    why = f": {lock.reason}" if lock.reason else ""
    return Blocked(
        f"{lock.project}/{lock.environment} is locked by {say_actor(lock.actor)}{until}{why}.",
        hint="They or an admin can lift it with `unlock`.",
    )


def window_obstacle(windows: Collection[Window], now: datetime) -> Refused | None:
    """Outside every window nothing ships."""
    if not windows or any(is_open(window, now) for window in windows):
        return None
    return Blocked(
        f"Deploys are allowed {' or '.join(w.text for w in windows)} only.",
        hint="In an emergency an admin can consent: `--emergency --reason TEXT`.",
    )


def hold_obstacle(
    rollout: Rollout, target: Target, lock: TargetLock | None, now: datetime
) -> Refused | None:
    """What holds back a rollout that everybody agreed to; emergencies and ways back pass.

    `storage.rollout_queue` has the same rule for the claim, with the windows by `closed_targets`.
    """
    if rollout.emergency or rollout.kind is RolloutKind.ROLLBACK:
        return None
    found = lock_obstacle(lock, Identity(rollout.requested_by))
    if found is not None:
        return Blocked(found.message, hint=f"{found.hint} Then it goes on by itself.")
    found = window_obstacle(target.windows, now)
    return Blocked(found.message, hint="Then it goes on by itself.") if found else None


def closed_targets(targets: Iterable[Target], now: datetime) -> frozenset[str]:
    """Names of the targets that are outside every window of theirs."""
    return frozenset(t.name for t in targets if window_obstacle(t.windows, now) is not None)


def is_open(window: Window, now: datetime) -> bool:
    """Whether `now` is inside, by the window's own wall clock; a night window belongs to its first day."""
    local = now.astimezone(window.timezone)
    clock, day = local.time(), local.weekday()
    if window.start < window.end:
        return day in window.days and window.start <= clock < window.end
    if clock >= window.start:
        return day in window.days
    return clock < window.end and (day - 1) % 7 in window.days


def _emergency_obstacle(question: Question) -> Refused | None:
    if not question.emergency:
        return None
    if not question.reason.strip():
        return InvalidRequest(
            "An emergency needs a reason.", hint="Add `--reason TEXT`; it is kept in history."
        )
    if not question.target.admins:
        return Blocked(
            "Nobody can consent to an emergency: no `access.admin` is configured.",
            hint="Deploy without `--emergency`, or name an admin in hms.yaml.",
        )
    return None


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


def unlock_obstacle(lock: TargetLock, target: Target, identity: Identity) -> Refused | None:
    """Holders lift their own locks, admins any; where no admin is named, whoever may deploy."""
    if lock.actor.id == identity.actor.id or identity.is_in(target.admins):
        return None
    if not target.admins and may_deploy(target, identity):
        return None
    return NotPermitted(
        f"The lock of {target.name} is {say_actor(lock.actor)}'s.",
        hint=f"They can lift it, and {say_people(target.admins or (lock.actor.id,))}.",
    )


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
