"""Which kind of thing an id names, so that one of the wrong kind is answered with the right command."""

from __future__ import annotations

import re
from dataclasses import dataclass

from handlers.language.words import DASHES

_ID = re.compile(rf"([dae])[{DASHES}](\d{{1,12}})", re.IGNORECASE)
_KINDS = {
    "d": ("a rollout", "show D-{0}"),
    "a": ("an alert", "ack A-{0}"),
    "e": ("an error", "errors E-{0}"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """`noun`: "an alert"; `command` is what one says with it: `ack A-17`."""

    noun: str
    command: str


def kind_of(written: str) -> Kind | None:
    """Of an id in full, `A-17`; None for what is no id."""
    found = _ID.fullmatch(written.strip())
    if found is None:
        return None
    noun, command = _KINDS[found[1].lower()]
    return Kind(noun, command.format(found[2]))
