"""The parts of the file that are sound by themselves, each with its place, for the rules between them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter

from bot.config.document import KeyPath, Value
from bot.config.sections import (
    AnyPlacement,
    Approvals,
    Check,
    Component,
    ErrorSource,
    Placement,
)
from bot.config.values import Member

Part = TypeVar("Part")
Step = TypeVar("Step", str, int)


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault and the path where it stands."""

    path: KeyPath
    message: str
    of_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`…_declared`: names as they stand in the file, whether or not what they name is sound."""

    environments_declared: list[str]
    targets_declared: Mapping[str, list[str]]
    approvals: Mapping[str, Approvals]
    deployers: Mapping[str, list[str]]
    access_is_sound: bool
    placements: Mapping[tuple[str, str], Placement]
    checks: Mapping[int, Check]
    sources: Mapping[int, ErrorSource]
    components: Mapping[str, Component]
    components_are_sound: bool


_APPROVALS = TypeAdapter(Approvals)
_DEPLOYERS = TypeAdapter(list[Member])
_PLACEMENT: TypeAdapter[Placement] = TypeAdapter(AnyPlacement)
_CHECK = TypeAdapter(Check)
_SOURCE = TypeAdapter(ErrorSource)
_COMPONENT = TypeAdapter(Component)


@dataclass(frozen=True, slots=True)
class Sorting:
    """Takes from a file's content what is not at or under a broken path."""

    content: Value
    broken: Collection[KeyPath]

    def parts(self) -> Parts:
        """All sound parts."""
        projects = self._names("projects")
        targets = {name: self._names("projects", name, "environments") for name in projects}
        return Parts(
            environments_declared=self._names("environments"),
            targets_declared=targets,
            approvals=dict(self._approvals()),
            deployers=self._named(_DEPLOYERS, "access", "deploy"),
            access_is_sound=self._is_sound(("access",)),
            placements=dict(self._placements(targets)),
            checks=self._listed(_CHECK, "checks"),
            sources=self._listed(_SOURCE, "errors", "sources"),
            components=self._named(_COMPONENT, "components"),
            components_are_sound=self._is_sound(("components",)),
        )

    def _is_sound(self, path: KeyPath) -> bool:
        return not any(bad[: len(path)] == path for bad in self.broken)

    def _at(self, path: KeyPath) -> Value:
        node = self.content
        for step in path:
            if isinstance(node, dict) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int):
                node = node[step]
            else:
                return None
        return node

    def _names(self, *path: str) -> list[str]:
        node = self._at(path)
        return list(node) if isinstance(node, dict) else []

    def _named(self, kind: TypeAdapter[Part], *path: str) -> dict[str, Part]:
        return {
            name: kind.validate_python(self._at((*path, name)))
            for name in self._names(*path)
            if self._is_sound((*path, name))
        }

    def _listed(self, kind: TypeAdapter[Part], *path: str) -> dict[int, Part]:
        node = self._at(path)
        return {
            i: kind.validate_python(item)
            for i, item in enumerate(node if isinstance(node, list) else [])
            if self._is_sound((*path, i))
        }

    def _approvals(self) -> Iterator[tuple[str, Approvals]]:
        for name in self._names("environments"):
            path = ("environments", name, "approvals")
            given = self._at(path)
            if given is not None and self._is_sound(path):
                yield name, _APPROVALS.validate_python(given)

    def _placements(
        self, targets: Mapping[str, list[str]]
    ) -> Iterator[tuple[tuple[str, str], Placement]]:
        for project, environments in targets.items():
            for name in environments:
                path = ("projects", project, "environments", name)
                if self._is_sound(path):
                    yield (project, name), _PLACEMENT.validate_python(self._at(path))
