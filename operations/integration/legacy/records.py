"""HMS-OPS's log of deployments, understood: how each ended, when, and what it brought where.

Nobody ever wrote down what the lines look like, so all kinds that a shell tool writes are read: a time, a
level and a sentence, or columns; or a JSON object a line, or `key=value`, with keys or a sentence. A
beginning and the end that follows it on the same target are one deployment. What is not
understood is counted, never guessed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from operations.integration.legacy.sentences import (
    LEVELS,
    Sentence,
    name_provider,
    read_sentence,
)
from operations.integration.legacy.targets import is_name
from operations.redaction import clean

_LINE = re.compile(
    r"\[?(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?)\]?[\s:|;-]*"
    r"(?P<text>.*)"
)
_LEVEL = re.compile(r"\[?([A-Za-z]{2,9})\]?(?:[\s:|;-]+|$)")
_LOGFMT_BEGIN = re.compile(r"(?:ts|time|timestamp|at|date|level)=", re.I)
_LOGFMT = re.compile(r"([\w.-]+)=(?:\"([^\"]*)\"|(\S*))")
_SEPARATED = re.compile(r"[ \t]*[|;\t][ \t]*")
_COLUMNS = 3
"""So many separators make a line a row of a table."""
_EPOCH = re.compile(r"\d{10}(?:\d{3})?")
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
    if line.startswith("{"):
        return _of_json(line, zone)
    if _LOGFMT_BEGIN.match(line):
        pairs = ((found[1], found[2] or found[3] or "") for found in _LOGFMT.finditer(line))
        return _of_keys(line, dict(pairs), zone)
    return _of_text(line, zone)


def _key(time: str, line: str) -> str:
    """By the time as it is written: who says the right zone the second time means the same line."""
    at = read_time(time, UTC)
    digest = hashlib.sha256(f"{at.isoformat() if at else time}\n{line}".encode("utf-8", "replace"))
    return f"hms-ops:{digest.hexdigest()[:32]}"


def _of_text(line: str, zone: tzinfo) -> DeploymentLine | None:
    found = _LINE.fullmatch(line)
    at = read_time(found["time"], zone) if found else None
    if found is None or at is None:
        return None
    level, text = _split_level(found["text"])
    words, separators = _SEPARATED.subn(" ", text)
    said = read_sentence(words if separators >= _COLUMNS else text, level)
    return _tell(_key(found["time"], line), at, said, text) if said else None


def _split_level(text: str) -> tuple[str, str]:
    """A word in capitals, or any in brackets, that is none is part of what is said."""
    found = _LEVEL.match(text)
    if found is None or not (text.startswith("[") or found[1].isupper()):
        return "", text
    level = found[1].upper()
    return (level, text[found.end() :]) if level in LEVELS else ("", text)


def _tell(key: str, at: datetime, said: Sentence, text: str) -> DeploymentLine:
    return DeploymentLine(
        key=key,
        at=at,
        project=said.project,
        environment=said.environment,
        provider=said.provider,
        version=said.version,
        by=said.by,
        text=clean(text, limit=500),
        is_success=said.is_success,
    )


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
    return _of_keys(line, body, zone) if isinstance(body, dict) else None


def _of_keys(line: str, body: Mapping[str, object], zone: tzinfo) -> DeploymentLine | None:
    """By its keys, else by its message: as the same sentence alone would be read."""
    words = {str(key).lower(): value for key, value in body.items()}
    time = _pick(
        words, "timestamp", "@timestamp", "time", "date", "datetime", "ts", "ended_at", "at"
    )
    at = read_time(time, zone)
    text = _pick(words, "message", "msg", "text", "event", "error", "reason")
    said = _say_keys(words) or _say_message(words)
    return _tell(_key(time, line), at, said, text) if at and said else None


def _say_keys(words: Mapping[str, object]) -> Sentence | None:
    project = _pick(words, "project", "app", "application", "site", "service")
    environment = _pick(words, "environment", "env", "stage")
    status = _pick(words, "status", "result", "outcome", "state").lower()
    if not (is_name(project) and is_name(environment)) or status not in _OUTCOMES:
        return None
    return Sentence(
        project=project,
        environment=environment,
        provider=name_provider(_pick(words, "provider", "platform", "type", "method")),
        version=_pick(words, "version", "tag", "release", "commit"),
        by=_pick(words, "user", "by", "deployed_by", "actor"),
        is_success=_OUTCOMES[status],
    )


def _say_message(words: Mapping[str, object]) -> Sentence | None:
    """Keys tell what its sentence does not."""
    level = _pick(words, "level", "severity", "levelname", "level_name").upper()
    found = (_pick(words, name) for name in ("message", "msg", "text", "event"))
    said = next(filter(None, (read_sentence(text, level) for text in found if text)), None)
    if said is None:
        return None
    return replace(
        said,
        provider=said.provider or name_provider(_pick(words, "provider", "platform")),
        version=said.version or _pick(words, "version", "tag", "release"),
        by=said.by or _pick(words, "user", "by", "deployed_by", "actor"),
    )


def _pick(words: Mapping[str, object], *names: str) -> str:
    found = (words[name] for name in names if isinstance(words.get(name), str | int))
    return clean(str(next(found, "")), limit=500).strip()


def read_time(text: str, zone: tzinfo) -> datetime | None:
    """By ISO 8601 or nearly, or in seconds or milliseconds since 1970.

    Of a time that the clocks of `zone` show twice, the first is meant.
    """
    try:
        if _EPOCH.fullmatch(text):
            return datetime.fromtimestamp(int(text) / (1 if len(text) < 12 else 1000), UTC)
        at = datetime.fromisoformat(text.replace(",", ".").replace(" ", "T", 1).replace(" ", ""))
        return (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
