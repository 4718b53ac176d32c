"""Rollouts asked for with a key of the caller's: the same key once more is the same request, not another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from operations.actor import Actor
from operations.clock import Clock
from operations.deployment.ports import Store, Transaction
from operations.deployment.repeats import Repeat
from operations.deployment.requests import DeployRequest, Requested, Requests
from operations.deployment.rollout import Rollout
from operations.errors import Refused, VersionConflict

_REMEMBERED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class RequestKey:
    """`key` is the caller's word for the request, `body_hash` what they asked for with it."""

    key: str
    body_hash: str


class KeyedRequests:
    """Requests whose answer is remembered. `tell` writes the answer down, as the caller gets it."""

    def __init__(
        self, requests: Requests, store: Store, clock: Clock, tell: Callable[[Rollout], str]
    ) -> None:
        self._requests = requests
        self._store = store
        self._clock = clock
        self._tell = tell

    async def request(self, request: DeployRequest, actor: Actor, key: RequestKey | None) -> str:
        """The answer, the first one when the key is known; the row is written with the rollout.

        Raises what `Requests.request` raises, and Refused when the key was used for something else. A
        request that was refused is not remembered: nothing came of it.
        """
        if key is None:
            return self._tell((await self._requests.request(request, actor)).rollout)
        first = await self._first(actor, key)
        if first is not None:
            return first
        try:
            return await self._ask(request, actor, key)
        except VersionConflict:
            first = await self._first(actor, key)
            if first is None:
                raise
            return first

    async def forget_old(self) -> None:
        """Drop what nobody will ask again."""
        async with self._store.transaction() as tx:
            await tx.repeats.forget(self._clock.now() - _REMEMBERED)

    async def _ask(self, request: DeployRequest, actor: Actor, key: RequestKey) -> str:
        answers: list[str] = []

        async def remember(tx: Transaction, requested: Requested) -> None:
            rollout = requested.rollout
            answers.append(self._tell(rollout))
            await tx.repeats.add(
                Repeat(
                    component=actor.id,
                    key=key.key,
                    body_hash=key.body_hash,
                    answer=answers[-1],
                    rollout_id=rollout.id,
                    at=rollout.requested_at,
                )
            )

        await self._requests.request(request, actor, also=remember)
        return answers[-1]

    async def _first(self, actor: Actor, key: RequestKey) -> str | None:
        async with self._store.snapshot() as tx:
            found = await tx.repeats.get(actor.id, key.key)
        if found is None:
            return None
        if found.body_hash != key.body_hash:
            raise Refused(
                f"This Idempotency-Key asked for something else before: it made D-{found.rollout_id}.",
                hint="Use a new key for a new request.",
            )
        return found.answer
