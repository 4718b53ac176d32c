"""Looking, afterwards, at what passed locks and windows in an emergency.

Whoever asked cannot review it; an admin can, and anyone who may deploy there, also who consented: the
review says that the deed was looked at once it was over, not that it was allowed.
"""

from __future__ import annotations

from dataclasses import replace

from operations.actor import Actor
from operations.deployment.identities import identify
from operations.deployment.journal import record, redraw
from operations.deployment.phrases import say_actor, say_people
from operations.deployment.policy import Identity, may_deploy
from operations.deployment.resources import Resources
from operations.deployment.rollout import Review, Rollout, rollout_name
from operations.deployment.target import Target
from operations.errors import NotPermitted, Refused, StaleDecision, UnknownRollout
from operations.redaction import shorten


class Reviews:
    """Writes down who looked."""

    def __init__(self, resources: Resources) -> None:
        self._catalog = resources.catalog
        self._store = resources.store
        self._members = resources.members
        self._clock = resources.clock

    async def review(self, rollout_id: int, actor: Actor, note: str = "") -> Rollout:
        """Record the review, in the rollout and in the audit trail; raises Refused."""
        async with self._store.snapshot() as tx:
            rollout = _found(await tx.rollouts.get(rollout_id), rollout_id)
        target = self._catalog.find(rollout.project, rollout.environment)
        identity = await identify(actor, target, self._members)
        async with self._store.transaction() as tx:
            rollout = _found(await tx.rollouts.get(rollout_id, lock=True), rollout_id)
            obstacle = review_obstacle(rollout, target, identity)
            if obstacle is not None:
                raise obstacle
            review = Review(actor=actor, at=self._clock.now(), note=shorten(note))
            reviewed = await tx.rollouts.save(replace(rollout, review=review))
            await record(tx, reviewed, "rollout.reviewed", actor, review.at, note=review.note)
            await redraw(tx, reviewed, review.at)
        return reviewed


def review_obstacle(rollout: Rollout, target: Target, identity: Identity) -> Refused | None:
    """Why this review would not count; None when it does."""
    return _subject_obstacle(rollout) or _reviewer_obstacle(rollout, target, identity)


def _subject_obstacle(rollout: Rollout) -> Refused | None:
    if not rollout.emergency:
        return StaleDecision(
            f"{rollout.name} was no emergency: it needs no review.",
            hint="See `history --unreviewed`.",
        )
    if not rollout.has_ended:
        return StaleDecision(
            f"{rollout.name} is not over yet.", hint="Review it once it has ended."
        )
    if not rollout.was_started:
        return StaleDecision(f"{rollout.name} never began: there is nothing to review.")
    if rollout.review is not None:
        return StaleDecision(
            f"{say_actor(rollout.review.actor)} has reviewed {rollout.name} already.",
            hint=f"See `show {rollout.name}`.",
        )
    return None


def _reviewer_obstacle(rollout: Rollout, target: Target, identity: Identity) -> Refused | None:
    if not identity.actor.is_person:
        return NotPermitted(
            "Your review counts for nothing here: this login is not mapped to a Slack user.",
            hint="An admin can add it under `access.cli` in hms.yaml.",
        )
    if identity.actor.id == rollout.requested_by.id:
        return NotPermitted(
            f"You asked for {rollout.name} yourself: somebody else has to review it.",
            hint=f"{_reviewers(target)} can.",
        )
    if identity.is_in(target.admins) or may_deploy(target, identity):
        return None
    return NotPermitted(f"You may not review {rollout.name}.", hint=f"{_reviewers(target)} can.")


def _reviewers(target: Target) -> str:
    if target.deployers is None:
        return "Anybody else"
    return say_people(target.deployers | target.admins)


def _found(rollout: Rollout | None, rollout_id: int) -> Rollout:
    if rollout is None:
        raise UnknownRollout(
            f"There is no rollout {rollout_name(rollout_id)}.", hint="See `history`."
        )
    return rollout
