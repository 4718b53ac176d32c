"""Who calls the API, by their token, and what they may: 401, 429 and 403, in that order."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from handlers.http.pace import TokenBucket
from handlers.http.problems import Unauthenticated
from operations.actor import Actor, ActorKind
from operations.clock import Clock
from operations.errors import NotPermitted, Overloaded
from operations.refusals import Refusals

_BEARER = re.compile(r"bearer +([\x21-\x7e]{1,1024}) *", re.IGNORECASE | re.ASCII)
_STRANGER = Actor(id="anonymous", kind=ActorKind.COMPONENT)
_STRANGERS_A_MINUTE = 10
"""How many refusals of strangers are written down: they must not be able to fill the audit trail."""

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
        return Actor(id=f"component:{self.name}", kind=ActorKind.COMPONENT, name=self.name)

    def may(self, right: str) -> bool:
        """Whether it has the right; `deploy` alone: anywhere at all."""
        wanted = right.lower()
        return any(
            own.lower() == wanted or (wanted == DEPLOY and own.startswith(f"{DEPLOY}:"))
            for own in self.rights
        )


class Access:
    """Knows the components and how often each has called."""

    def __init__(self, components: Sequence[Component], clock: Clock, refusals: Refusals) -> None:
        self._components = components
        self._refusals = refusals
        self._buckets: Mapping[str, TokenBucket] = {
            c.name: TokenBucket(c.requests_a_minute, clock) for c in components
        }
        self._strangers = TokenBucket(_STRANGERS_A_MINUTE, clock)

    async def admit(self, authorization: str, right: str, what: str, *, changes: bool) -> Component:
        """The component whose token this is, when it may; `what` it asks for is for the audit trail.

        Raises Unauthenticated, Overloaded or NotPermitted.
        """
        component = self._find(authorization)
        if component is None:
            if changes:
                await self.record_stranger(what, "no known token")
            raise Unauthenticated(
                "This needs the token of a component that HMS-SYS knows.",
                hint="Send `Authorization: Bearer TOKEN`.",
            )
        wait = self._buckets[component.name].take()
        if wait:
            rate = component.requests_a_minute
            raise Overloaded(f"More than {rate} requests a minute.", retry_after=wait)
        await self.require(component, right, what, changes=changes)
        return component

    async def require(
        self, component: Component, right: str, what: str, *, changes: bool = True
    ) -> None:
        """Raises NotPermitted when the component lacks the right."""
        if component.may(right):
            return
        if changes:
            await self._refusals.record(component.actor, what, f"lacks the right {right}")
        named = f"{DEPLOY}:ENVIRONMENT" if right == DEPLOY else right
        raise NotPermitted(
            f"{component.name} may not do this: it lacks the right {named}.",
            hint=f"An admin can add it under `components.{component.name}.may` in hms.yaml.",
        )

    async def record_stranger(self, what: str, why: str) -> None:
        """Write down that somebody unknown asked for a change, as long as there are few of them."""
        if not self._strangers.take():
            await self._refusals.record(_STRANGER, what, why)

    def _find(self, authorization: str) -> Component | None:
        given = _BEARER.fullmatch(authorization)
        return find_by_token(self._components, given[1] if given else "")


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
