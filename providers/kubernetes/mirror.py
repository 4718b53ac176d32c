"""Local copies of what a selector finds, kept up to date by list and watch.

A watch that is lost or too old is begun again from a new list, so that no change is missed. Failing to
ask is borne for a while; then the mirror ends with an error, which its reader finds in `error`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType

from operations.clock import Clock
from operations.errors import ProviderError, ProviderUnauthorized, ProviderUnavailable
from providers.kubernetes.cluster import Cluster, Event, Query
from providers.kubernetes.objects import JsonObject, text, uid

_SHORTEST, _LONGEST = 0.1, 3.0


@dataclass(frozen=True, slots=True)
class Source:
    """What is mirrored: a collection, narrowed by selectors."""

    cluster: Cluster
    path: str
    query: Query


class Mirror:
    """The objects by uid; `synced` once they were listed. `wake` is set at every change."""

    def __init__(
        self, source: Source, *, clock: Clock, wake: asyncio.Event, patience: float
    ) -> None:
        self.objects: dict[str, JsonObject] = {}
        self.synced = False
        self.error: ProviderError | None = None
        self._source = source
        self._clock = clock
        self._wake = wake
        self._patience = patience
        self._version = ""
        self._failing_since: datetime | None = None
        self._pause = _SHORTEST

    async def run(self) -> None:
        """Mirror until cancelled, or until `error` is set; raises nothing itself."""
        while self.error is None:
            try:
                await self._turn()
            except (ProviderUnavailable, ProviderUnauthorized) as exc:
                # An API server that has just started forbids everything for a moment.
                await self._bear(exc)
            except ProviderError as exc:
                self._give_up(exc)

    async def _turn(self) -> None:
        if not self._version:
            await self._list()
        began = self._clock.now()
        source, version = self._source, self._version
        self._version = ""  # stays so unless the watch ends in order
        async with source.cluster.watch(source.path, source.query, version) as events:
            self._failing_since = None
            async for event in events:
                version = self._take(event) or version
                self._pause = _SHORTEST
        if (self._clock.now() - began).total_seconds() >= 1:
            self._version = version
            return
        await self._rest()  # a server that ends watches at once must not be asked in a tight loop

    async def _list(self) -> None:
        source = self._source
        listed = await source.cluster.list(source.path, source.query)
        self.objects = {uid(o): o for o in listed.items}
        self._version = listed.version
        self._failing_since = None
        self.synced = True
        self._wake.set()

    def _take(self, event: Event) -> str:
        if event.kind == "DELETED":
            self.objects.pop(uid(event.object), None)
        elif event.kind in ("ADDED", "MODIFIED"):
            self.objects[uid(event.object)] = event.object
        if event.kind != "BOOKMARK":
            self._wake.set()
        return text(event.object, "metadata", "resourceVersion")

    async def _bear(self, exc: ProviderError) -> None:
        now = self._clock.now()
        self._failing_since = self._failing_since or now
        if (now - self._failing_since).total_seconds() >= self._patience:
            self._give_up(exc)
        else:
            await self._rest()

    async def _rest(self) -> None:
        await self._clock.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST)

    def _give_up(self, exc: ProviderError) -> None:
        self.error = exc
        self._wake.set()


class Watchers:
    """Runs coroutines beside the body of an `async with`; they must not raise.

    A plain TaskGroup would wrap what the body raises, GeneratorExit included, into a group: it cannot hold
    an async generator's yield.
    """

    def __init__(self, works: Sequence[Callable[[], Awaitable[None]]]) -> None:
        self._works = works
        self._group = asyncio.TaskGroup()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> None:
        await self._group.__aenter__()
        for work in self._works:
            self._tasks.append(self._group.create_task(_awaited(work), name="Kubernetes watch"))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await self._group.__aexit__(None, None, None)


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()
