"""Why a rollout does not get on: the platform's events and the container's last words.

Best effort within a few seconds: a failure is told without evidence rather than not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from operations.deployment.progress import Failure
from operations.errors import ProviderError
from operations.redaction import clean
from providers.kubernetes.cluster import Cluster, Query, path_of
from providers.kubernetes.objects import JsonObject, name, number, text
from providers.kubernetes.scene import Scene
from providers.kubernetes.troubles import Trouble, is_ready, summary_of

_SECONDS = 5.0
_EVENTS = 6
_LOG_LINES = 20


async def gather(cluster: Cluster, scene: Scene) -> tuple[str, ...]:
    """Warning events of what is involved, then the last lines of a pod in trouble."""
    found: list[str] = []
    try:
        async with asyncio.timeout(_SECONDS):
            found += await _events(cluster, scene)
            found += await _last_words(cluster, scene)
    except (ProviderError, TimeoutError):
        return tuple(found)
    return tuple(found)


def describe(scene: Scene) -> Failure:
    """The most telling fault, without evidence; used also where waiting might still have helped."""
    reason, message = scene.refusal()
    if reason:
        told = clean(f"{reason}: {message}", limit=800)
        return Failure(summary="The controller cannot create pods", reason=told)
    troubles = sorted(
        [*scene.troubles(), *scene.blockers()], key=lambda t: ("now", "soon", "maybe").index(t.when)
    )
    if troubles:
        return failure_of(troubles)
    unready = [p for p in scene.new_pods() if not is_ready(p)]
    if unready:
        count = len(unready)
        what = "1 pod does not become ready" if count == 1 else f"{count} pods do not become ready"
        return Failure(summary=what, reason=scene.stage.waiting or scene.stage.failed)
    if scene.stage.failed:
        return Failure(summary="The rollout does not get on", reason=clean(scene.stage.failed))
    return Failure(summary=scene.displaced() or scene.stage.waiting or "The rollout is complete")


def failure_of(troubles: Sequence[Trouble]) -> Failure:
    """One failure for all pods that suffer the same as the first."""
    same = [t for t in troubles if t.what == troubles[0].what]
    return Failure(summary=summary_of(same), reason=same[0].reason)


async def _events(cluster: Cluster, scene: Scene) -> list[str]:
    path = path_of("events", scene.expected.namespace)
    found: list[JsonObject] = []
    for uid in scene.uids()[:5]:
        query = {"fieldSelector": f"involvedObject.uid={uid},type=Warning"}
        try:
            found += (await cluster.list(path, query)).items
        except ProviderError:
            return [_told(e) for e in found]
    found.sort(key=_time_of)
    return list(dict.fromkeys(_told(e) for e in found))[-_EVENTS:]


def _time_of(event: JsonObject) -> str:
    """Old and new recorders fill different members."""
    return (
        text(event, "lastTimestamp")
        or text(event, "series", "lastObservedTime")
        or text(event, "eventTime")
        or text(event, "firstTimestamp")
    )


def _told(event: JsonObject) -> str:
    count = max(number(event, "count"), number(event, "series", "count"))
    times = f" (×{count})" if count > 1 else ""
    about = text(event, "involvedObject", "name")
    line = f"{text(event, 'reason')} {about}: {text(event, 'message')}"
    return clean(line, limit=1500).strip() + times


async def _last_words(cluster: Cluster, scene: Scene) -> list[str]:
    """Of the first new pod in trouble, else of one that is not ready; nothing when it never ran."""
    pod, container = _speaker(scene)
    if not pod:
        return []
    path = path_of("pods", scene.expected.namespace, pod, "log")
    asked = {"tailLines": str(_LOG_LINES), "limitBytes": "16384"}
    if container:
        asked["container"] = container
    told = await _log(cluster, path, {**asked, "previous": "true"})
    told = told or await _log(cluster, path, asked)
    return [clean(line, limit=500) for line in told.splitlines()[-_LOG_LINES:]]


def _speaker(scene: Scene) -> tuple[str, str]:
    for trouble in [*scene.troubles(), *scene.blockers()]:
        if trouble.container:
            return trouble.pod, trouble.container
    for pod in scene.new_pods():
        if not is_ready(pod):
            return name(pod), scene.expected.container
    return "", ""


async def _log(cluster: Cluster, path: str, query: Query) -> str:
    """ "" for an instance that never was: the API answers 400 then."""
    try:
        return await cluster.text(path, query)
    except ProviderError:
        return ""
