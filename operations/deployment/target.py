"""Where one can deploy to: a project in an environment, with the rules that hold there."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta
from enum import StrEnum
from typing import Protocol
from zoneinfo import ZoneInfo

from operations.errors import UnknownTarget


class TargetSpec(Protocol):
    """The provider's own part of a target. Only the adapter looks inside; the rest shows `title`."""

    @property
    def provider(self) -> str:
        """The provider's word: `k8s`, `aws`, `forge`."""
        ...

    @property
    def title(self) -> str:
        """Platform and object for people: `AWS ECS main/myapp`."""
        ...

    @property
    def identity(self) -> str:
        """Equal for two targets that would deploy to the same object, which is a fault."""
        ...


class OnFailure(StrEnum):
    """What a failed rollout does with the target."""

    ROLLBACK = "rollback"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """`voters` are Slack user and user-group ids; empty: anyone who may deploy there."""

    required: int
    voters: frozenset[str] = frozenset()
    self_approval: bool = False
    expires: timedelta = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Hours in which deploying is allowed. `days`: 0 (Monday) to 6; `end` before `start` spans midnight."""

    days: frozenset[int]
    start: time
    end: time
    timezone: ZoneInfo
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthRule:
    """A URL that must answer `expect`, without a miss, for `span` after the rollout."""

    url: str
    expect: int = 200
    span: timedelta = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`deployers` None: everybody may. `admins` may lift others' locks and cancel others' rollouts."""

    project: str
    environment: str
    spec: TargetSpec
    channel: str = ""
    repository: str = ""
    approval: ApprovalRule | None = None
    windows: tuple[Window, ...] = ()
    timeout: timedelta = timedelta(minutes=10)
    on_failure: OnFailure = OnFailure.ROLLBACK
    health: HealthRule | None = None
    deployers: frozenset[str] | None = None
    admins: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"

    @property
    def provider(self) -> str:
        """The provider's word."""
        return self.spec.provider


@dataclass(frozen=True, slots=True)
class Catalog:
    """All targets of the configuration, by project and environment."""

    targets: tuple[Target, ...]
    _index: Mapping[tuple[str, str], Target] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index by lower-case name, as commands are read in any case."""
        index = {(t.project.lower(), t.environment.lower()): t for t in self.targets}
        object.__setattr__(self, "_index", index)

    def projects(self) -> list[str]:
        """Names of all projects, each once, in the configuration's order."""
        return list(dict.fromkeys(t.project for t in self.targets))

    def environments(self, project: str) -> list[str]:
        """Names of the project's environments, in the configuration's order."""
        return [t.environment for t in self.targets if t.project.lower() == project.lower()]

    def spelled(self, project: str, environment: str) -> tuple[str, str]:
        """Both names as the configuration spells them; as they are when it does not know them."""
        projects = {name.lower(): name for name in self.projects()}
        environments = {t.environment.lower(): t.environment for t in self.targets}
        return (
            projects.get(project.lower(), project),
            environments.get(environment.lower(), environment),
        )

    def find(self, project: str, environment: str) -> Target:
        """The target, whatever the case of its names; raises UnknownTarget naming the nearest ones."""
        target = self._index.get((project.lower(), environment.lower()))
        if target is not None:
            return target
        environments = self.environments(project)
        if not environments:
            raise self._no_project(project, self._instead(project, environment))
        raise UnknownTarget(
            f"{project} has no environment “{environment}”.",
            hint=_nearest(environment, environments),
        )

    def _instead(self, project: str, environment: str) -> str:
        """A project where the environment stands: the word before it was meant as a provider."""
        if not self.environments(environment):
            return ""
        words = ", ".join(sorted({target.provider for target in self.targets}))
        return f"“{environment}” is one: leave “{project}” out, or say a provider ({words})."

    def select(self, project: str = "", environment: str = "") -> list[Target]:
        """All targets, or a project's, or one; raises UnknownTarget when a name is not known."""
        if not project:
            return list(self.targets)
        if environment:
            return [self.find(project, environment)]
        chosen = [t for t in self.targets if t.project.lower() == project.lower()]
        if not chosen:
            raise self._no_project(project)
        return chosen

    def _no_project(self, word: str, hint: str = "") -> UnknownTarget:
        """It may be an environment, said without the project before it."""
        _, environment = self.spelled("", word)
        having = [t.project for t in self.targets if t.environment == environment]
        if having and not hint:
            hint = f"It is an environment of {', '.join(having[:12])}: say the project before it."
        return UnknownTarget(
            f"There is no project “{word}”.", hint=hint or _nearest(word, self.projects())
        )


def _nearest(word: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(word.lower(), [n.lower() for n in names], n=1, cutoff=0.55)
    guess = next((n for n in names if close and n.lower() == close[0]), None)
    if guess:
        return f"Did you mean “{guess}”?"
    listed = ", ".join(names[:12])
    return f"Known: {listed}." if listed else "Nothing is configured yet."
