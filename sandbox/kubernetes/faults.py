"""What can go wrong between a client and the API server, on demand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from sandbox.kubernetes.statuses import ApiError


class Faults:
    """Knobs. `latency` is in seconds and delays every answer.

    `refused` is the status that every request gets (0: none), `cuts` drops every connection instead.
    `hold_patches` delays patches alone, `before_patch` is called once when the next one has come in.
    """

    def __init__(self) -> None:
        self.latency = 0.0
        self.refused = 0
        self.cuts = False
        self.hold_patches = 0.0
        self.before_patch: Callable[[], object] | None = None
        self._throttled = 0
        self._lost = 0
        self._swallowed = 0

    def throttle(self, requests: int) -> None:
        """Answer the next requests with 429 and Retry-After."""
        self._throttled = requests

    def lose_next_patch(self) -> None:
        """Cut the connection of the next patch before it is carried out."""
        self._lost += 1

    def swallow_next_patch(self) -> None:
        """Carry the next patch out and cut the connection before the answer."""
        self._swallowed += 1

    def clear(self) -> None:
        """All is well again."""
        self.latency, self.refused, self.cuts = 0.0, 0, False
        self.hold_patches, self.before_patch = 0.0, None
        self._throttled = self._lost = self._swallowed = 0

    async def meet(self, request: web.Request) -> bool:
        """Apply the knobs to a request: true when its connection is to be cut. Raises ApiError."""
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.refused:
            raise ApiError(self.refused, "the stand-in was told to refuse everything")
        if self._throttled:
            self._throttled -= 1
            raise ApiError(429, "too many requests, please try again later")
        return self.cuts

    async def meet_patch(self) -> None:
        """Apply the knobs that patches alone meet."""
        if self.hold_patches:
            await asyncio.sleep(self.hold_patches)
        if self.before_patch is not None:
            surprise, self.before_patch = self.before_patch, None
            surprise()

    def loses_patch(self) -> bool:
        """Whether this patch is lost; counts it."""
        self._lost -= (lost := self._lost > 0)
        return lost

    def swallows_answer(self) -> bool:
        """Whether this patch's answer is lost; counts it."""
        self._swallowed -= (swallowed := self._swallowed > 0)
        return swallowed


def cut(request: web.Request) -> web.Response:
    """Abort the connection under a request; what is returned reaches nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
