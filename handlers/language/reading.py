"""What was said so far of one command, and where it was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from handlers.language.grammar import Option, Verb
from handlers.language.words import Word, as_text
from operations.errors import InvalidRequest
from operations.redaction import clean


class Names(Protocol):
    """The names that the configuration knows; a catalog has them."""

    def environments(self, project: str) -> Sequence[str]:
        """Those of a project; none for one that there is not."""
        ...

    def select(self, project: str) -> Sequence[object]:
        """Raises InvalidRequest for a project that there is not, and says which there are."""
        ...


@dataclass(frozen=True, slots=True)
class Surface:
    """Where the words were said."""

    command_line: bool = False
    switches: Mapping[str, Sequence[Option]] = field(default_factory=dict)
    names: Names | None = None


@dataclass(slots=True)
class Reading:
    """`positional` are the words without a name, `given` the values by their field."""

    verb: Verb
    surface: Surface
    positional: list[Word] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)

    @property
    def options(self) -> list[Option]:
        """What can be said by name here."""
        return [*self.verb.options, *self.surface.switches.get(self.verb.name, ())]

    @property
    def usage(self) -> str:
        """Without what cannot be said here."""
        options = self.verb.options
        told = [o for o in options if self.surface.command_line or not o.cli_only]
        return f"Usage: `{self.verb.usage_with(told)}`."

    @property
    def in_free_text(self) -> bool:
        """Whether a word that comes now is part of a reason or a note."""
        places = self.verb.arguments
        return bool(places) and places[-1].rest and len(self.positional) >= len(places) - 1

    def put(self, name: str, key: str, value: str) -> None:
        """Store a value; said twice, it must be the same."""
        if self.given.setdefault(key, value) != value:
            raise refusal(
                self,
                f"`{self.verb.name}` was given two different values for {name}: "
                f"“{short(self.given[key])}” and “{short(value)}”.",
            )


def refusal(reading: Reading, message: str, *, hint: str = "") -> InvalidRequest:
    """What cannot be understood, and what to say instead."""
    return InvalidRequest(message, hint=hint or reading.usage)


def short(text: str) -> str:
    """Somebody's word, to be quoted in an answer."""
    return clean(as_text(text), limit=40)
