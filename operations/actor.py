"""Who asks: a person in Slack, a login on the command line, a component, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """Where an actor was identified."""

    SLACK = "slack"
    CLI = "cli"
    COMPONENT = "component"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """`id` is what rights are granted to: `U01ALICE`, `cli:alice`, `component:hms-dev`, `system`.

    A login that `access.cli` maps carries the Slack user's id and is the same person everywhere.
    """

    id: str
    kind: ActorKind
    name: str = ""

    @property
    def is_person(self) -> bool:
        """Whether this actor is a known Slack user, whose vote counts."""
        return self.id[:1] in {"U", "W"}


SYSTEM = Actor(id="system", kind=ActorKind.SYSTEM, name="HMS-SYS")


def component_actor(name: str) -> Actor:
    """A component, as rollouts and the audit trail name it."""
    return Actor(id=f"component:{name}", kind=ActorKind.COMPONENT, name=name)
