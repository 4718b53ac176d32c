"""What became of each part of a legacy configuration, for people and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from operations.integration.legacy.document import Place


class FindingKind(StrEnum):
    """In the order in which a person wants to read them."""

    DECISION = "needs a decision"
    UNKNOWN = "not understood"
    CHANGED = "changed"
    SECRET = "moved to the environment"  # noqa: S105 - a heading
    TAKEN = "taken over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`path` is the legacy key (`projects.myapp.cluster`), "" for what no key stands for.

    `text` never holds a secret's value.
    """

    kind: FindingKind
    path: str
    text: str
    place: Place | None = None
