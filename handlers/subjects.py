"""Names of what messages are about, for every way of telling: `D-1042` a rollout, `A-17` an alert.

`A-17/2` is the alert too: what is told of a subject in several places is a notice for each of them, and
the number behind the stroke tells those apart.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from operations.errors import InvalidRequest

_NAME = re.compile(r"([A-Z])-([1-9][0-9]{0,11})(?:/[1-9][0-9]?)?", re.ASCII)
_T = TypeVar("_T")


class UnknownSubject(InvalidRequest):
    """Nothing has this name, or not any more."""


def find_subject(kinds: Mapping[str, Callable[[int], _T]], name: str) -> _T:
    """What has this name; `kinds` by letter. Raises UnknownSubject when nothing can have it."""
    match = _NAME.fullmatch(name)
    find = kinds.get(match[1]) if match else None
    if match is None or find is None:
        raise UnknownSubject(f"“{name[:40]}” names nothing that HMS-SYS knows.")
    return find(int(match[2]))
