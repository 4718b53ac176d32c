"""Following a rollout by watching its workload, its history and its pods until it ends.

Resumable from the handle alone. Lost watches and a restarting API server are survived; after `patience`
seconds without being able to ask, ProviderUnavailable is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

from operations.clock import Clock
from operations.deployment.progress import Failure, Progress, Verdict
from providers.kubernetes.cluster import Cluster, Query, path_of
from providers.kubernetes.evidence import describe, failure_of, gather
from providers.kubernetes.marks import Expectation
from providers.kubernetes.mirror import Mirror, Source, Watchers
from providers.kubernetes.objects import JsonObject
from providers.kubernetes.revisions import collection_of
from providers.kubernetes.scene import Scene
from providers.kubernetes.troubles import Trouble, summary_of
from providers.kubernetes.workload import Workload

ACTIVITY = "New pods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Spans in seconds. `silence`: how long the cluster may not be asked; `unschedulable`: how long a pod
    may find no node, as clusters grow; `blocked`: how long a StatefulSet may wait for a broken pod;
    `given_up`: how long the controllers' word that they gave up must stand, as for a moment it may still be
    about what failed before; `look`: how often spans are looked at when nothing changes.
    """

    silence: float = 60.0
    unschedulable: float = 90.0
    blocked: float = 15.0
    given_up: float = 3.0
    look: float = 1.0


class Follower:
    """One rollout under observation."""

    def __init__(
        self, cluster: Cluster, expected: Expectation, *, clock: Clock, patience: Patience
    ) -> None:
        self._cluster = cluster
        self._expected = expected
        self._clock = clock
        self._patience = patience
        self._wake = asyncio.Event()
        self._since: dict[str, datetime] = {}
        self._workload = self._mirror(
            expected.resource, {"fieldSelector": f"metadata.name={expected.name}"}
        )
        chosen = {"labelSelector": expected.selector}
        self._pods = self._mirror("pods", chosen)
        self._revisions = self._mirror(collection_of(expected.resource), chosen)

    async def follow(self) -> AsyncGenerator[Progress, None]:
        """Progress whenever it changes; the last one carries a verdict."""
        mirrors = (self._workload, self._pods, self._revisions)
        works: list[Callable[[], Awaitable[None]]] = [m.run for m in mirrors]
        told: Progress | None = None
        async with Watchers([*works, self._tick]):
            while told is None or told.verdict is None:
                await self._wake.wait()
                self._wake.clear()
                seen = await self._look()
                if seen is not None and seen != told:
                    yield seen
                    told = seen

    async def _tick(self) -> None:
        while True:
            await self._clock.sleep(self._patience.look)
            self._wake.set()

    async def _look(self) -> Progress | None:
        """What can be said now; None while nothing was read yet."""
        if self._workload.error is not None:
            raise self._workload.error
        if not self._workload.synced:
            return None
        scene = self._scene()
        if gone := scene.displaced():
            return Progress(activity=ACTIVITY, detail=gone, verdict=Verdict.UNKNOWN)
        if scene.stage.is_done:
            return _succeeded(scene)
        failure = self._fatal(scene)
        if failure is None:
            return _going_on(scene)
        evidence = await gather(self._cluster, scene)
        return replace(
            _going_on(scene),
            verdict=Verdict.FAILED,
            failure=replace(failure, evidence=(*failure.evidence, *evidence)),
        )

    def _scene(self) -> Scene:
        expected = self._expected
        found = list(self._workload.objects.values())
        workload = Workload(expected.resource, found[0]) if found else None
        revisions = list(self._revisions.objects.values())
        return Scene(expected, workload, revisions, list(self._pods.objects.values()))

    def _fatal(self, scene: Scene) -> Failure | None:
        """The fault that ends the rollout; None while there is hope."""
        given_up = bool(scene.stage.failed or scene.refusal()[0])
        if self._lasts("given up", given_up, self._patience.given_up):
            return describe(scene)
        troubles = scene.troubles()
        now = [t for t in troubles if t.when == "now"]
        if now:
            return failure_of(now)
        soon = [t for t in troubles if t.when == "soon"]
        if self._lasts("soon", bool(soon), self._patience.unschedulable):
            return failure_of(soon)
        # Back-offs alternate with further tries: any fault counts that is there at every look.
        blockers = scene.blockers()
        if self._lasts("blocked", bool(blockers), self._patience.blocked):
            return _blocked(scene, blockers)
        return None

    def _lasts(self, what: str, is_there: bool, seconds: float) -> bool:
        """Whether there has been such trouble at every look for so long."""
        if not is_there:
            self._since.pop(what, None)
            return False
        now = self._clock.now()
        return (now - self._since.setdefault(what, now)).total_seconds() >= seconds

    def _mirror(self, resource: str, query: Query) -> Mirror:
        source = Source(self._cluster, path_of(resource, self._expected.namespace), query)
        return Mirror(source, clock=self._clock, wake=self._wake, patience=self._patience.silence)


async def look_once(cluster: Cluster, expected: Expectation) -> Scene:
    """The same scene from plain lists, for a look without following."""

    async def read(resource: str, query: Query) -> list[JsonObject]:
        return (await cluster.list(path_of(resource, expected.namespace), query)).items

    found = await read(expected.resource, {"fieldSelector": f"metadata.name={expected.name}"})
    chosen = {"labelSelector": expected.selector}
    revisions = await read(collection_of(expected.resource), chosen)
    pods = await read("pods", chosen)
    workload = Workload(expected.resource, found[0]) if found else None
    return Scene(expected, workload, revisions, pods)


def _succeeded(scene: Scene) -> Progress:
    total = scene.total
    detail = f"{total} of {total} new pods ready" if total else "scaled to 0: no pod runs"
    return Progress(
        activity=ACTIVITY, detail=detail, ready=total, total=total, verdict=Verdict.SUCCEEDED
    )


def _going_on(scene: Scene) -> Progress:
    ready, total = scene.ready(), scene.total
    detail = f"{ready} of {total} new pods ready"
    if not scene.stage.observed:
        detail = scene.stage.waiting
    elif ready >= total:
        detail = f"{detail}; {scene.stage.waiting}"
    elif troubles := scene.troubles():
        word = troubles[0].reason.partition(":")[0]
        detail = f"{detail} ({summary_of([troubles[0]])}: {word})"
    return Progress(activity=ACTIVITY, detail=detail, ready=ready, total=total)


def _blocked(scene: Scene, blockers: list[Trouble]) -> Failure:
    """A StatefulSet's known trap; HMS has no right to delete pods, so people must."""
    expected, pod = scene.expected, blockers[0].pod
    return Failure(
        summary=f"{expected.title} waits for ever for the broken pod {pod} of another version",
        reason=blockers[0].reason,
        evidence=(
            "Kubernetes replaces it only when somebody deletes it: "
            f"kubectl -n {expected.namespace} delete pod {pod}",
        ),
    )
