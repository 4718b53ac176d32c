"""A legacy configuration as the content of `hms.yaml`, the secrets beside it, and what became of each key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from operations.integration.legacy.document import Document
from operations.integration.legacy.findings import Finding, FindingKind
from operations.integration.legacy.secrets import Secret, find_secrets
from operations.integration.legacy.spelling import Found, Reading, say_path
from operations.integration.legacy.targets import Spot, TargetReader, find_spots, is_name

UNDECIDED_CHANNEL = "C0DECIDEME"
"""HMS-OPS posted to a webhook, which names no channel. Slack has no channel of this id."""

_NEEDLESS = {
    "log": "HMS-SYS keeps history in its database and logs to its output",
    "logs": "HMS-SYS keeps history in its database and logs to its output",
    "version": "belongs to the file's format, which is another now",
    "enabled": "checks run unless somebody says `monitor stop`",
    "debug": "is HMS_LOG_LEVEL now",
    "verbose": "is HMS_LOG_LEVEL now",
    "kubeconfig": "is the variable KUBECONFIG now",
    "retries": "HMS-SYS repeats what is safe to repeat by itself",
    "retry": "HMS-SYS repeats what is safe to repeat by itself",
}
"""By the beginning of a key: what HMS-SYS does without."""

Keys = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What a person can say beforehand. "": undecided."""

    deploys_channel: str = ""
    alerts_channel: str = ""
    organization: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """`content` is what `hms.yaml` is to hold; `left_out` are targets that lack something."""

    content: Mapping[str, object]
    secrets: tuple[Secret, ...]
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]


def translate(document: Document, hints: Hints) -> Translation:
    """Read every spelling. Raises Unreadable for a value of a wrong type."""
    return _Translator(Reading(document), hints).translate()


class _Translator:
    def __init__(self, reading: Reading, hints: Hints) -> None:
        self._reading = reading
        self._hints = hints
        self._secrets = find_secrets(reading)
        self._targets = TargetReader(reading, hints.organization)
        self._findings: list[Finding] = []
        self._left_out: list[str] = []

    def translate(self) -> Translation:
        slack = self._slack()
        projects, environments, checks = self._all_targets()
        content: Keys = {"slack": slack, "environments": environments, "projects": projects}
        if checks:
            content["checks"] = checks
        if email := self._email():
            content["email"] = email
        self._tell_secrets()
        self._tell_rest()
        findings = [*self._targets.findings, *self._findings]
        return Translation(
            content=content,
            secrets=tuple(self._secrets),
            findings=tuple(sorted(findings, key=lambda found: list(FindingKind).index(found.kind))),
            left_out=tuple(self._left_out),
        )

    def _slack(self) -> Keys:
        reading = self._reading
        written = reading.text((), "slack.channel_id", "slack.channel", "notifications.slack.channel",
                               "notify.slack.channel")  # fmt: skip
        given = written if re.fullmatch(r"[CG][A-Z0-9]{2,20}", written) else ""
        channel = self._hints.deploys_channel or given
        if not channel:
            channel = UNDECIDED_CHANNEL
            named = f"“{written}” is a name: " if written else ""
            self._say(
                FindingKind.DECISION,
                "slack.deploys_channel",
                f"{named}HMS-SYS speaks in a channel by its id, at the foot of the channel's details",
            )
        keys: Keys = {"deploys_channel": channel}
        if self._hints.alerts_channel:
            keys["alerts_channel"] = self._hints.alerts_channel
        return keys

    def _all_targets(self) -> tuple[Keys, Keys, list[Keys]]:
        projects: dict[str, dict[str, Keys]] = {}
        checks: list[Keys] = []
        seen: dict[str, str] = {}
        for spot in find_spots(self._reading):
            if not is_name(spot.project) or not is_name(spot.environment):
                self._leave_out(spot, "its name has characters that HMS-SYS does not take")
                continue
            keys = self._targets.read(spot)
            if keys is None:
                self._left_out.append(spot.name)
                continue
            first = seen.setdefault(repr(sorted(keys.items())), spot.name)
            if first != spot.name:
                self._leave_out(spot, f"would deploy to the same object as {first}")
                continue
            projects.setdefault(spot.project, {})[spot.environment] = keys | self._common(spot)
            checks += self._checks(spot)
            self._took(spot)
        environments: Keys = {
            name: {} for name in dict.fromkeys(e for each in projects.values() for e in each)
        }
        shaped: Keys = {
            name: {**self._repository(name), "environments": each}
            for name, each in projects.items()
        }
        return shaped, environments, checks

    def _common(self, spot: Spot) -> Keys:
        seconds = self._targets.number(spot, "timeout", "deploy_timeout", "timeout_seconds")
        return {"timeout": f"{seconds}s"} if seconds else {}

    def _repository(self, project: str) -> Keys:
        for name, at in self._reading.members((), "projects", "apps", "applications", "services"):
            if name == project:
                text = self._reading.text(at, "repository", "repo", "git.repository", "github")
                found = re.search(r"(?:github\.com[:/])?([\w.-]+/[\w.-]+?)(?:\.git)?/?$", text)
                return {"repository": found[1]} if found else {}
        return {}

    def _checks(self, spot: Spot) -> list[Keys]:
        every = self._interval(spot)
        url = self._targets.text(spot, "health_url", "health_check_url", "health_check", "healthcheck",
                                 "status_url", "health.url", "monitor.url", "url")  # fmt: skip
        checks: list[Keys] = [{"target": spot.name, "every": every}]
        if re.match(r"https?://[^\s@]+$", url):
            checks.append({"name": "web", "target": spot.name, "url": url, "every": every})
        return checks

    def _interval(self, spot: Spot) -> str:
        seconds = self._targets.number(
            spot, "monitor.interval", "monitoring.interval", "monitor_interval", "check_interval",
            "monitoring.check_interval", "interval",
        )  # fmt: skip
        return f"{min(max(seconds, 5), 86400)}s" if seconds else "60s"

    def _email(self) -> Keys:
        reading = self._reading
        to = reading.texts((), "emails", "email.to", "email.recipients", "notify_emails", "alert_emails",
                           "notifications.email", "notifications.emails", "notification_emails",
                           "email_recipients", "alert_email", "email_list")  # fmt: skip
        host = reading.text(
            (), "smtp.host", "email.smtp.host", "smtp_host", "email.smtp_host", "mail.host"
        )
        port = reading.number(
            (), "smtp.port", "email.smtp.port", "smtp_port", "email.smtp_port", "mail.port"
        )
        user = reading.text(
            (), "smtp.user", "smtp.username", "email.smtp.user", "smtp_user", "smtp_username"
        )
        sender = reading.text((), "smtp.from", "email.from", "smtp_from", "email_from", "mail.from")
        if not to:
            return {}
        if not host:
            self._say(
                FindingKind.DECISION,
                "email",
                f"{len(to)} people got mail, but no mail server is named: add `email:` when you know it",
            )
            return {}
        scheme = "smtps" if port == 465 else "smtp"
        login = f"{user.replace('@', '%40')}@" if user else ""
        return {
            "smtp": f"{scheme}://{login}{host}:{port or 587}",
            "from": sender or (user if "@" in user else f"hms-sys@{host}"),
            "to": to,
        }

    def _tell_secrets(self) -> None:
        for secret in self._secrets:
            if secret.variable:
                text = f"belongs into {secret.variable}"
                self._say(FindingKind.SECRET, say_path(secret.path), text, Found(secret.path, None))
            else:
                text = "is a secret that HMS-SYS has no use for: revoke it once HMS-OPS is gone"
                self._say(
                    FindingKind.CHANGED, say_path(secret.path), text, Found(secret.path, None)
                )

    def _tell_rest(self) -> None:
        for leaf in self._reading.unused():
            if leaf.value is None or leaf.value == "":
                continue
            reason = next(_reasons(leaf), "")
            kind = FindingKind.CHANGED if reason else FindingKind.UNKNOWN
            text = (
                reason or "HMS-SYS has nothing like it, or it is spelt in a way that is not known"
            )
            self._say(kind, say_path(leaf.path), text, leaf)

    def _took(self, spot: Spot) -> None:
        path = spot.layers[0]
        self._say(FindingKind.TAKEN, say_path(path), f"is {spot.name} now", Found(path, None))

    def _leave_out(self, spot: Spot, why: str) -> None:
        self._left_out.append(spot.name)
        path = spot.layers[0]
        self._say(FindingKind.DECISION, say_path(path), f"{spot.name}: {why}", Found(path, None))

    def _say(self, kind: FindingKind, path: str, text: str, found: Found | None = None) -> None:
        place = self._reading.place(found.path) if found else None
        self._findings.append(Finding(kind=kind, path=path, text=text, place=place))


def _reasons(leaf: Found) -> Iterator[str]:
    if isinstance(leaf.value, str) and leaf.value.startswith("$"):
        yield "names a variable already: see the list of variables for the one that HMS-SYS reads"
    words = say_path(leaf.path).lower().replace("[", ".").split(".")
    for word, reason in _NEEDLESS.items():
        if any(step == word or step.startswith(f"{word}_") for step in words):
            yield reason
