"""From HMS-OPS's projects and environments, however they are nested, to targets of `hms.yaml`.

What a target needs is looked for from the inside out: its own object, the project's, the environment's, and
the provider's section at the top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from operations.integration.legacy.document import Path
from operations.integration.legacy.findings import Finding, FindingKind
from operations.integration.legacy.spelling import Reading, plain_key, say_path

UNDECIDED_ORGANIZATION = "decide-me"
"""Forge's API of today asks for the organization, which HMS-OPS never knew. No organization has this name."""

_PROVIDERS = {
    "forge": "forge", "laravel_forge": "forge", "laravel": "forge",
    "aws": "aws", "ecs": "aws", "aws_ecs": "aws", "fargate": "aws",
    "k8s": "k8s", "kubernetes": "k8s", "kubectl": "k8s", "kube": "k8s", "eks": "k8s",
}  # fmt: skip
_PROVIDER_WORDS = (
    "provider",
    "platform",
    "type",
    "deploy_type",
    "deployment_type",
    "method",
    "target_type",
)
_SECTIONS = {
    "forge": ("forge", "laravel_forge"),
    "aws": ("aws", "ecs"),
    "k8s": ("k8s", "kubernetes", "kubectl"),
}
_TELLTALE = (
    ("forge", ("site_id", "forge.site_id", "forge.site", "site")),
    ("aws", ("ecs_service", "ecs.service", "task_definition", "ecs_cluster", "ecs.cluster", "cluster")),
    ("k8s", ("deployment", "deployment_name", "workload", "statefulset", "daemonset", "namespace",
             "kubernetes.deployment", "k8s.deployment", "kube_context", "kubectl_context")),
)  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a target's keys may stand, the innermost first."""

    project: str
    environment: str
    layers: Sequence[Path]

    @property
    def name(self) -> str:
        """`myapp/prod`."""
        return f"{self.project}/{self.environment}"


@dataclass(slots=True)
class TargetReader:
    """Reads spots into the keys of a target; `findings` says what was assumed or is missing."""

    reading: Reading
    organization: str = ""
    findings: list[Finding] = field(default_factory=list)

    def read(self, spot: Spot) -> dict[str, object] | None:
        """The target's keys, None when something is missing that nobody can assume."""
        provider = self._provider(spot)
        match provider:
            case "forge":
                return self._forge(spot)
            case "aws":
                return self._aws(spot)
            case "k8s":
                return self._kubernetes(spot)
        self._decide(spot, "nothing says which platform it is on: forge, aws or k8s")
        return None

    def text(self, spot: Spot, *spellings: str) -> str:
        """The innermost value of any of the spellings, with `{env}` and `{project}` put in."""
        for layer in spot.layers:
            if found := self.reading.text(layer, *spellings):
                return _filled(found, spot)
        return ""

    def number(self, spot: Spot, *spellings: str) -> int | None:
        """The innermost whole number."""
        found = (self.reading.number(layer, *spellings) for layer in spot.layers)
        return next((number for number in found if number is not None), None)

    def _provider(self, spot: Spot) -> str:
        word = plain_key(self.text(spot, *_PROVIDER_WORDS))
        if word in _PROVIDERS:
            return _PROVIDERS[word]
        for layer in spot.layers:
            for provider, keys in _TELLTALE:
                if any(self._has(layer, key) for key in keys):
                    return provider
        return self._only_section()

    def _has(self, layer: Path, spelling: str) -> bool:
        """Asked without counting as understood."""
        return self.reading.has(layer, spelling)

    def _only_section(self) -> str:
        """The one platform that the file says anything about."""
        named = [
            provider
            for provider, words in _SECTIONS.items()
            if any(self.reading.has((), word) or self.reading.has_prefix(word) for word in words)
        ]
        return named[0] if len(named) == 1 else ""

    def _forge(self, spot: Spot) -> dict[str, object] | None:
        server = self.number(spot, "server_id", "forge.server_id", "forge.server", "server")
        site = self.number(spot, "site_id", "forge.site_id", "forge.site", "site")
        if not server or not site:
            self._decide(spot, "Forge needs the numbers of the server and of the site")
            return None
        organization = self.organization or self.text(spot, "organization", "forge.organization")
        if not organization:
            organization = UNDECIDED_ORGANIZATION
            self._decide(
                spot, "Forge's API asks for the organization, as in the addresses of Forge"
            )
        branch = self.text(spot, "branch", "forge.branch", "git.branch", "deploy_branch")
        keys: dict[str, object] = {
            "provider": "forge", "organization": organization, "server": server, "site": site,
        }  # fmt: skip
        return keys | ({"branch": branch} if branch else {})

    def _aws(self, spot: Spot) -> dict[str, object] | None:
        keys = {
            "region": self.text(spot, "region", "aws.region", "ecs.region", "aws.default_region"),
            "cluster": self.text(spot, "cluster", "ecs.cluster", "aws.cluster", "cluster_name",
                                 "ecs.cluster_name", "aws.ecs_cluster"),
            "service": self.text(spot, "service", "ecs.service", "aws.service", "service_name",
                                 "ecs.service_name", "aws.ecs_service"),
        }  # fmt: skip
        if not keys["service"] and keys["cluster"]:
            keys["service"] = spot.project
            self._assume(spot, f"no service is named: it is taken to be {spot.project}")
        missing = [name for name, value in keys.items() if not value]
        if missing:
            self._decide(spot, f"ECS needs {' and '.join(missing)}")
            return None
        profile = self.text(spot, "profile", "aws.profile", "aws_profile")
        container = self.text(spot, "container", "container_name", "ecs.container")
        image = _repository(
            self.text(spot, "image", "ecr.repository", "image_name", "repository_uri")
        )
        more = {"container": container, "image": image, "profile": profile}
        found: dict[str, object] = {"provider": "aws", **keys}
        return found | {key: value for key, value in more.items() if value}

    def _kubernetes(self, spot: Spot) -> dict[str, object]:
        more = {
            "context": self.text(spot, "context", "kube_context", "kubectl.context", "kubectl_context",
                                 "kubernetes.context", "k8s.context"),
            "namespace": self.text(spot, "namespace", "kubernetes.namespace", "k8s.namespace",
                                   "kubectl.namespace"),
            "container": self.text(spot, "container", "container_name", "kubernetes.container"),
            "image": _repository(self.text(spot, "image", "image_name", "kubernetes.image", "k8s.image")),
        }  # fmt: skip
        keys: dict[str, object] = {"provider": "k8s", "workload": self._workload(spot)}
        return keys | {key: value for key, value in more.items() if value}

    def _workload(self, spot: Spot) -> str:
        for kind in ("deployment", "statefulset", "daemonset"):
            name = self.text(
                spot, kind, f"{kind}_name", f"kubernetes.{kind}", f"k8s.{kind}", f"kubectl.{kind}"
            )
            if name:
                return f"{kind}/{name.rpartition('/')[2].lower()}"
        whole = self.text(spot, "workload", "kubernetes.workload", "resource").lower()
        if re.match(r"(deployment|statefulset|daemonset)/", whole):
            return whole
        name = whole or re.sub(r"[^a-z0-9.-]+", "-", spot.project.lower()).strip("-.")
        self._assume(spot, f"no workload is named: it is taken to be deployment/{name}")
        return f"deployment/{name}"

    def _decide(self, spot: Spot, text: str) -> None:
        self._say(FindingKind.DECISION, spot, text)

    def _assume(self, spot: Spot, text: str) -> None:
        self._say(FindingKind.DECISION, spot, f"{text}; check it")

    def _say(self, kind: FindingKind, spot: Spot, text: str) -> None:
        path = spot.layers[0]
        self.findings.append(
            Finding(
                kind=kind,
                path=say_path(path),
                text=f"{spot.name}: {text}",
                place=self.reading.place(path),
            )
        )


def is_name(text: str) -> bool:
    """Whether `hms.yaml` takes it as the name of a project or an environment."""
    return _NAME.fullmatch(text) is not None


def find_spots(reading: Reading) -> Iterator[Spot]:
    """Every target that the file names, once, in its order."""
    shared = dict(_environments(reading))
    seen: set[tuple[str, str]] = set()
    for project, at in reading.members((), "projects", "apps", "applications", "services", "sites"):
        own = list(_environments(reading, at)) or [(name, path) for name, path in shared.items()]
        for environment, path in own:
            outer = [shared[environment]] if environment in shared else []
            layers = tuple(dict.fromkeys([path, at, *outer, ()]))
            if (project, environment) not in seen:
                seen.add((project, environment))
                yield Spot(project, environment, layers)
    for environment, above in shared.items():
        for project, path in _projects_within(reading, above):
            if (project, environment) not in seen:
                seen.add((project, environment))
                yield Spot(project, environment, (path, above, ()))


def _environments(reading: Reading, at: Path = ()) -> Iterator[tuple[str, Path]]:
    found = reading.members(at, "environments", "envs", "stages")
    yield from found
    if not found and at and (name := reading.text(at, "environment", "env", "stage")):
        yield name, at


def _projects_within(reading: Reading, at: Path) -> Iterator[tuple[str, Path]]:
    """Projects under an environment: by a key of their own, or every object that is no section."""
    named = reading.members(at, "projects", "apps", "applications", "services", "sites")
    if named:
        yield from named
        return
    node = reading.value(at)
    if isinstance(node, dict):
        for key, child in node.items():
            if isinstance(child, dict) and plain_key(key) not in _RESERVED:
                yield key, (*at, key)


_RESERVED = frozenset(
    {"aws", "ecs", "forge", "k8s", "kubernetes", "kubectl", "slack", "email", "monitor", "monitoring",
     "health", "health_check", "notifications", "approvals"}
)  # fmt: skip


def _filled(text: str, spot: Spot) -> str:
    """HMS-OPS put names into `{env}`, `${ENV}`, `{{project}}` and the like."""

    def fill(found: re.Match[str]) -> str:
        return (
            spot.project if plain_key(found[1]) in {"project", "app", "name"} else spot.environment
        )

    return re.sub(
        r"\$?\{{1,2}\s*(project|app|name|env|environment|stage)\s*\}{1,2}", fill, text, flags=re.I
    )


def _repository(image: str) -> str:
    """The image without tag and digest: the version is not the configuration's."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
