"""The one route of all hooks: whose token it is, how often it may call, and what it sent.

An unknown system and a wrong token get the same answer as an address where nothing is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from pydantic import JsonValue
from pydantic_core import from_json

from handlers.http.access import STRANGER, Access, is_token
from handlers.http.bodies import JSON, read_body
from handlers.http.hooks.signatures import Signature
from handlers.http.pace import TokenBucket
from handlers.http.problems import BodyFault, FaultyRequest, Unauthenticated, UnknownAddress
from handlers.http.routes import json_answer
from operations.actor import Actor, ActorKind
from operations.clock import Clock
from operations.errors import Overloaded, StorageUnavailable

_A_MINUTE = 600
_NOBODY = "0" * 64

Payload = Mapping[str, JsonValue]
Receive = Callable[[Payload], Awaitable[int]]
"""Takes what was sent and says how much came of it; raises FaultyRequest for what is not understood."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One system that may call; `signature` None: its token is all that it has."""

    token_sha256: str
    receive: Receive
    signature: Signature | None = None


class Door:
    """`hooks` by the system's word in the address."""

    def __init__(self, hooks: Mapping[str, Hook], access: Access, clock: Clock) -> None:
        self._hooks = hooks
        self._access = access
        self._buckets = {name: TokenBucket(_A_MINUTE, clock) for name in hooks}

    def register(self, application: web.Application) -> None:
        """Add the route."""
        application.router.add_post("/hooks/{system}/{token}", self._answer)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        system = request.match_info["system"]
        async with self._access.auditing(STRANGER, "POST /hooks"):
            hook = self._find(system, request.match_info["token"])
        actor = Actor(id=f"hook:{system}", kind=ActorKind.COMPONENT, name=system)
        async with self._access.auditing(actor, f"POST /hooks/{system}"):
            accepted = await self._receive(system, hook, request)
        return json_answer({"accepted": accepted}, 202)

    def _find(self, system: str, token: str) -> Hook:
        hook = self._hooks.get(system)
        known = hook.token_sha256 if hook else _NOBODY
        if not is_token(token, known) or hook is None:
            raise UnknownAddress("There is nothing at this address.")
        return hook

    async def _receive(self, system: str, hook: Hook, request: web.Request) -> int:
        if self._buckets[system].take():
            raise _later(f"More than {_A_MINUTE} calls a minute.")
        text = await read_body(request, {JSON})
        if hook.signature and not hook.signature.fits(await request.read(), request.headers):
            raise Unauthenticated(
                "The signature does not fit.", hint=f"{hook.signature.header} is missing or wrong."
            )
        payload = _payload_of(text)
        try:
            return await hook.receive(payload)
        except Overloaded as exc:
            raise _later(exc.message) from exc


def _later(why: str) -> StorageUnavailable:
    """503, not 429: Alertmanager sends again what failed with 5xx and drops what was refused."""
    return StorageUnavailable(why)


def _payload_of(text: str) -> Payload:
    try:
        found = from_json(text)
    except ValueError as exc:
        raise misunderstood(BodyFault("", f"is not JSON ({exc})")) from exc
    if not isinstance(found, dict):
        raise misunderstood(BodyFault("", "should be an object"))
    return found


def misunderstood(*faults: BodyFault) -> FaultyRequest:
    """The refusal of what makes no sense here."""
    return FaultyRequest("This is not understood.", faults)
