"""What a target needs, looked for from the inside out: its own object, the project's, the environment's, and
the platform's section at the top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from operations.integration.legacy import vocabulary as words
from operations.integration.legacy.document import Path
from operations.integration.legacy.spelling import Found, Reading, plain_key, whole_number
from operations.integration.legacy.spots import Spot
from operations.integration.legacy.vocabulary import Word, same_environment

INNER = ("name", "repository", "repo", "uri", "url", "arn", "value", "id", "slug")
"""In an object where a text is looked for: the key that holds it."""

_DURATION = re.compile(r"\s*(\d{1,9})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?|)\s*")


@dataclass(slots=True)
class Lookup:
    """`origins`: where the value stood that was taken for a key of a target."""

    reading: Reading
    origins: dict[tuple[str, str], Path] = field(default_factory=dict)

    def text(self, spot: Spot, *spellings: str) -> str:
        """The innermost value of any of the spellings, with `{env}` and `{project}` put in."""
        for layer in spot.layers:
            if text := self.reading.text(layer, *spellings):
                return filled(text, spot)
        return ""

    def seconds(self, spot: Spot, names: tuple[str, ...]) -> int | None:
        """The innermost duration, in the unit that its key or its value says, else in seconds."""
        for layer in spot.layers:
            for spelling, factor in words.timed(names).items():
                for found in self.reading.every(layer, spelling):
                    seconds = self._duration(found, factor)
                    if seconds is not None:
                        return seconds
        return None

    def found(self, spot: Spot, word: Word, inner: tuple[str, ...] = INNER) -> Found | None:
        """The innermost value of a word; its origin is kept when it is taken."""
        for layer in spot.layers:
            for found in self._candidates(layer, word):
                leaf = self.leaf(found, spot, inner)
                if leaf is not None:
                    return leaf
        return None

    def take(self, spot: Spot, key: str, word: Word) -> str:
        """A text for a key of the target; "" when there is none."""
        found = self.found(spot, word)
        if found is None:
            return ""
        self.origins[(spot.name, key)] = found.path
        return filled(self.reading.as_text(found), spot)

    def take_number(self, spot: Spot, key: str, found: Found) -> int | None:
        """The whole number that was found, for a key of the target."""
        self.reading.used.add(found.path)
        self.origins[(spot.name, key)] = found.path
        return whole_number(found.value)

    def leaf(self, found: Found, spot: Spot, inner: tuple[str, ...]) -> Found | None:
        """A value itself, or that of an object with one for each environment or project, or its name."""
        if not isinstance(found.value, dict):
            return found
        for wanted in (spot.environment, spot.project):
            for key, child in found.value.items():
                if same_environment(key, wanted) and not isinstance(child, dict | list):
                    path = (*found.path, key)
                    is_there = child is not None and path not in self.reading.hidden
                    return Found(path, child) if is_there else None
        named = self.reading.every(found.path, *inner)
        return next((each for each in named if not isinstance(each.value, dict | list)), None)

    def _candidates(self, layer: Path, word: Word) -> Iterator[Found]:
        yield from self.reading.every(layer, *word.spellings)
        for found in self.reading.every(layer, *word.maps):
            if isinstance(found.value, dict):
                leaf_keys = [k for k, v in found.value.items() if not isinstance(v, dict | list)]
                if leaf_keys:
                    yield Found(found.path, {key: found.value[key] for key in leaf_keys})

    def _duration(self, found: Found, factor: float) -> int | None:
        """None for an object, and for a text that is something else: a time table."""
        if isinstance(found.value, bool | float | list):
            raise self.reading.wrong_type(found, "a whole number")
        written = _DURATION.fullmatch(str(found.value).lower())
        if isinstance(found.value, dict) or written is None:
            return None
        self.reading.used.add(found.path)
        unit = {"m": 60.0, "h": 3600.0, "s": 1.0}.get(written[2][:1], factor)
        return max(1, round(int(written[1]) * unit))


def filled(text: str, spot: Spot) -> str:
    """HMS-OPS put names into `{env}`, `${ENV}`, `{{project}}` and the like."""

    def fill(found: re.Match[str]) -> str:
        return (
            spot.project if plain_key(found[1]) in {"project", "app", "name"} else spot.environment
        )

    return re.sub(
        r"\$?\{{1,2}\s*(project|app|name|env|environment|stage)\s*\}{1,2}", fill, text, flags=re.I
    )
