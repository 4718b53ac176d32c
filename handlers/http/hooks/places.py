"""Which target a system means, by its own words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from operations.deployment.target import Catalog, Target
from operations.errors import UnknownTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """`targets` by the sender's names; `default` for what names none that is known, "" none.

    Both are names of targets, `myapp/prod`, that the configuration has checked.
    """

    catalog: Catalog
    targets: Mapping[str, str] = field(default_factory=dict)
    default: str = ""

    def find(
        self, projects: Iterable[str], environment: str, names: Iterable[str]
    ) -> Target | None:
        """By the names that we use, else by those that the sender uses, else the default."""
        for project in projects:
            if found := self._named(project, environment):
                return found
        chosen = next((self.targets[name] for name in names if name in self.targets), self.default)
        return self.catalog.find(*chosen.split("/", 1)) if chosen else None

    def _named(self, project: str, environment: str) -> Target | None:
        try:
            return self.catalog.find(project, environment)
        except UnknownTarget:
            return None
