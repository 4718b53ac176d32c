"""The parts of the file that are sound by themselves, each with its place, for the rules between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import TypeAdapter

from bot.config.document import KeyPath, Value
from bot.config.sections.monitoring import Check, ErrorSource, Escalation
from bot.config.sections.programs import Component, Notify
from bot.config.sections.targets import COMMON_KEYS, Approvals, read_spec
from bot.config.values import Member
from operations.deployment.target import TargetSpec

Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault and the path where it stands."""

    path: KeyPath
    message: str
    of_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """`…_declared`: names as they stand in the file, whether or not what they name is sound.

    `mentions`: names of targets, and `rights`: rights of components, by where they are written.
    """

    environments_declared: list[str]
    targets_declared: Mapping[str, list[str]]
    approvals: Mapping[str, Approvals]
    deployers_declared: list[str]
    deployers: Mapping[str, list[str]]
    access_is_sound: bool
    specs: Mapping[tuple[str, str], TargetSpec]
    mentions: Mapping[KeyPath, str]
    rights: Mapping[KeyPath, str]
    checks: Mapping[int, Check]
    sources: Mapping[int, ErrorSource]
    has_legacy: bool
    dual: Sequence[KeyPath]
    escalation: Escalation | None
    notify: Mapping[int, Notify]
    components: Mapping[str, Component]
    components_are_sound: bool


_APPROVALS = TypeAdapter(Approvals)
_DEPLOYERS = TypeAdapter(list[Member])
_CHECK = TypeAdapter(Check)
_SOURCE = TypeAdapter(ErrorSource)
_ESCALATION = TypeAdapter(Escalation)
_NOTIFY = TypeAdapter(Notify)
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
            deployers_declared=self._names("access", "deploy"),
            deployers=self._named(_DEPLOYERS, "access", "deploy"),
            access_is_sound=self._is_sound(("access",)),
            specs=dict(self._specs(targets)),
            mentions=dict(self._texts(self._mentions())),
            rights=dict(self._texts(self._rights())),
            checks=self._listed(_CHECK, "checks"),
            sources=self._listed(_SOURCE, "errors", "sources"),
            has_legacy=self._at(("legacy",)) is not None,
            dual=list(self._dual(targets)),
            escalation=self._escalation(),
            notify=self._listed(_NOTIFY, "notify"),
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
        return {
            i: kind.validate_python(self._at((*path, i)))
            for i in range(self._length(*path))
            if self._is_sound((*path, i))
        }

    def _approvals(self) -> Iterator[tuple[str, Approvals]]:
        for name in self._names("environments"):
            path = ("environments", name, "approvals")
            given = self._at(path)
            if given is not None and self._is_sound(path):
                yield name, _APPROVALS.validate_python(given)

    def _dual(self, targets: Mapping[str, list[str]]) -> Iterator[KeyPath]:
        for project, environments in targets.items():
            for name in environments:
                path = ("projects", project, "environments", name, "dual")
                if self._at(path) is not None:
                    yield path

    def _escalation(self) -> Escalation | None:
        path = ("alerts", "escalation")
        given = self._at(path)
        if given is None or not self._is_sound(path):
            return None
        return _ESCALATION.validate_python(given)

    def _specs(
        self, targets: Mapping[str, list[str]]
    ) -> Iterator[tuple[tuple[str, str], TargetSpec]]:
        for project, environments in targets.items():
            for name in environments:
                path = ("projects", project, "environments", name)
                given = self._at(path)
                own = [bad[4:] for bad in self.broken if bad[:4] == path]
                if isinstance(given, dict) and all(
                    bad[:1] and bad[0] in COMMON_KEYS for bad in own
                ):
                    yield (project, name), read_spec(given)

    def _length(self, *path: str) -> int:
        node = self._at(path)
        return len(node) if isinstance(node, list) else 0

    def _mentions(self) -> Iterator[KeyPath]:
        yield from (("checks", i, "target") for i in range(self._length("checks")))
        for i in range(self._length("errors", "sources")):
            yield "errors", "sources", i, "target"
        for system in self._names("hooks"):
            if self._at(("hooks", system, "target")) is not None:
                yield "hooks", system, "target"
            yield from (
                ("hooks", system, "targets", n) for n in self._names("hooks", system, "targets")
            )

    def _rights(self) -> Iterator[KeyPath]:
        for name in self._names("components"):
            path = ("components", name, "may")
            yield from ((*path, i) for i in range(self._length(*path)))

    def _texts(self, paths: Iterable[KeyPath]) -> Iterator[tuple[KeyPath, str]]:
        for path in paths:
            given = self._at(path)
            if isinstance(given, str) and self._is_sound(path):
                yield path, given
