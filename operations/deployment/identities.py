"""Finds out which user groups of a target's rules an actor belongs to."""

from __future__ import annotations

from operations.actor import Actor
from operations.deployment.policy import Identity
from operations.deployment.ports import Members
from operations.deployment.target import Target


async def identify(actor: Actor, target: Target, members: Members) -> Identity:
    """Ask only for groups (S…) that the target's rules name, and only for people.

    Raises ProviderUnavailable when Slack cannot tell.
    """
    named = set(target.deployers or ()) | target.admins
    if target.approval:
        named |= target.approval.voters
    groups = {name for name in named if name.startswith("S")}
    if not groups or not actor.is_person:
        return Identity(actor)
    return Identity(actor, await members.groups_of(actor.id, groups))
