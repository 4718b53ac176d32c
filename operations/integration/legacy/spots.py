"""A place of a legacy configuration that says where something is deployed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from operations.integration.legacy import vocabulary as words
from operations.integration.legacy.document import Path
from operations.integration.legacy.spelling import Reading, plain_key


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a target's keys may stand, the innermost first.

    `provider` is "" where only the keys tell it. `assumed` says what no key says: the environment, or the
    project's name. `read_as` says how a name was taken apart. `is_object`: the project's name is that of the
    platform's object, as its section lists objects.
    """

    project: str
    environment: str
    layers: Sequence[Path]
    provider: str = ""
    assumed: tuple[str, ...] = ()
    read_as: str = ""
    is_object: bool = False

    @property
    def name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"


def looks_like_target(reading: Reading, at: Path) -> bool:
    """Whether an object says by itself where something is deployed."""
    keys = [*words.PROVIDER_WORDS, *(key for keys in words.TELLTALES.values() for key in keys)]
    if any(True for _ in reading.every(at, *keys)):
        return True
    value = next(reading.every(at, *words.LOOSE_PROVIDER_WORDS), None)
    return value is not None and plain_key(str(value.value)) in words.PROVIDERS
