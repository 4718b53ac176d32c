"""Sentry's integration webhooks: errors, issue alerts and new issues become events of the central log.

Sentry has grouped them already, so its issue is their fingerprint. Each is told apart by its event's id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

from handlers.http.event_values import text_fields
from handlers.http.events import Intake
from handlers.http.hooks.deliveries import delivery_key
from handlers.http.hooks.door import Payload, misunderstood
from handlers.http.hooks.places import Places
from handlers.http.problems import BodyFault, FaultyRequest
from handlers.http.validation import faults_of
from operations.clock import Clock
from operations.deployment.target import Target
from operations.monitoring.errors.event import Level, LogEvent
from operations.monitoring.errors.levels import level_named
from operations.redaction import shorten

_SOURCE = "sentry"
_SLUG = re.compile(r"/projects/[^/]+/([^/]+)/")
_MESSAGE = 2_000
_QUIET = ("installation", "comment", "assigned", "resolved", "archived", "unresolved", "ignored")
"""Actions and parts that say nothing about an error."""

_Id = Annotated[str, Field(coerce_numbers_to_str=True, min_length=1, max_length=100)]


class _Loose(BaseModel):
    """Sentry adds keys as it likes."""

    model_config = ConfigDict(extra="ignore")


class _Project(_Loose):
    id: _Id = "?"
    slug: str = ""
    name: str = ""


class _Metadata(_Loose):
    type: str = ""
    value: str = ""


class _Event(_Loose):
    """An event, or an issue: what both have in common is all that is read."""

    id: _Id | None = None
    event_id: _Id | None = None
    issue_id: _Id | None = None
    title: str = ""
    culprit: str | None = None
    level: str = "error"
    project: _Id | _Project = "?"
    environment: str | None = None
    release: JsonValue = None
    datetime_: Annotated[AwareDatetime | None, Field(alias="datetime")] = None
    tags: JsonValue = None
    metadata: _Metadata = _Metadata()
    url: str = ""
    web_url: str = ""

    @property
    def issue(self) -> str:
        """What Sentry calls the group."""
        return self.issue_id or self.id or ""

    @property
    def place(self) -> str:
        """The environment by Sentry's account, which older hooks tell among the tags only."""
        pairs = self.tags if isinstance(self.tags, list) else []
        tagged = (
            p[1] for p in pairs if isinstance(p, list) and len(p) == 2 and p[0] == "environment"
        )
        return self.environment or next((tag for tag in tagged if isinstance(tag, str)), "")

    def names(self) -> Iterator[str]:
        """What `hooks.sentry.targets` may call its project."""
        if isinstance(self.project, _Project):
            yield from (self.project.slug, self.project.name, self.project.id)
        else:
            slug = _SLUG.search(self.url)
            yield from ((slug[1],) if slug else ())
            yield self.project


class _Data(_Loose):
    event: _Event | None = None
    error: _Event | None = None
    issue: _Event | None = None


class _Hook(_Loose):
    action: Annotated[str, Field(max_length=50)] = ""
    data: _Data


class Sentry:
    """`receive` is the hook."""

    def __init__(self, intake: Intake, places: Places, clock: Clock) -> None:
        self._intake = intake
        self._places = places
        self._clock = clock

    async def receive(self, payload: Payload) -> int:
        """One event, or none when it was told before or tells of no error."""
        try:
            hook = _Hook.model_validate(payload)
        except ValidationError as exc:
            raise FaultyRequest("This is not understood.", faults_of(exc)) from exc
        found = hook.data.event or hook.data.error or hook.data.issue
        if found is None or hook.action in _QUIET:
            return self._ignored(hook, payload)
        if not found.issue:
            raise misunderstood(BodyFault("data", "names no issue"))
        event = self._event(found)
        delivery = f"{found.event_id or 'issue'} {found.issue}"
        return int(await self._intake.take([event], key=delivery_key(_SOURCE, delivery)))

    @staticmethod
    def _ignored(hook: _Hook, payload: Payload) -> int:
        data = payload.get("data")
        parts = data if isinstance(data, dict) else {}
        if hook.action in _QUIET or any(part in parts for part in _QUIET):
            return 0
        raise misunderstood(BodyFault("data", "holds no event, error or issue"))

    def _event(self, found: _Event) -> LogEvent:
        target = self._target(found)
        title = found.title or found.metadata.value or found.metadata.type or "(no title)"
        return LogEvent(
            project=target.project,
            environment=target.environment,
            level=level_named(found.level) or Level.ERROR,
            message=shorten(title, limit=_MESSAGE),
            at=found.datetime_ or self._clock.now(),
            source=_SOURCE,
            fields=text_fields(_fields(found)),
        )

    def _target(self, found: _Event) -> Target:
        names = [name for name in found.names() if name]
        target = self._places.find(names, found.place, names)
        if target is None:
            told = shorten(names[0] if names else "?", limit=100)
            words = f"{told} is no project of ours: name it in hms.yaml under hooks.sentry.targets"
            raise misunderstood(BodyFault("data", words))
        return target


def _fields(found: _Event) -> dict[str, JsonValue]:
    release = found.release
    if isinstance(release, dict):
        release = release.get("version")
    given: dict[str, JsonValue] = {
        "fingerprint": f"sentry:{found.issue}",
        "type": found.metadata.type,
        "culprit": found.culprit,
        "release": release,
        "url": found.web_url,
    }
    return {key: value for key, value in given.items() if value}
