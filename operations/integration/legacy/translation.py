"""A legacy configuration as the content of `hms.yaml`, the secrets beside it, and what became of each key."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from operations.integration.legacy.document import Document, Path, Place
from operations.integration.legacy.findings import Finding, FindingKind
from operations.integration.legacy.mail import read_mail
from operations.integration.legacy.reasons import needless, not_understood
from operations.integration.legacy.secrets import Secret, find_secrets, part_passwords
from operations.integration.legacy.shapes import find_spots
from operations.integration.legacy.spelling import Found, Reading
from operations.integration.legacy.spots import Spot
from operations.integration.legacy.targets import TargetReader, identity, is_name
from operations.integration.legacy.undecided import CHANNEL
from operations.integration.legacy.unfolding import unfold
from operations.integration.legacy.vocabulary import REPOSITORY, TIMEOUT
from operations.integration.legacy.watching import Check, CheckReader
from operations.redaction import clean

_RESERVED = frozenset({"forge", "aws", "k8s", "count"})
"""Words that a command may have in a project's place."""
_DEPLOYS = ("slack.channel_id", "slack.deploys_channel", "slack.channel", "slack.channels.deploys",
            "slack.channels.deployments", "slack.default_channel", "notifications.slack.channel_id",
            "notifications.slack.channel", "notify.slack.channel", "deploy_channel", "channel",
            "notifications.channel")  # fmt: skip
_ALERTS = ("slack.alerts_channel", "slack.alert_channel", "slack.errors_channel", "slack.error_channel",
           "slack.channels.alerts", "slack.channels.errors", "slack.monitoring_channel",
           "slack.channels.monitoring", "notifications.slack.alerts_channel", "alerts.channel",
           "alerts.slack_channel", "alert_channel")  # fmt: skip

Keys = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a person can say beforehand. "": undecided."""

    deploys_channel: str = ""
    alerts_channel: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a value of the new file stood in the old one."""

    path: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """`content` is what `hms.yaml` is to hold; `left_out` are targets that lack something.

    `origins` by path in the new file (`projects.myapp.environments.prod.cluster`).
    """

    content: Mapping[str, object]
    secrets: tuple[Secret, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]
    targets: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)


def translate(document: Document, hints: Hints) -> Translation:
    """Read every spelling. Raises Unreadable for a value of a wrong type."""
    parted, passwords = part_passwords(document)
    return _Translator(Reading(unfold(parted)), hints, passwords).translate()


class _Translator:
    def __init__(self, reading: Reading, hints: Hints, passwords: list[Secret]) -> None:
        self._reading = reading
        self._hints = hints
        self._secrets = [*passwords, *find_secrets(reading)]
        self._targets = TargetReader(reading, hints.organization)
        self._checks = CheckReader(reading, self._targets.lookup)
        self._findings: list[Finding] = []
        self._left_out: list[tuple[str, Path]] = []
        self._spots: list[Spot] = []
        self._projects: dict[str, dict[str, Keys]] = {}

    def translate(self) -> Translation:
        slack = self._slack()
        checks = self._read_targets()
        environments: Keys = {
            name: {} for name in dict.fromkeys(e for each in self._projects.values() for e in each)
        }
        projects: Keys = {
            name: {**self._repository(name), "environments": each}
            for name, each in self._projects.items()
        }
        content: Keys = {"slack": slack, "environments": environments, "projects": projects}
        if checks:
            content["checks"] = checks
        if email := self._email():
            content["email"] = email
        self._tell_secrets()
        self._tell_rest()
        return Translation(
            content=content,
            secrets=tuple(self._secrets),
            findings=self._sorted(),
            left_out=tuple(name for name, _ in self._left_out),
            targets=tuple(spot.name for spot in self._spots),
            origins=dict(self._origin(*each) for each in self._places()),
        )

    def _sorted(self) -> tuple[Finding, ...]:
        found = [*self._targets.findings, *self._checks.findings, *self._findings]
        kinds = list(FindingKind)
        return tuple(sorted(dict.fromkeys(found), key=lambda each: kinds.index(each.kind)))

    def _places(self) -> Iterator[tuple[tuple[str, str], Path]]:
        """By target and key; "" for the target itself."""
        yield from (((spot.name, ""), spot.layers[0]) for spot in self._spots)
        yield from self._targets.lookup.origins.items()

    def _origin(self, key: tuple[str, str], path: Path) -> tuple[str, Origin]:
        project, _, environment = key[0].rpartition("/")
        where = f"projects.{project}.environments.{environment}.{key[1]}".rstrip(".")
        return where, Origin(path=self._reading.say(path), place=self._reading.place(path))

    def _slack(self) -> Keys:
        keys: Keys = {
            "deploys_channel": self._channel(
                _DEPLOYS, self._hints.deploys_channel, "deploys_channel"
            )
            or CHANNEL
        }
        alerts = self._channel(_ALERTS, self._hints.alerts_channel, "alerts_channel")
        return keys | ({"alerts_channel": alerts} if alerts else {})

    def _channel(self, spellings: tuple[str, ...], hint: str, key: str) -> str:
        """The channel's id; what is a name, and a missing one for deployments, are to be decided."""
        written = self._reading.text((), *spellings)
        if hint or re.fullmatch(r"[CG][A-Z0-9]{2,20}", written):
            return hint or written
        if written or key == "deploys_channel":
            named = f"“{clean(written, limit=80)}” is a name: " if written else ""
            text = (
                f"{named}HMS-SYS speaks in a channel by its id, at the foot of the channel's details:"
                f" --{key.replace('_', '-')}"
            )
            self._say(FindingKind.DECISION, f"slack.{key}", text)
        return ""

    def _read_targets(self) -> list[Check]:
        checks: list[Check] = []
        for spot in [*find_spots(self._reading)]:
            checks += self._read_target(spot)
        return checks + self._checks.of_endpoints(self._spots, checks)

    def _read_target(self, given: Spot) -> list[Check]:
        spot = replace(
            given, project=_allowed(given.project), environment=_allowed(given.environment)
        )
        if spot.project.lower() in _RESERVED:
            spot = replace(spot, project=f"{spot.project}-app")
        if not is_name(spot.project) or not is_name(spot.environment):
            return self._leave_out(given, "its name has no character that HMS-SYS takes in a name")
        keys = self._targets.read(spot)
        if keys is None:
            self._left_out.append((spot.name, spot.layers[0]))
            return []
        if why := self._obstacle(spot, keys):
            return self._leave_out(spot, why)
        self._projects.setdefault(spot.project, {})[spot.environment] = keys | self._timeout(spot)
        self._spots.append(spot)
        self._took(given, spot)
        return self._checks.of_target(spot)

    def _obstacle(self, spot: Spot, keys: Mapping[str, object]) -> str:
        for other in self._spots:
            known = self._projects[other.project][other.environment]
            if identity(known) == identity(keys):
                return f"would deploy to the same object as {other.name}: HMS-SYS has one target for each"
            if spot.name.lower() == other.name.lower():
                return f"has the same name as {other.name}: call one of them something else"
            if spot.project.lower() == other.project.lower() and spot.project != other.project:
                return f"differs from {other.project} in case only, which commands ignore"
        return ""

    def _timeout(self, spot: Spot) -> Keys:
        seconds = self._targets.lookup.seconds(spot, TIMEOUT)
        return {"timeout": f"{seconds}s"} if seconds else {}

    def _repository(self, project: str) -> Keys:
        """Not of the whole file, unless there is one project in it."""
        for spot in self._spots:
            if spot.project != project:
                continue
            for layer in spot.layers if len(self._projects) == 1 else spot.layers[:-1]:
                for found in self._reading.every(layer, *REPOSITORY):
                    name = _on_github(found)
                    if name:
                        self._reading.used.add(found.path)
                        return {"repository": name}
        return {}

    def _email(self) -> Mapping[str, object]:
        mail = read_mail(self._reading)
        if mail.trouble:
            self._say(FindingKind.DECISION, "email", mail.trouble)
        return mail.keys

    def _tell_secrets(self) -> None:
        for secret in self._secrets:
            of = "the password in it " if secret.part else ""
            if secret.variable:
                text, kind = f"{of}belongs into {secret.variable}", FindingKind.SECRET
            else:
                kind = FindingKind.CHANGED
                text = (
                    f"{of}is a secret that HMS-SYS has no use for: revoke it once HMS-OPS is gone"
                )
                text += "; the address is used without it" if secret.part else ""
            self._say(kind, self._reading.say(secret.path), text, secret.path)

    def _tell_rest(self) -> None:
        for leaf in self._reading.unused():
            if leaf.value is None or leaf.value == "":
                continue
            reason = needless(leaf) or _elsewhere(leaf)
            kind = FindingKind.CHANGED if reason else FindingKind.UNKNOWN
            text = reason or self._left_with(leaf) or not_understood(leaf, bool(self._spots))
            self._say(kind, self._reading.say(leaf.path), text, leaf.path)

    def _left_with(self, leaf: Found) -> str:
        """What stands in a target that was left out goes with it."""
        for name, path in self._left_out:
            if path and leaf.path[: len(path)] == path:
                return f"belongs to {name}, which was not taken over"
        return ""

    def _took(self, given: Spot, spot: Spot) -> None:
        path = spot.layers[0]
        self._say(FindingKind.TAKEN, self._reading.say(path), f"is {spot.name} now", path)
        for text in spot.assumed:
            self._targets.decide(spot, text)
        if spot.read_as:
            self._say(FindingKind.CHANGED, self._reading.say(path), spot.read_as, path)
        for was, now in ((given.project, spot.project), (given.environment, spot.environment)):
            if was != now:
                text = f"“{clean(was, limit=80)}” cannot be a name in commands: it is {now} now"
                self._say(FindingKind.CHANGED, self._reading.say(path), text, path)

    def _leave_out(self, spot: Spot, why: str) -> list[Check]:
        self._left_out.append((spot.name, spot.layers[0]))
        self._targets.decide(spot, why)
        return []

    def _say(self, kind: FindingKind, path: str, text: str, at: Path | None = None) -> None:
        place = self._reading.place(at) if at else None
        self._findings.append(Finding(kind=kind, path=path, text=text, place=place))


def _allowed(name: str) -> str:
    """The name, or one like it that commands can say: `Shop API` is `shop-api`."""
    if is_name(name):
        return name
    letters = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = re.sub(
        r"[^A-Za-z0-9._-]+", "-", "".join(c for c in letters if not unicodedata.combining(c))
    )
    return plain.lower().strip("-._")[:63].rstrip("-._")


def _on_github(found: Found) -> str:
    """OWNER/NAME; "" for what is elsewhere."""
    if not isinstance(found.value, str):
        return ""
    pattern = (
        r"(?:(?:https?://|ssh://)?(?:\w+@)?(?:www\.)?github\.com[:/])?"
        r"([A-Za-z0-9][A-Za-z0-9-]*/[\w.-]+?)(?:\.git)?/?"
    )
    match = re.fullmatch(pattern, found.value.strip())
    return match[1] if match else ""


def _elsewhere(leaf: Found) -> str:
    """A repository that is not on GitHub."""
    if isinstance(leaf.value, str) and re.search(
        r"\b(gitlab|bitbucket|codeberg|dev\.azure)\b", leaf.value
    ):
        return "is not on GitHub, where HMS-SYS compares what ships"
    return ""
