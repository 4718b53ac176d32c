"""Approvals that nobody could ever give.

Refused is what can be proved from the file alone: a user group may hold anyone, so a rule that names one is
believed. Refused is also a rule that only ever stops: everyone who could ask lacks the votes of others.
"""

from __future__ import annotations

from collections.abc import Iterator

from bot.config.parts import Finding, Parts
from bot.config.sections.targets import Approvals
from bot.config.wording import listing


def check_approvals(parts: Parts) -> Iterator[Finding]:
    """Faults of approvals that can never be met."""
    for name, rule in parts.approvals.items():
        path = ("environments", name, "approvals")
        voters = _voters(parts, name, rule)
        if voters is None:
            continue
        if rule.required > len(voters):
            told = f"asks for {rule.required} votes, and only {listing(sorted(voters))} may vote"
            yield Finding((*path, "required"), f"{told}: name more people or a user group")
        elif not rule.self_approval and _all_are_stuck(parts, name, rule.required, voters):
            told = f"everyone who may deploy to {name} lacks {_votes(rule.required)} of others"
            who = (
                f"only {listing(sorted(voters))} may approve, and nobody approves their own request"
            )
            key = ("from",) if rule.voters else ()
            yield Finding((*path, *key), f"{told}: {who}")


def _votes(number: int) -> str:
    return "the one vote" if number == 1 else f"the {number} votes"


def _voters(parts: Parts, environment: str, rule: Approvals) -> frozenset[str] | None:
    """The people who may vote; None where the file cannot tell."""
    if rule.voters is not None:
        return _people(rule.voters)
    return _deployers(parts, environment)


def _all_are_stuck(parts: Parts, environment: str, required: int, voters: frozenset[str]) -> bool:
    askers = _deployers(parts, environment)
    if askers is None or _a_component_asks(parts, environment):
        return False
    return all(len(voters - {asker}) < required for asker in askers)


def _deployers(parts: Parts, environment: str) -> frozenset[str] | None:
    named = parts.deployers.get(environment) if parts.access_is_sound else None
    return None if named is None else _people(named)


def _people(members: list[str]) -> frozenset[str] | None:
    return None if any(member.startswith("S") for member in members) else frozenset(members)


def _a_component_asks(parts: Parts, environment: str) -> bool:
    right = f"deploy:{environment}"
    sound = parts.components_are_sound
    return not sound or any(right in component.may for component in parts.components.values())
