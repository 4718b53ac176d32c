"""HMS-OPS's log of deployments, understood: how each ended, when, and what it brought where.

Nobody ever wrote down what the lines look like, so both kinds that a shell tool writes are read: a time in
brackets, a level and a sentence; or a JSON object a line. A beginning and the end that follows it on the same
target are one deployment. What is not understood is counted, never guessed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from operations.integration.legacy.targets import is_name
from operations.redaction import clean

_LINE = re.compile(
    r"\[?(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)\]?[\s:-]*"
    r"(?:\[?(?P<level>[A-Z]{4,8})\]?[\s:-]+)?(?P<text>.*)"
)
_PLACE = re.compile(
    r"(?<![^\s\"'(\[:])(?P<project>[A-Za-z0-9][\w.-]{0,62})\s+(?:to|on|in|->|→)\s+(?P<environment>[A-Za-z0-9][\w.-]{0,62})"
)
_PROVIDER = re.compile(r"\b(?:via|by|using|through|with)\s+(forge|ecs|aws|k8s|kubernetes)\b", re.I)
_VERSION = re.compile(r"\b(?:version|tag|release|commit)[\s:=]+([\w.+-]{1,100})", re.I)
_WHO = re.compile(r"\b(?:user|requested by|started by|deployed by)[\s:=]+([\w.@-]{1,80})", re.I)
_BEGINS = re.compile(r"\b(?:deploying|starting|started|begin)", re.I)
_FAILS = re.compile(r"\b(?:fail(?:ed|ure)?|error|aborted|timed? ?out)\b", re.I)
_ENDS_WELL = re.compile(
    r"\b(?:deployed|succeeded|success(?:ful(?:ly)?)?|completed?|finished|done)\b", re.I
)
_ABOUT_DEPLOYING = re.compile(r"deploy|releas", re.I)
_PROVIDERS = {"ecs": "aws", "kubernetes": "k8s"}
_LONGEST = 4000
_MOST_BEGUN = 10_000
_LONGEST_DEPLOYMENT = timedelta(days=1)
"""A beginning that is older never told its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecord:
    """`key` is the same whenever the same lines are read. `version` "" when no line names it."""

    key: str
    project: str
    environment: str
    provider: str
    version: str
    by: str
    began_at: datetime
    ended_at: datetime
    is_success: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentLine:
    """What a line says of a deployment. `key` is the same whenever the line is read, in whatever zone."""

    key: str
    at: datetime
    project: str
    environment: str
    provider: str
    version: str
    by: str
    text: str
    is_success: bool | None
    """None: it only begins."""


class Deployments:
    """Finds the beginning of each end. Lines are to be given in the order of their times."""

    def __init__(self) -> None:
        self._begun: OrderedDict[tuple[str, str], DeploymentLine] = OrderedDict()

    def take(self, line: DeploymentLine) -> DeploymentRecord | None:
        """None for a beginning."""
        place = (line.project, line.environment)
        if line.is_success is None:
            self._begun[place] = line
            if len(self._begun) > _MOST_BEGUN:
                self._begun.popitem(last=False)
            return None
        begun = self._begun.pop(place, line)
        if not timedelta(0) <= line.at - begun.at <= _LONGEST_DEPLOYMENT:
            begun = line
        return _record(line, begun)


def _record(ended: DeploymentLine, begun: DeploymentLine) -> DeploymentRecord:
    return DeploymentRecord(
        key=ended.key,
        project=ended.project,
        environment=ended.environment,
        provider=ended.provider or begun.provider,
        version=ended.version or begun.version,
        by=ended.by or begun.by,
        began_at=begun.at,
        ended_at=ended.at,
        is_success=bool(ended.is_success),
        text=ended.text,
    )


def read_deployment(line: str, zone: tzinfo = UTC) -> DeploymentLine | None:
    """None for a line that tells of no deployment. Times without a zone are in `zone`."""
    line = line[:_LONGEST].strip()
    return _of_json(line, zone) if line.startswith("{") else _of_text(line, zone)


def _key(time: str, line: str) -> str:
    """By the time as it is written: who says the right zone the second time means the same line."""
    at = read_time(time, UTC)
    digest = hashlib.sha256(f"{at.isoformat() if at else time}\n{line}".encode("utf-8", "replace"))
    return f"hms-ops:{digest.hexdigest()[:32]}"


def _of_text(line: str, zone: tzinfo) -> DeploymentLine | None:
    found = _LINE.fullmatch(line)
    if found is None or not _ABOUT_DEPLOYING.search(found["text"]):
        return None
    text = found["text"]
    place, at = _PLACE.search(text), read_time(found["time"], zone)
    if place is None or at is None:
        return None
    outcome = _outcome(text, found["level"] or "")
    if outcome is None and not _BEGINS.search(text):
        return None
    return DeploymentLine(
        key=_key(found["time"], line),
        at=at,
        project=place["project"],
        environment=place["environment"].rstrip(".-"),
        provider=_provider(_first(_PROVIDER, text)),
        version=_first(_VERSION, text),
        by=_first(_WHO, text),
        text=clean(text, limit=500),
        is_success=outcome,
    )


def _outcome(text: str, level: str) -> bool | None:
    if level in {"ERROR", "FAILED", "CRITICAL", "FATAL"} or _FAILS.search(text):
        return False
    if level == "SUCCESS":
        return True
    return True if _ENDS_WELL.search(text) and not _BEGINS.search(text) else None


_OUTCOMES: Mapping[str, bool | None] = {
    "success": True, "succeeded": True, "successful": True, "ok": True, "done": True, "finished": True,
    "completed": True, "deployed": True, "failed": False, "failure": False, "error": False,
    "aborted": False, "started": None, "starting": None, "running": None, "deploying": None,
}  # fmt: skip


def _of_json(line: str, zone: tzinfo) -> DeploymentLine | None:
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict):
        return None
    words = {str(key).lower(): value for key, value in body.items()}
    time = _pick(words, "timestamp", "time", "date", "ended_at", "at")
    at = read_time(time, zone)
    project = _pick(words, "project", "app", "application", "site", "service")
    environment = _pick(words, "environment", "env", "stage")
    status = _pick(words, "status", "result", "outcome", "state").lower()
    if at is None or not (is_name(project) and is_name(environment)) or status not in _OUTCOMES:
        return None
    return DeploymentLine(
        key=_key(time, line),
        at=at,
        project=project,
        environment=environment,
        provider=_provider(_pick(words, "provider", "platform", "type", "method")),
        version=_pick(words, "version", "tag", "release", "commit"),
        by=_pick(words, "user", "by", "deployed_by", "actor"),
        text=clean(_pick(words, "message", "msg", "error", "reason"), limit=500),
        is_success=_OUTCOMES[status],
    )


def _pick(words: Mapping[str, object], *names: str) -> str:
    found = (words[name] for name in names if isinstance(words.get(name), str | int))
    return clean(str(next(found, "")), limit=200).strip()


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else ""


def _provider(word: str) -> str:
    return _PROVIDERS.get(word.lower(), word.lower()) if word else ""


def read_time(text: str, zone: tzinfo) -> datetime | None:
    """By ISO 8601 or nearly. Of a time that the clocks of `zone` show twice, the first is meant."""
    try:
        at = datetime.fromisoformat(text.replace(",", ".").replace(" ", "T", 1))
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
