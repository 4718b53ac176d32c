"""Who calls the API, by their token, and what they may: 401, 429 and 403, in that order."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import web

from handlers.http.pace import TokenBucket
from handlers.http.problems import FaultyRequest, Unauthenticated
from operations.actor import Actor, ActorKind, component_actor
from operations.clock import Clock
from operations.errors import NotPermitted, Overloaded, Refused, StorageError
from operations.redaction import shorten
from operations.refusals import Refusals

_BEARER = re.compile(r"bearer +([\x21-\x7e]{1,1024}) *", re.IGNORECASE | re.ASCII)
_LOG = logging.getLogger("hms.http")
STRANGER = Actor(id="anonymous", kind=ActorKind.COMPONENT)
_STRANGERS_A_MINUTE = 10
_REFUSALS_A_MINUTE = 60
"""How many refusals are written down: nobody must be able to fill the audit trail with them."""
_READINGS_A_MINUTE = 1
"""And of those who would only have read, who may well ask again and again."""

DEPLOY = "deploy"
"""The right to deploy somewhere; `deploy:ENVIRONMENT` is the right to deploy there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """Another program of HMS. `rights` are `read`, `events` and `deploy:ENVIRONMENT`."""

    name: str
    token_sha256: str
    rights: frozenset[str]
    requests_a_minute: int = 600

    @property
    def actor(self) -> Actor:
        """Who asks, as rollouts and the audit trail name it."""
        return component_actor(self.name)

    def may(self, right: str) -> bool:
        """Whether it has the right; `deploy` alone: anywhere at all."""
        wanted = right.lower()
        return any(
            own.lower() == wanted or (wanted == DEPLOY and own.startswith(f"{DEPLOY}:"))
            for own in self.rights
        )


class Access:
    """Knows the components, how often each has called, and what was refused."""

    def __init__(self, components: Sequence[Component], clock: Clock, refusals: Refusals) -> None:
        self._components = components
        self._clock = clock
        self._refusals = refusals
        self._buckets: Mapping[str, TokenBucket] = {
            c.name: TokenBucket(c.requests_a_minute, clock) for c in components
        }
        self._written: dict[tuple[str, bool], TokenBucket] = {}

    def identify(self, authorization: str) -> Component:
        """The component whose token this is; raises Unauthenticated, or Overloaded beyond its rate."""
        given = _BEARER.fullmatch(authorization)
        component = find_by_token(self._components, given[1] if given else "")
        if component is None:
            raise Unauthenticated(
                "This needs the token of a component that HMS-SYS knows.",
                hint="Send `Authorization: Bearer TOKEN`.",
            )
        wait = self._buckets[component.name].take()
        if wait:
            rate = component.requests_a_minute
            raise Overloaded(f"More than {rate} requests a minute.", retry_after=wait)
        return component

    @contextlib.asynccontextmanager
    async def auditing(
        self, actor: Actor, what: str, *, reads: bool = False
    ) -> AsyncIterator[None]:
        """Writes down what is refused within the block.

        Of a change that is everything; of what only `reads`, an unknown token and a missing right.
        """
        try:
            yield
        except Refused as exc:
            if not reads or isinstance(exc, Unauthenticated | NotPermitted):
                await self._record(actor, what, _why(exc), reads=reads)
            raise
        except web.HTTPRequestEntityTooLarge:
            await self._record(actor, what, "the body is too large", reads=reads)
            raise

    async def _record(self, actor: Actor, what: str, why: str, *, reads: bool) -> None:
        """What cannot be written down is logged: the answer stays a refusal."""
        if self._bucket(actor, reads).take():
            return
        try:
            await self._refusals.record(actor, what, why)
        except StorageError as exc:
            _LOG.warning("a refusal of %s was not audited: %s", actor.id, exc.message)

    def _bucket(self, actor: Actor, reads: bool) -> TokenBucket:
        """Each has its own, which is smaller for strangers and for reading."""
        key = (actor.id, reads)
        if key not in self._written:
            most = _STRANGERS_A_MINUTE if actor == STRANGER else _REFUSALS_A_MINUTE
            self._written[key] = TokenBucket(_READINGS_A_MINUTE if reads else most, self._clock)
        return self._written[key]


def require(component: Component, right: str, what: str) -> None:
    """Raises NotPermitted when it lacks the right to do `what`: `deploy myapp/prod 1.1`."""
    if component.may(right):
        return
    named = f"{DEPLOY}:ENVIRONMENT" if right == DEPLOY else right
    raise NotPermitted(
        f"{component.name} may not {what}: it lacks the right {named}.",
        hint=f"An admin can add it under `components.{component.name}.may` in hms.yaml.",
    )


def _why(refusal: Refused) -> str:
    """With the first faults, as the body itself is not kept."""
    faults = refusal.faults[:3] if isinstance(refusal, FaultyRequest) else ()
    told = "; ".join(f"{fault.at} {fault.message}".strip() for fault in faults)
    return shorten(" ".join(part for part in (refusal.message, told) if part))


def find_by_token(components: Sequence[Component], token: str) -> Component | None:
    """Compares with every digest, so that the time it takes tells nothing."""
    found = None
    for component in components:
        if is_token(token, component.token_sha256):
            found = component
    return found


def is_token(token: str, token_sha256: str) -> bool:
    """Whether the digest is this token's, in constant time; no token is nobody's."""
    digest = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
    return hmac.compare_digest(digest, token_sha256) and bool(token)
