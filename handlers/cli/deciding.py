"""approve, reject, cancel, review, lock and unlock."""

from __future__ import annotations

from handlers.cli.exits import DONE
from handlers.cli.session import Session
from handlers.cli.wording import clock_time, headline, who
from handlers.documents import lock_document, rollout_document
from handlers.language import Approve, Cancel, Lock, Reject, Review, Unlock
from operations.deployment.phrases import say_state
from operations.deployment.rollout import Rollout, RolloutState, TargetLock

Deciding = Approve | Reject | Cancel | Review
Holding = Lock | Unlock


async def decide(command: Deciding, session: Session) -> int:
    """Vote or withdraw, and tell what became of the rollout."""
    decisions = session.deployments.decisions
    match command:
        case Approve():
            rollout = await decisions.approve(command.rollout_id, session.actor)
        case Reject():
            rollout = await decisions.reject(command.rollout_id, session.actor, command.reason)
        case Cancel():
            rollout = await decisions.cancel(command.rollout_id, session.actor)
        case Review():
            reviews = session.deployments.reviews
            rollout = await reviews.review(command.rollout_id, session.actor, command.note)
    if session.terminal.as_json:
        session.terminal.document(rollout_document(rollout))
    session.terminal.say(_decision_lines(rollout))
    return DONE


def _decision_lines(rollout: Rollout) -> list[str]:
    if rollout.review is not None:
        return [f"Your review of {rollout.name} is kept."]
    if rollout.state is RolloutState.PENDING_APPROVAL:
        missing = rollout.votes_required - len(rollout.approvals)
        return [f"Your vote for {rollout.name} counts. It needs {missing} more."]
    if rollout.cancelled_by is not None and not rollout.has_ended:
        return [f"{rollout.name} is being stopped. See `show {rollout.name}`."]
    return [headline(rollout), f"{rollout.name} {say_state(rollout)}."]


async def hold(command: Holding, session: Session) -> int:
    """Lock or unlock."""
    locking = session.deployments.locking
    if isinstance(command, Lock):
        lock = await locking.lock(
            command.project,
            command.environment,
            session.actor,
            reason=command.reason,
            span=command.span,
        )
        said = _lock_line(lock)
    else:
        lock = await locking.unlock(command.project, command.environment, session.actor)
        said = f"{lock.project}/{lock.environment} is open again; {_whose(lock, session)}"
    if session.terminal.as_json:
        session.terminal.document(lock_document(lock))
    session.terminal.say([said])
    return DONE


def _lock_line(lock: TargetLock) -> str:
    until = f" until {clock_time(lock.until)}" if lock.until else " until somebody unlocks it"
    return f"{lock.project}/{lock.environment} is locked{until}."


def _whose(lock: TargetLock, session: Session) -> str:
    holder = who(lock.actor, session.terminal.names)
    return f"it was locked by {holder}" + (f": {lock.reason}" if lock.reason else ".")
