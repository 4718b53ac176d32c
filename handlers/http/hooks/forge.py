"""Laravel Forge's deployment webhook: a deployment that failed becomes an error of its target.

Forge's payload has neither an id nor a time (status, server, site, commit_hash, commit_author,
commit_message): the same words within ten minutes are taken for a repeat.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, JsonValue, ValidationError

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
from operations.redaction import shorten

_SOURCE = "forge"
_GOOD = frozenset({"success", "succeeded", "finished", "deployed"})
_BAD = frozenset({"failed", "failure", "error", "errored", "cancelled", "timeout"})
_SAME_SECONDS = 600


class _Place(BaseModel):
    id: int
    name: Annotated[str, Field(max_length=300)] = ""


class _Deployment(BaseModel):
    status: Annotated[str, Field(max_length=50)]
    server: _Place
    site: _Place
    commit_hash: str | None = None
    commit_url: str | None = None
    commit_author: str | None = None
    commit_message: str | None = None


class Forge:
    """`receive` is the hook. `sites`: names of targets by the numbers of their server and site."""

    def __init__(
        self,
        intake: Intake,
        places: Places,
        sites: Mapping[tuple[int, int], str],
        clock: Clock,
    ) -> None:
        self._intake = intake
        self._places = places
        self._sites = sites
        self._clock = clock

    async def receive(self, payload: Payload) -> int:
        """One event for a failure, none for a success or for what was told before."""
        try:
            deployment = _Deployment.model_validate(payload)
        except ValidationError as exc:
            raise FaultyRequest("This is not understood.", faults_of(exc)) from exc
        status = deployment.status.lower()
        if status in _GOOD:
            return 0
        if status not in _BAD:
            raise misunderstood(BodyFault("status", "is neither a success nor a failure"))
        now = self._clock.now()
        event = _event(deployment, self._target(deployment), now)
        delivery = f"{int(now.timestamp()) // _SAME_SECONDS} {deployment.model_dump_json()}"
        return int(await self._intake.take([event], key=delivery_key(_SOURCE, delivery)))

    def _target(self, deployment: _Deployment) -> Target:
        name = self._sites.get((deployment.server.id, deployment.site.id), "")
        project, _, environment = name.partition("/")
        names = (deployment.site.name, str(deployment.site.id))
        target = self._places.find([project], environment, names)
        if target is None:
            where = f"site {deployment.site.id} of server {deployment.server.id}"
            raise misunderstood(BodyFault("site", f"{where} is no target of ours"))
        return target


def _event(deployment: _Deployment, target: Target, now: datetime) -> LogEvent:
    site = deployment.site.name or f"site {deployment.site.id}"
    given: dict[str, JsonValue] = {
        "fingerprint": f"forge:{deployment.server.id}:{deployment.site.id}",
        "release": deployment.commit_hash,
        "status": deployment.status,
        "commit_author": deployment.commit_author,
        "commit_message": deployment.commit_message,
        "commit_url": deployment.commit_url,
    }
    return LogEvent(
        project=target.project,
        environment=target.environment,
        level=Level.ERROR,
        message=shorten(f"Forge's deployment of {site} failed", limit=500),
        at=now,
        source=_SOURCE,
        fields=text_fields({key: value for key, value in given.items() if value}),
    )
