"""Where the targets of a legacy configuration stand, however projects and environments are nested.

Projects as an object or a list, at the top, within an environment, within a platform's section, or one alone
without a name of its own; environments under a project, at the top, as names, or at the end of a project's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from operations.integration.legacy import vocabulary as words
from operations.integration.legacy.document import Path
from operations.integration.legacy.spelling import NAMES, Found, Reading, plain_key
from operations.integration.legacy.spots import Spot, looks_like_target
from operations.integration.legacy.vocabulary import (
    environment_kind,
    same_environment,
    split_name,
)

ASSUMED_ENVIRONMENT = "production"
"""HMS-OPS's users who had one environment gave it no name."""

_ENVIRONMENT_NAMES = (*words.ENVIRONMENT, *NAMES)
_Named = tuple[str, Path]


def find_spots(reading: Reading) -> list[Spot]:
    """Every target that the file names, once, in its order."""
    return list(_Shapes(reading).spots())


@dataclass(slots=True)
class _Shapes:
    reading: Reading
    _shared: list[_Named] = field(default_factory=list)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def spots(self) -> Iterator[Spot]:
        self._shared = list(self._environments(()))
        for spot in self._all():
            key = (spot.project, spot.environment)
            if key not in self._seen:
                self._seen.add(key)
                yield spot

    def _all(self) -> Iterator[Spot]:
        for name, at in self._projects(()):
            yield from self._of_project(name, at)
        for environment, above in self._shared:
            for name, at in self._within_environment(above):
                yield self._spot(name, environment, (at, above))
        for provider, sections in words.SECTIONS.items():
            for section in sections:
                yield from self._of_section(provider, section)
        if not self._seen:
            yield from self._bare()
        if not self._seen:
            yield from self._alone()

    def _projects(self, at: Path) -> Iterator[_Named]:
        """Under any of the words for projects; a list or an object of them."""
        for found in self.reading.every(at, *words.PROJECTS):
            yield from self._members(found)
        for found in self.reading.every(at, *words.PROJECT):
            if isinstance(found.value, dict) and not self._is_one(found.path):
                yield from self._members(found)

    def _is_one(self, at: Path) -> bool:
        """`project: {name: shop, …}` is one project, `project: {shop: …}` holds one."""
        named = any(True for _ in self.reading.every(at, "name", *words.ENVIRONMENT))
        return named or looks_like_target(self.reading, at)

    def _members(self, found: Found, names: tuple[str, ...] = NAMES) -> list[_Named]:
        if isinstance(found.value, bool | int | float):
            return []
        if isinstance(found.value, str):
            self.reading.used.add(found.path)
        if isinstance(found.value, list) and not any(
            isinstance(item, dict | list) for item in found.value
        ):
            self.reading.used.add(found.path)
        return self.reading.members_of(found, names)

    def _of_project(
        self, name: str, at: Path, provider: str = "", outer: Sequence[Path] = ()
    ) -> Iterator[Spot]:
        """With its own environments, else with those of all, else with the one that its name tells."""
        own = [*self._environments(at), *self._beneath_sections(at)]
        for environment, path in own:
            yield self._spot(name, environment, (path, at, *outer), provider)
        if own:
            return
        project, environment = split_name(name)
        if environment:
            spot = self._spot(project, environment, (at, *outer), provider)
            yield replace(spot, read_as=f"{name} is read as {project} in {environment}")
        elif self._shared:
            for shared, _ in self._shared:
                yield self._spot(name, shared, (at, *outer), provider)
        else:
            yield self._spot(
                name, ASSUMED_ENVIRONMENT, (at, *outer), provider, (_no_environment(),)
            )

    def _environments(self, at: Path) -> Iterator[_Named]:
        """Under a word for environments, by a key for one, or each as a key of its own."""
        found = next(self.reading.every(at, *words.ENVIRONMENTS), None)
        if found is not None:
            yield from self._members(found, _ENVIRONMENT_NAMES)
            return
        single = next(self.reading.every(at, *words.ENVIRONMENT), None)
        if single is not None and self._names_environments(single):
            is_text = isinstance(single.value, str) and at
            named = self._members(single, _ENVIRONMENT_NAMES)
            yield from ((name, at if is_text else path) for name, path in named)
            return
        yield from self._environment_keys(at)
        node = self.reading.value(at)
        if isinstance(node, list):
            yield from self._members(Found(at, node), _ENVIRONMENT_NAMES)

    def _names_environments(self, found: Found) -> bool:
        """`env: {APP_DEBUG: 1}` are a program's variables."""
        if isinstance(found.value, dict):
            all_hold = all(isinstance(child, dict) for child in found.value.values())
            return all_hold and not looks_like_target(self.reading, found.path)
        return isinstance(found.value, str | list)

    def _environment_keys(self, at: Path) -> Iterator[_Named]:
        """`shop: {production: {…}}`, by the key's being an environment's, or by what it holds."""
        node = self.reading.value(at)
        for key, child in node.items() if isinstance(node, dict) else ():
            plain = plain_key(key)
            if not isinstance(child, dict) or (plain in words.KNOWN_KEYS and plain != "stage"):
                continue
            path = (*at, key)
            is_project = at == () and self._holds_environments(path)
            if plain in words.ENVIRONMENT_WORDS or (
                not is_project
                and (environment_kind(key) if at == () else looks_like_target(self.reading, path))
            ):
                yield key, path

    def _holds_environments(self, at: Path) -> bool:
        return any(True for _ in self._environments(at))

    def _beneath_sections(self, at: Path) -> Iterator[_Named]:
        """`shop: {k8s: {production: {…}}}`."""
        if at == ():
            return
        for sections in words.SECTIONS.values():
            for section in self.reading.every(at, *sections):
                if isinstance(section.value, dict):
                    yield from self._environments(section.path)

    def _within_environment(self, at: Path) -> Iterator[_Named]:
        """Projects under an environment: by a key of their own, or every object that is no section."""
        named = list(self._projects(at))
        yield from named
        node = self.reading.value(at)
        if named or not isinstance(node, dict):
            return
        for key, child in node.items():
            if isinstance(child, dict) and plain_key(key) not in words.KNOWN_KEYS:
                yield key, (*at, key)

    def _of_section(self, provider: str, section: str) -> Iterator[Spot]:
        """`k8s: {deployments: {api: {…}}}`; what is a project already is no second one."""
        for above in self.reading.every((), section):
            for found in self.reading.every(above.path, *words.SECTION_PROJECTS[provider]):
                if isinstance(found.value, str):
                    continue
                for name, at in self._members(found):
                    if not self._is_known(name):
                        for spot in self._of_project(name, at, provider, (above.path,)):
                            yield replace(spot, is_object=self._lists_objects(found))
            for server in self.reading.every(above.path, "servers") if provider == "forge" else ():
                yield from self._of_server(server, above.path)

    def _lists_objects(self, found: Found) -> bool:
        """`deployments` and `services` do, `apps` do not."""
        return plain_key(str(found.path[-1])) in ("deployments", "services", "workloads")

    def _of_server(self, servers: Found, section: Path) -> Iterator[Spot]:
        """`forge: {servers: {web1: {sites: {shop: 7}}}}`: what no project names is one itself."""
        if not isinstance(servers.value, dict | list):
            return
        for _, above in self._members(servers):
            for found in self.reading.every(above, "sites"):
                for name, at in self._members(found):
                    if not self._is_known(name):
                        yield from self._of_project(name, at, "forge", (above, section))

    def _is_known(self, name: str) -> bool:
        """A project, or an environment: `deployments: {production: web}` says one target's deployment."""
        known = {project.lower() for project, _ in self._seen}
        return name.lower() in known or name.lower() in words.ENVIRONMENT_WORDS

    def _bare(self) -> Iterator[Spot]:
        """Objects at the top that are projects by what they hold."""
        for key, child in self.reading.document.content.items():
            if not isinstance(child, dict) or plain_key(key) in words.KNOWN_KEYS:
                continue
            if any(environment == key for environment, _ in self._shared):
                continue
            if looks_like_target(self.reading, (key,)) or self._holds_environments((key,)):
                yield from self._of_project(key, (key,))

    def _alone(self) -> Iterator[Spot]:
        """One project without an object of its own: on each platform that the file says anything about."""
        at = next((found.path for found in self.reading.every((), *words.PROJECT)
                   if isinstance(found.value, dict)), ())  # fmt: skip
        platforms = [provider for provider in words.SECTIONS if self._is_on(provider, at)]
        if not platforms and not (self._is_named(at) and looks_like_target(self.reading, at)):
            return
        name = self._name(at)
        assumed = () if name else ("no project is named",)
        environments = self._own_environments(at)
        if not environments:
            environments = [(ASSUMED_ENVIRONMENT, at)]
            assumed = (*assumed, _no_environment())
        for environment, path in environments:
            yield from self._on_each(
                platforms or [""], name or "app", environment, path, at, assumed
            )

    def _own_environments(self, at: Path) -> list[_Named]:
        return list(self._environments(at)) or self._shared

    def _on_each(
        self, platforms: Sequence[str], name: str, environment: str, path: Path, at: Path,
        assumed: tuple[str, ...],
    ) -> Iterator[Spot]:  # fmt: skip
        if len(platforms) == 1:
            yield self._spot(name, environment, (path, at), platforms[0], assumed)
            return
        for platform in platforms:
            note = (
                f"the file deploys {name} to {len(platforms)} platforms, and a target has one: this is"
                f" {name}-{platform} now"
            )
            yield self._spot(
                f"{name}-{platform}", environment, (path, at), platform, (*assumed, note)
            )

    def _is_named(self, at: Path) -> bool:
        return bool(self._name(at))

    def _name(self, at: Path) -> str:
        for found in self.reading.every(at, *words.PROJECT_NAMES):
            if isinstance(found.value, str):
                return self.reading.as_text(found)
        return ""

    def _is_on(self, provider: str, at: Path) -> bool:
        """What no target of the platform can do without."""
        places = [at, (), *(path for _, path in self._shared)]
        return any(
            True for place in places for _ in self.reading.every(place, *words.NEEDED[provider])
        )

    def _spot(
        self, project: str, environment: str, inner: Sequence[Path], provider: str = "",
        assumed: tuple[str, ...] = (),
    ) -> Spot:  # fmt: skip
        """With the layers that stand around: the environment of all, and that of a platform's section."""
        shared = [path for name, path in self._shared if same_environment(name, environment)]
        layers: list[Path] = []
        for base in (*inner, *shared, ()):
            layers += [*self._of_environment(base, environment), base]
        return Spot(project, environment, tuple(dict.fromkeys(layers)), provider, assumed)

    def _of_environment(self, base: Path, environment: str) -> Iterator[Path]:
        for words_ in words.SECTIONS.values():
            for section in self.reading.every(base, *words_):
                yield from (
                    path
                    for name, path in self._section_environments(section)
                    if same_environment(name, environment)
                )

    def _section_environments(self, section: Found) -> Iterator[_Named]:
        if isinstance(section.value, dict):
            yield from self._environment_keys(section.path)
            for found in self.reading.every(section.path, *words.ENVIRONMENTS):
                if isinstance(found.value, dict):
                    yield from self._members(found)


def _no_environment() -> str:
    return f"no environment is named: it is taken to be {ASSUMED_ENVIRONMENT}; check it"
