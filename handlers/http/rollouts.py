"""`POST /api/v1/rollouts`: a component asks for a deployment. Who approves does so in Slack."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from handlers.documents import RolloutDocument, rollout_document
from handlers.http.access import DEPLOY, require
from handlers.http.bodies import JSON, read_body
from handlers.http.keys import key_of, key_parameter
from handlers.http.problems import BodyFault, FaultyRequest
from handlers.http.queries import ExternalId, Name
from handlers.http.routes import Call, Route
from handlers.http.validation import faults_of
from operations.deployment.keyed_requests import KeyedRequests, RequestKey
from operations.deployment.requests import DeployRequest
from operations.deployment.rollout import Rollout
from operations.deployment.start_time import parse_start
from operations.deployment.target import Catalog
from operations.errors import InvalidRequest


def _start(text: str) -> str:
    """What `deploy --at` takes; raises ValueError."""
    try:
        parse_start(text)
    except InvalidRequest:
        raise ValueError(
            "should be a moment with its zone (2026-11-25T18:30:00Z), a span (2h) or a time of day (18:30)"
        ) from None
    return text


class RolloutRequest(BaseModel):
    """What is to be deployed, where to, and why."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )

    project: Name
    """As the configuration names it."""
    environment: Name
    """As the configuration names it."""
    version: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._/:@+-]*$", max_length=255)
    ]
    """A tag, a branch or a commit."""
    reason: Annotated[str, StringConstraints(max_length=500)]
    """In the asker's words; people read it before they approve."""
    external_id: ExternalId | None = None
    """The asker's own name of the matter, such as a ticket."""
    at: Annotated[str, StringConstraints(max_length=40), AfterValidator(_start)] | None = None
    """When to start, two weeks ahead at most: a moment with its zone (`2026-11-25T18:30:00+01:00`),
    a span from now (`2h`), or a time of day by the clocks of the target (`18:30`). Absent: at once."""


def tell_rollout(rollout: Rollout) -> str:
    """The answer as it is remembered."""
    return json.dumps(rollout_document(rollout), ensure_ascii=False)


class Asking:
    """Handlers of requests for rollouts."""

    def __init__(self, keyed: KeyedRequests, catalog: Catalog) -> None:
        self._keyed = keyed
        self._catalog = catalog

    def routes(self) -> Sequence[Route]:
        """One."""
        return (
            Route(
                method="POST",
                path="/api/v1/rollouts",
                name="requestRollout",
                summary="Ask for a deployment",
                right=DEPLOY,
                handle=self.request,
                document=RolloutDocument,
                status=202,
                body={JSON: lambda schemas: schemas.of_model(RolloutRequest)},
                parameters=(
                    key_parameter(
                        "The same key with the same body has one effect and gets the first answer, "
                        "for a week."
                    ),
                ),
                refusals=(409, 502),
            ),
        )

    async def request(self, call: Call) -> Mapping[str, object]:
        """Raises what `KeyedRequests.request` raises, and NotPermitted where it may not deploy."""
        key = key_of(call.request)
        body = _parse(await read_body(call.request, {JSON}))
        target = self._catalog.find(body.project, body.environment)
        what = f"deploy {target.name} {body.version}"
        require(call.component, f"{DEPLOY}:{target.environment}", what)
        wish = DeployRequest(
            project=target.project,
            environment=target.environment,
            version=body.version,
            reason=body.reason,
            external_id=body.external_id or "",
            start=parse_start(body.at) if body.at is not None else None,
        )
        told = await self._keyed.request(
            wish, call.component.actor, RequestKey(key, hash_of(body)) if key else None
        )
        document: Mapping[str, object] = json.loads(told)
        return document


def _parse(text: str) -> RolloutRequest:
    """Raises FaultyRequest. Whoever saw the body before us may have read a key that is twice otherwise."""
    try:
        body = RolloutRequest.model_validate_json(text)
    except ValidationError as exc:
        raise _faulty(faults_of(exc)) from exc
    given: list[str] = json.loads(text, object_pairs_hook=lambda pairs: [key for key, _ in pairs])
    twice = [key for key, count in Counter(given).items() if count > 1]
    if twice:
        raise _faulty([BodyFault(key, "is here twice") for key in twice])
    return body


def _faulty(faults: Sequence[BodyFault]) -> FaultyRequest:
    return FaultyRequest("The body is not as it should be.", faults)


def hash_of(body: RolloutRequest) -> str:
    """Of what is asked for, however it is spaced and ordered.

    A key that came later is left out where it is absent: what was asked for before it came is the same still.
    """
    absent = {"at"} if body.at is None else set()
    return hashlib.sha256(body.model_dump_json(exclude=absent).encode()).hexdigest()
