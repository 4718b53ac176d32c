"""HMS-OPS's central error log, understood: what went wrong, how bad, when and where.

Read are JSON objects a line, `[time] [LEVEL] [project] message`, and what PHP and Laravel write, with the
stack traces below them. Where a line does not say whose error it is, whoever imports it does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from operations.integration.legacy.records import read_time
from operations.integration.legacy.targets import is_name
from operations.monitoring.errors.documents import read_document
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.levels import level_of
from operations.monitoring.errors.told import Told
from operations.monitoring.errors.traces import last_words, split_stack, type_in
from operations.redaction import clean, shorten

SOURCE = "hms-ops"
"""The `source` of every imported event: its mark."""
UNKNOWN = "unknown"

_LONGEST_MESSAGE = 2000
_LONGEST_STACK = 8000
_LONGEST_FIELD = 200

_TIME = re.compile(
    r"\[?(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?: ?(?:Z|[+-]\d\d:?\d\d))?)\]?[ \t:-]*"
)
_LARAVEL = re.compile(r"(?P<environment>[A-Za-z][\w-]{0,40})\.[A-Z]{4,9}: ")
_LEVEL = re.compile(
    r"\[(?i:php:)?(?P<marked>(?i:trace|debug|info|notice|warn(?:ing)?|err(?:or)?|severe|alert|crit(?:ical)?"
    r"|emerg(?:ency)?|fatal|panic|success))\][ \t:-]*"
    r"|(?P<word>TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERR|ERROR|SEVERE|ALERT|CRITICAL|CRIT|EMERGENCY|EMERG|FATAL"
    r"|PANIC|SUCCESS)(?:[ \t:-]+|$)"
)
_NAME = r"[A-Za-z][\w.-]{0,62}"
_BRACKETED = re.compile(
    rf"\[(?P<project>{_NAME})(?:[/:](?P<environment>{_NAME}))?\](?: ?\[(?P<second>{_NAME})\])?[ \t:-]*"
)
_SLASHED = re.compile(rf"(?P<project>{_NAME})/(?P<environment>{_NAME}):[ \t]+")
_ASSIGNED = {
    "project": re.compile(rf"\b(?:project|app|application|site)=\"?({_NAME})"),
    "environment": re.compile(rf"\b(?:environment|env|stage)=\"?({_NAME})"),
}
_PHP = re.compile(
    r"PHP (?:(Fatal|Parse)|(Recoverable)|Warning|Notice|Deprecated|Stack trace| +\d+\.)"
)
_DOCUMENT_TIME = re.compile(
    r"\"(?:@timestamp|timestamp|time|ts|asctime|datetime|date)\"\s{0,4}:\s{0,4}\"([^\"]{8,40})\""
)
_PROJECTS = ("project", "app", "application", "site", "service")
_ENVIRONMENTS = ("environment", "env", "stage")
_LARAVEL_CONTEXT = ' {"exception":"[object] '


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How lines are to be read: what they mean where they do not say it themselves.

    `project` and `environment` "": unknown. `level` is that of lines without one.
    """

    zone: tzinfo = UTC
    project: str = ""
    environment: str = ""
    level: Level = Level.INFO

    def read(self, lines: Sequence[str], before: datetime | None = None) -> LogEvent | None:
        """Lines that belong together, as one event of whatever level; None: nobody knows when it was.

        A stack trace without a time was written `before`, when the last line with a time was.
        """
        head = lines[0]
        told = read_document(head) if len(lines) == 1 else None
        if told is not None:
            return self._of_document(told, head)
        return self._of_text(lines, before)

    def _of_document(self, told: Told, head: str) -> LogEvent | None:
        at = _document_time(head, told, self.zone)
        if at is None:
            return None
        project = _pick(told.more, _PROJECTS)
        environment = _pick(told.more, _ENVIRONMENTS)
        return self._event(told, at, project, environment)

    def _of_text(self, lines: Sequence[str], before: datetime | None) -> LogEvent | None:
        said, stack = split_stack(lines)
        head = said[0] if said else lines[0]
        found = _TIME.match(head)
        at = read_time(found["time"], self.zone) if found else before if stack else None
        if at is None:
            return None
        rest = head[found.end() :] if found else "".join(said[:1])
        where, message = _opening(rest)
        text = "\n".join([message, *said[1:]]).strip().partition(_LARAVEL_CONTEXT)[0]
        told = Told(
            message=text or last_words(stack) or head,
            level=_level(rest) or (Level.ERROR if stack else None),
            type=type_in("\n".join([message, *lines[1:]])) if stack or text != message else "",
            stack="\n".join(stack),
        )
        return self._event(told, at, where.get("project", ""), where.get("environment", ""))

    def _event(self, told: Told, at: datetime, project: str, environment: str) -> LogEvent:
        level = told.level if told.level is not None else self.level
        fields = {name[:_LONGEST_FIELD]: text for name, text in told.more.items()}
        if told.type:
            fields["type"] = told.type
        cut = {name: shorten(text, limit=_LONGEST_FIELD) for name, text in fields.items() if text}
        if told.stack:
            cut["stack"] = clean(told.stack, limit=_LONGEST_STACK)
        return LogEvent(
            project=project or self.project or UNKNOWN,
            environment=environment or self.environment or UNKNOWN,
            level=level,
            message=shorten(told.message, limit=_LONGEST_MESSAGE) or "(empty)",
            at=at,
            source=SOURCE,
            fields=cut,
        )


def _opening(text: str) -> tuple[Mapping[str, str], str]:
    """Whose error a line tells of, and its message: what stands after time, level and names."""
    where: dict[str, str] = {}
    if found := _LARAVEL.match(text):
        where["environment"] = found["environment"]
        text = text[found.end() :]
    text = _without_level(text)
    if found := _BRACKETED.match(text) or _SLASHED.match(text):
        parts = found.groupdict()
        where["project"] = parts["project"]
        if environment := parts["environment"] or parts.get("second"):
            where["environment"] = environment
        text = _without_level(text[found.end() :])
    for name, pattern in _ASSIGNED.items():
        if name not in where and (assigned := pattern.search(text)):
            where[name] = assigned[1]
    return {name: word.rstrip(".-") for name, word in where.items()}, text


def _without_level(text: str) -> str:
    found = _LEVEL.match(text)
    return text[found.end() :] if found else text


def _level(text: str) -> Level | None:
    """What a line says of itself, without its time. What PHP writes below an error is no other one."""
    if found := _PHP.match(text):
        if found[1]:
            return Level.CRITICAL
        return Level.ERROR if found[2] else Level.WARNING
    if found := _LEVEL.match(text):
        word = found["marked"] or found["word"]
        return Level.INFO if word.upper() == "SUCCESS" else level_of(word.upper())
    return level_of(text)


def _document_time(head: str, told: Told, zone: tzinfo) -> datetime | None:
    """`told` has taken one without a zone for UTC."""
    found = _DOCUMENT_TIME.search(head)
    return read_time(found[1], zone) if found else told.at


def _pick(more: Mapping[str, str], names: Sequence[str]) -> str:
    return next((more[name] for name in names if is_name(more.get(name, ""))), "")
