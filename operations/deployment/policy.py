"""Who may do what, when, and with whose consent: pure functions of values.

The same functions answer the command, the button, the dry run and `why`. Nothing here reads a clock,
a database or a network; whoever calls brings what is known and acts on the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.actor import Actor, ActorKind
from operations.deployment.phrases import say_actor, say_people
from operations.deployment.rollout import Rollout, RolloutKind, TargetLock
from operations.deployment.target import ApprovalRule, Target, Window
from operations.errors import Blocked, InvalidRequest, NotPermitted, Refused


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
