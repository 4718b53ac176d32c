"""From a spot of a legacy configuration to the keys of a target in `hms.yaml`.

What a target needs is looked for from the inside out: its own object, the project's, the environment's, and
the provider's section at the top.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from operations.integration.legacy import vocabulary as words
from operations.integration.legacy.findings import Finding, FindingKind
from operations.integration.legacy.forge_numbers import ForgeNumbers
from operations.integration.legacy.lookup import Lookup
from operations.integration.legacy.platforms import find_platform
from operations.integration.legacy.spelling import Reading
from operations.integration.legacy.spots import Spot
from operations.integration.legacy.undecided import ORGANIZATION

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def is_name(text: str) -> bool:
    """Whether `hms.yaml` takes it as the name of a project or an environment."""
    return _NAME.fullmatch(text) is not None


@dataclass(slots=True)
class TargetReader:
    """Reads spots into the keys of a target.

    `findings` says what was assumed or is missing.
    """

    reading: Reading
    organization: str = ""
    findings: list[Finding] = field(default_factory=list)
    lookup: Lookup = field(init=False)
    forge: ForgeNumbers = field(init=False)

    def __post_init__(self) -> None:
        self.lookup = Lookup(self.reading)
        self.forge = ForgeNumbers(self.lookup)

    def read(self, spot: Spot) -> dict[str, object] | None:
        """The target's keys, None when something is missing that nobody can assume."""
        provider, why = find_platform(self.lookup, spot)
        match provider:
            case "forge":
                return self._forge(spot)
            case "aws":
                return self._aws(spot)
            case "k8s":
                return self._kubernetes(spot)
        self.decide(spot, why)
        return None

    def decide(self, spot: Spot, text: str) -> None:
        """Say that a person has to decide, or to check."""
        path = spot.layers[0]
        self.findings.append(
            Finding(
                kind=FindingKind.DECISION,
                path=self.reading.say(path),
                text=f"{spot.name}: {text}",
                place=self.reading.place(path),
            )
        )

    def _forge(self, spot: Spot) -> dict[str, object] | None:
        server, site = self.forge.server_and_site(spot)
        missing = [name for name, value in (("server", server), ("site", site)) if not value]
        if missing:
            self.decide(spot, f"Forge needs the number of the {' and that of the '.join(missing)}")
            return None
        written = self.lookup.take(spot, "organization", words.ORGANIZATION)
        organization = self.organization or written
        if not organization:
            organization = ORGANIZATION
            self.decide(
                spot,
                "Forge's API asks for the organization, as in Forge's addresses: --forge-organization",
            )
        branch = self.lookup.take(spot, "branch", words.BRANCH)
        keys: dict[str, object] = {
            "provider": "forge", "organization": organization, "server": server, "site": site,
        }  # fmt: skip
        return keys | ({"branch": branch} if branch else {})

    def _aws(self, spot: Spot) -> dict[str, object] | None:
        keys = {
            "region": self.lookup.take(spot, "region", words.REGION),
            "cluster": self.lookup.take(spot, "cluster", words.CLUSTER),
            "service": self.lookup.take(spot, "service", words.SERVICE),
        }
        for name in ("cluster", "service"):
            if arn := re.fullmatch(r"arn:[\w-]+:ecs:([\w-]*):\d*:\w+/(.+)", keys[name]):
                keys[name] = arn[2].rpartition("/")[2]
                keys["region"] = keys["region"] or arn[1]
        if not keys["service"] and keys["cluster"]:
            keys["service"] = spot.project
            if not spot.is_object:
                self._assume(spot, f"no service is named: it is taken to be {spot.project}")
        missing = [name for name, value in keys.items() if not value]
        if missing:
            self.decide(spot, f"ECS needs {' and '.join(missing)}")
            return None
        more = {
            "container": self.lookup.take(spot, "container", words.AWS_CONTAINER),
            "image": _repository(self.lookup.take(spot, "image", words.AWS_IMAGE)),
            "profile": self.lookup.take(spot, "profile", words.PROFILE),
        }
        found: dict[str, object] = {"provider": "aws", **keys}
        return found | {key: value for key, value in more.items() if value}

    def _kubernetes(self, spot: Spot) -> dict[str, object]:
        more = {
            "context": self.lookup.take(spot, "context", words.CONTEXT),
            "namespace": self.lookup.take(spot, "namespace", words.NAMESPACE),
            "container": self.lookup.take(spot, "container", words.K8S_CONTAINER),
            "image": _repository(self.lookup.take(spot, "image", words.K8S_IMAGE)),
        }
        keys: dict[str, object] = {"provider": "k8s", "workload": self._workload(spot)}
        return keys | {key: value for key, value in more.items() if value}

    def _workload(self, spot: Spot) -> str:
        for kind, word in words.WORKLOADS.items():
            if name := self.lookup.take(spot, "workload", word):
                return f"{kind}/{name.rpartition('/')[2].lower()}"
        whole = self.lookup.take(spot, "workload", words.WORKLOAD).lower()
        if re.match(r"(deployment|statefulset|daemonset)/", whole):
            return whole
        name = whole or re.sub(r"[^a-z0-9.-]+", "-", spot.project.lower()).strip("-.")
        if not (spot.is_object and not whole):
            self._assume(spot, f"no workload is named: it is taken to be deployment/{name}")
        return f"deployment/{name}"

    def _assume(self, spot: Spot, text: str) -> None:
        self.decide(spot, f"{text}; check it")


def identity(keys: Mapping[str, object]) -> str:
    """Equal for two targets that are one object on the platform, whatever else their keys say."""
    by_provider = {
        "forge": ("server", "site"),
        "aws": ("profile", "region", "cluster", "service"),
        "k8s": ("context", "namespace", "workload"),
    }
    usual = {"namespace": "default"}
    provider = str(keys["provider"])
    parts = (str(keys.get(key, usual.get(key, ""))) for key in by_provider[provider])
    return ":".join((provider, *parts))


def _repository(image: str) -> str:
    """The image without tag and digest: the version is not the configuration's."""
    name = re.sub(r"^(docker|https?)://", "", image).partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
