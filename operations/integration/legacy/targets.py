"""From a spot of a legacy configuration to the keys of a target in `hms.yaml`.

What a target needs is looked for from the inside out: its own object, the project's, the environment's, and
the provider's section at the top.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from operations.integration.legacy import vocabulary as words
from operations.integration.legacy.document import Path
from operations.integration.legacy.findings import Finding, FindingKind
from operations.integration.legacy.forge_directory import ForgeDirectory, Site, read_directory
from operations.integration.legacy.shapes import Spot
from operations.integration.legacy.spelling import Found, Reading, plain_key, whole_number
from operations.integration.legacy.undecided import ORGANIZATION
from operations.integration.legacy.vocabulary import Word, same_environment
from operations.redaction import clean

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_INNER = ("name", "repository", "repo", "uri", "url", "arn", "value", "id", "slug")
_INNER_NUMBER = ("id", "number", "value", "server_id", "site_id")


def is_name(text: str) -> bool:
    """Whether `hms.yaml` takes it as the name of a project or an environment."""
    return _NAME.fullmatch(text) is not None


@dataclass(slots=True)
class TargetReader:
    """Reads spots into the keys of a target.

    `findings` says what was assumed or is missing; `origins`, by target and key, where a value stood.
    """

    reading: Reading
    organization: str = ""
    findings: list[Finding] = field(default_factory=list)
    origins: dict[tuple[str, str], Path] = field(default_factory=dict)
    _directory: ForgeDirectory | None = None

    def read(self, spot: Spot) -> dict[str, object] | None:
        """The target's keys, None when something is missing that nobody can assume."""
        provider, why = self._provider(spot)
        match provider:
            case "forge":
                return self._forge(spot)
            case "aws":
                return self._aws(spot)
            case "k8s":
                return self._kubernetes(spot)
        self.decide(spot, why)
        return None

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
                    if not isinstance(found.value, dict):
                        return self._duration(found, factor)
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

    @property
    def directory(self) -> ForgeDirectory:
        """Forge's servers and sites by name."""
        if self._directory is None:
            self._directory = read_directory(self.reading)
        return self._directory

    def _duration(self, found: Found, factor: float) -> int:
        written = re.fullmatch(
            r"\s*(\d{1,9})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?|)\s*",
            str(found.value).lower(),
        )
        if isinstance(found.value, bool | float) or written is None:
            raise self.reading.wrong_type(found, "a whole number")
        self.reading.used.add(found.path)
        unit = {"m": 60.0, "h": 3600.0, "s": 1.0}.get(written[2][:1], factor)
        return max(1, round(int(written[1]) * unit))

    def _provider(self, spot: Spot) -> tuple[str, str]:
        """The platform; with "" why it is not known."""
        strange = self._named_provider(spot, words.PROVIDER_WORDS)
        if strange in words.PROVIDERS.values():
            return strange, ""
        loose = self._named_provider(spot, words.LOOSE_PROVIDER_WORDS)
        if not strange and loose in words.PROVIDERS.values():
            return loose, ""
        found = "" if strange else spot.provider or self._told(spot)
        if found:
            return found, ""
        if strange or loose:
            return (
                "",
                f"“{clean(strange or loose, limit=40)}” is no platform of HMS-SYS: forge, aws or k8s",
            )
        return "", "nothing says which platform it is on: forge, aws or k8s"

    def _named_provider(self, spot: Spot, spellings: tuple[str, ...]) -> str:
        """The provider's word, else what was written, else ""."""
        written = ""
        for layer in spot.layers:
            value = self.reading.value(layer)
            if isinstance(value, str) and plain_key(value) in words.PROVIDERS:
                self.reading.used.add(layer)
                return words.PROVIDERS[plain_key(value)]
            for found in self.reading.every(layer, *spellings):
                leaf = self._leaf(found, spot, _INNER)
                text = self._loose_text(leaf, spellings) if leaf else ""
                if plain_key(text) in words.PROVIDERS:
                    return words.PROVIDERS[plain_key(text)]
                written = written or text
        return written

    def _loose_text(self, found: Found, spellings: tuple[str, ...]) -> str:
        """What may say something else as well is understood only when it names a platform."""
        if spellings == words.PROVIDER_WORDS or plain_key(str(found.value)) in words.PROVIDERS:
            return self.reading.as_text(found)
        return str(found.value) if isinstance(found.value, str) else ""

    def _told(self, spot: Spot) -> str:
        """By the keys that only one platform has, of the innermost layer that has any."""
        for layer in spot.layers:
            counts = {
                provider: sum(True for key in keys for _ in self.reading.every(layer, key))
                + sum(
                    isinstance(found.value, dict)
                    for found in self.reading.every(layer, *words.SECTIONS[provider])
                    if layer != ()
                )
                for provider, keys in words.TELLTALES.items()
            }
            best = max(counts, key=lambda provider: counts[provider])
            if counts[best] and (layer != () or list(counts.values()).count(0) == 2):
                return best
        return self._only_section()

    def _only_section(self) -> str:
        """The one platform that the file says anything about."""
        named = [
            provider
            for provider, sections in words.SECTIONS.items()
            if any(self.reading.has((), s) or self.reading.has_prefix(s) for s in sections)
        ]
        return named[0] if len(named) == 1 else ""

    def _leaf(self, found: Found, spot: Spot, inner: tuple[str, ...]) -> Found | None:
        """A value itself, or that of an object with one for each environment or project, or its name."""
        if not isinstance(found.value, dict):
            return found
        for wanted in (spot.environment, spot.project):
            for key, child in found.value.items():
                if same_environment(key, wanted) and not isinstance(child, dict | list):
                    return Found((*found.path, key), child) if child is not None else None
        named = self.reading.every(found.path, *inner)
        return next((each for each in named if not isinstance(each.value, dict | list)), None)

    def _found(self, spot: Spot, word: Word, inner: tuple[str, ...] = _INNER) -> Found | None:
        """The innermost value of a word; its origin is kept by whoever takes it."""
        for layer in spot.layers:
            for found in self._candidates(layer, word):
                leaf = self._leaf(found, spot, inner)
                if leaf is not None:
                    return leaf
        return None

    def _candidates(self, layer: Path, word: Word) -> Iterator[Found]:
        yield from self.reading.every(layer, *word.spellings)
        for found in self.reading.every(layer, *word.maps):
            if isinstance(found.value, dict):
                leaf_keys = [k for k, v in found.value.items() if not isinstance(v, dict | list)]
                if leaf_keys:
                    yield Found(found.path, {key: found.value[key] for key in leaf_keys})

    def _take(self, spot: Spot, key: str, word: Word) -> str:
        """A text for a key of the target; "" when there is none."""
        found = self._found(spot, word)
        if found is None:
            return ""
        self.origins[(spot.name, key)] = found.path
        return filled(self.reading.as_text(found), spot)

    def _forge(self, spot: Spot) -> dict[str, object] | None:
        site, server = self._site(spot), self._server(spot)
        entry = self._entry(spot)
        if site is None and entry and entry.number:
            site = self._taken_number(spot, "site", entry.number)
        if server is None and entry and entry.server:
            server = self._taken_number(spot, "server", entry.server)
        missing = [name for name, value in (("server", server), ("site", site)) if not value]
        if missing:
            self.decide(spot, f"Forge needs the number of the {' and that of the '.join(missing)}")
            return None
        written = self._take(spot, "organization", words.ORGANIZATION)
        organization = self.organization or written
        if not organization:
            organization = ORGANIZATION
            self.decide(spot, "Forge's API asks for the organization, as in the addresses of Forge")
        branch = self._take(spot, "branch", words.BRANCH)
        keys: dict[str, object] = {
            "provider": "forge", "organization": organization, "server": server, "site": site,
        }  # fmt: skip
        return keys | ({"branch": branch} if branch else {})

    def _server(self, spot: Spot) -> int | None:
        return self._number(spot, "server", words.SERVER)

    def _site(self, spot: Spot) -> int | None:
        for layer in spot.layers[:1]:  # `sites: {marketing: 2001}`
            value = Found(layer, self.reading.value(layer))
            if layer and whole_number(value.value) is not None:
                return self._taken_number(spot, "site", value)
        return self._number(spot, "site", words.SITE)

    def _number(self, spot: Spot, key: str, word: Word) -> int | None:
        """None also for a name, which the directory may know the number of."""
        found = self._found(spot, word, _INNER_NUMBER)
        if found is None:
            return None
        if whole_number(found.value) is not None:
            return self._taken_number(spot, key, found)
        if not isinstance(found.value, str) or plain_key(str(found.path[-1])).endswith("_id"):
            raise self.reading.wrong_type(found, "a whole number")
        known = self.directory.server(found.value) if key == "server" else None
        return self._taken_number(spot, key, known) if known else None

    def _taken_number(self, spot: Spot, key: str, found: Found) -> int | None:
        self.reading.used.add(found.path)
        self.origins[(spot.name, key)] = found.path
        return whole_number(found.value)

    def _entry(self, spot: Spot) -> Site | None:
        """The directory's site of that name, else of the project's."""
        server = self._name_of(spot, words.SERVER)
        for name in (self._name_of(spot, words.SITE), spot.project):
            site = self.directory.site(name, server) if name else None
            if site is not None:
                return site
        return None

    def _name_of(self, spot: Spot, word: Word) -> str:
        found = self._found(spot, word, _INNER)
        if found is None or whole_number(found.value) is not None:
            return ""
        return self.reading.as_text(found)

    def _aws(self, spot: Spot) -> dict[str, object] | None:
        keys = {
            "region": self._take(spot, "region", words.REGION),
            "cluster": self._take(spot, "cluster", words.CLUSTER),
            "service": self._take(spot, "service", words.SERVICE),
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
            "container": self._take(spot, "container", words.AWS_CONTAINER),
            "image": _repository(self._take(spot, "image", words.AWS_IMAGE)),
            "profile": self._take(spot, "profile", words.PROFILE),
        }
        found: dict[str, object] = {"provider": "aws", **keys}
        return found | {key: value for key, value in more.items() if value}

    def _kubernetes(self, spot: Spot) -> dict[str, object]:
        more = {
            "context": self._take(spot, "context", words.CONTEXT),
            "namespace": self._take(spot, "namespace", words.NAMESPACE),
            "container": self._take(spot, "container", words.K8S_CONTAINER),
            "image": _repository(self._take(spot, "image", words.K8S_IMAGE)),
        }
        keys: dict[str, object] = {"provider": "k8s", "workload": self._workload(spot)}
        return keys | {key: value for key, value in more.items() if value}

    def _workload(self, spot: Spot) -> str:
        for kind, word in words.WORKLOADS.items():
            if name := self._take(spot, "workload", word):
                return f"{kind}/{name.rpartition('/')[2].lower()}"
        whole = self._take(spot, "workload", words.WORKLOAD).lower()
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


def filled(text: str, spot: Spot) -> str:
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
    name = re.sub(r"^(docker|https?)://", "", image).partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
