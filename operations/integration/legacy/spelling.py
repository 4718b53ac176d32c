"""Finds a value under any of the ways in which HMS-OPS's users wrote its key.

`forge.api_token` is read from `{"forge": {"api_token": …}}`, `{"forge_api_token": …}`,
`{"forgeApiToken": …}` and `{"Forge": {"api-token": …}}` alike. What was read is remembered, so that the
rest can be told as not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from operations.integration.legacy.document import Document, Path, Place, Unreadable, Value
from operations.redaction import clean

NAMES = ("name", "project", "app", "application", "project_name", "app_name", "id", "key", "slug", "title",
         "service", "service_name", "deployment", "deployment_name", "site_name", "domain")  # fmt: skip
"""Which key of an object in a list tells what it is called."""

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@lru_cache(maxsize=10_000)
def plain_key(key: str) -> str:
    """`forgeApiToken`, `Forge-API-Token` and `FORGE_API_TOKEN` to `forge_api_token`."""
    parted = _HUMP.sub("_", key.strip()) if re.search("[a-z]", key) else key
    plain = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
    return re.sub(r"(^|_)k8_s(?=_|$)", r"\1k8s", plain)


def say_path(path: Path) -> str:
    """`projects.myapp.environments[0]`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def listed(text: str) -> list[str]:
    """The parts of a text with commas, semicolons or lines between."""
    return [part.strip() for part in re.split(r"[,;\n|]", text) if part.strip()]


def whole_number(value: Value) -> int | None:
    """A whole number, also one written as text."""
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]{1,18}\s*", value):
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return None


@dataclass(frozen=True, slots=True)
class Found:
    """A value and where it stands."""

    path: Path
    value: Value


@dataclass(slots=True)
class Reading:
    """One pass over a document; `used` are the paths that were understood, each with all below it.

    An object is understood part by part: asking for it does not make its parts understood. `hidden` are
    secrets: nobody who asks for a value ever gets one of them.
    """

    document: Document
    used: set[Path] = field(default_factory=set)
    hidden: set[Path] = field(default_factory=set)

    def find(self, at: Path, *spellings: str) -> Found | None:
        """The first of the spellings that is there below `at`, and not null."""
        for found in self.every(at, *spellings):
            self._mark(found)
            return found
        return None

    def every(self, at: Path, *spellings: str) -> Iterator[Found]:
        """All that is there under the spellings; looking at it does not make it understood."""
        for spelling in spellings:
            for found in self._resolve(at, spelling.split(".")):
                if found.value is not None and found.path not in self.hidden:
                    yield found

    def text(self, at: Path, *spellings: str) -> str:
        """A text, or a number as text; "" when there is none, or an object. Raises Unreadable for others."""
        for found in self.every(at, *spellings):
            if not isinstance(found.value, dict):
                return self.as_text(found)
        return ""

    def as_text(self, found: Found) -> str:
        """A text, or a number as text; raises Unreadable for anything else."""
        if isinstance(found.value, bool) or not isinstance(found.value, str | int):
            raise self.wrong_type(found, "a text")
        self.used.add(found.path)
        return str(found.value).strip()

    def number(self, at: Path, *spellings: str) -> int | None:
        """A whole number, also one written as text. Raises Unreadable for anything else."""
        found = self.find(at, *spellings)
        if found is None:
            return None
        number = whole_number(found.value)
        if number is None:
            raise self.wrong_type(found, "a whole number")
        return number

    def members_of(self, found: Found, names: tuple[str, ...] = NAMES) -> list[tuple[str, Path]]:
        """The named parts of an object, or of a list of objects with one of `names`, or of names alone."""
        match found.value:
            case dict(children):
                return [(name, (*found.path, name)) for name in children]
            case list(items):
                return [self._named(found, index, names) for index in range(len(items))]
            case str(text):
                return [(name, found.path) for name in listed(text)]
        raise self.wrong_type(found, "an object or a list")

    def has(self, at: Path, spelling: str) -> bool:
        """Whether the key is there; asking does not make it understood."""
        return any(found.value is not None for found in self._resolve(at, spelling.split(".")))

    def has_prefix(self, word: str) -> bool:
        """Whether a key at the top begins with the word: `aws_region`."""
        return any(plain_key(key).startswith(f"{word}_") for key in self.document.content)

    def value(self, path: Path) -> Value:
        """What stands at a path; None for nothing."""
        node: Value = self.document.content
        for step in path:
            if isinstance(node, dict) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int) and step < len(node):
                node = node[step]
            else:
                return None
        return node

    def place(self, path: Path) -> Place:
        """Where it stands."""
        while path and path not in self.document.places:
            path = path[:-1]
        return self.document.places.get(path, Place(1, 1))

    def leaves(self) -> Iterator[Found]:
        """Every value that is no object and no list, in the file's order."""
        yield from _leaves((), self.document.content)

    def unused(self) -> Iterator[Found]:
        """Leaves that nothing asked for."""
        for leaf in self.leaves():
            if not any(leaf.path[:length] in self.used for length in range(1, len(leaf.path) + 1)):
                yield leaf

    def wrong_type(self, found: Found, wanted: str) -> Unreadable:
        """A fault for a value of another type than is understood."""
        return Unreadable(f"{self.say(found.path)} must be {wanted}", self.place(found.path))

    def say(self, path: Path) -> str:
        """The path as it stands in the file, fit to show: a key may hold a secret by mistake."""
        for length in range(len(path), 0, -1):
            origin = self.document.origins.get(path[:length])
            if origin is not None:
                path = (*origin, *path[length:])
                break
        return clean(say_path(path), limit=200).replace("\n", " ")

    def _mark(self, found: Found) -> None:
        """What holds parts of its own is understood when they are."""
        value = found.value
        if isinstance(value, dict) or (
            isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
        ):
            return
        self.used.add(found.path)

    def _resolve(self, at: Path, parts: list[str]) -> Iterator[Found]:
        """Every way to read the parts as keys within keys: all joined first, then nested."""
        node = self.value(at)
        if not isinstance(node, dict):
            return
        for length in range(len(parts), 0, -1):
            wanted = "_".join(parts[:length])
            for key, child in node.items():
                if plain_key(key) != wanted:
                    continue
                if length == len(parts):
                    yield Found((*at, key), child)
                else:
                    yield from self._resolve((*at, key), parts[length:])

    def _named(self, found: Found, index: int, names: tuple[str, ...]) -> tuple[str, Path]:
        path = (*found.path, index)
        item = self.value(path)
        if isinstance(item, str):
            return item.strip(), path
        if isinstance(item, dict):
            name = self.text(path, *names)
            if name:
                return name, path
        raise self.wrong_type(Found(path, item), "a name, or an object with a name")


def _leaves(path: Path, node: Value) -> Iterator[Found]:
    match node:
        case dict(children):
            for key, child in children.items():
                yield from _leaves((*path, key), child)
        case list(items):
            for index, child in enumerate(items):
                yield from _leaves((*path, index), child)
        case _:
            yield Found(path, node)
