"""What is wrong with pods, and whether waiting can still help.

Only reasons that stay are fatal at once: a first failed pull or a single restart often mends itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from operations.redaction import clean
from providers.kubernetes.objects import (
    JsonObject,
    at,
    condition,
    flag,
    items,
    mapping,
    name,
    number,
    text,
)

CRASHES = 2
"""Restarts after which a crash loop is believed."""

_PULL = frozenset({"ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"})
_PULL_SOON = frozenset({"ErrImagePull", "ImageInspectError", "RegistryUnavailable"})
_CONFIG = frozenset({"CreateContainerConfigError"})
_START = frozenset({"CreateContainerError", "RunContainerError"})
_HARMLESS = frozenset({"ContainerCreating", "PodInitializing", ""})


@dataclass(frozen=True, slots=True)
class Trouble:
    """One pod's fault. `what` completes "1 pod …" and "3 pods …".

    `when` it is fatal: `now`, `soon` (if it lasts) or `maybe` (it may yet pass).
    """

    pod: str
    pod_uid: str
    container: str
    what: tuple[str, str]
    reason: str
    when: str


def is_ready(pod: JsonObject) -> bool:
    """Whether its Ready condition is true."""
    return text(condition(pod, "Ready"), "status") == "True"


def is_present(pod: JsonObject) -> bool:
    """Neither told to go nor evicted or preempted: such pods are replaced."""
    gone = at(pod, "metadata", "deletionTimestamp") is not None
    return not gone and text(pod, "status", "phase") not in ("Failed", "Succeeded")


def trouble_of(pod: JsonObject) -> Trouble | None:
    """The pod's worst fault; None when nothing speaks against it."""
    scheduled = condition(pod, "PodScheduled")
    if text(scheduled, "status") == "False" and text(scheduled, "reason") == "Unschedulable":
        what = ("finds no node to run on", "find no node to run on")
        return _make(pod, "", what, _join("Unschedulable", text(scheduled, "message")), "soon")
    status = mapping(pod, "status")
    containers = [
        *items(status, "initContainerStatuses"),
        *items(status, "containerStatuses"),
    ]
    found = [t for c in containers if (t := _container(pod, c)) is not None]
    return min(found, key=lambda t: ("now", "soon", "maybe").index(t.when), default=None)


def summary_of(troubles: Iterable[Trouble]) -> str:
    """`3 pods cannot pull the image`, for troubles of one kind."""
    listed = list(troubles)
    one, many = listed[0].what
    return f"1 pod {one}" if len(listed) == 1 else f"{len(listed)} pods {many}"


def _container(pod: JsonObject, status: JsonObject) -> Trouble | None:
    waiting = mapping(status, "state", "waiting")
    reason, message = text(waiting, "reason"), text(waiting, "message")
    container = text(status, "name")
    restarts = number(status, "restartCount")
    if reason in _PULL or reason in _PULL_SOON:
        what = ("cannot pull the image", "cannot pull the image")
        when = "now" if reason in _PULL else "maybe"
        return _make(pod, container, what, _join(reason, message), when)
    if reason in _CONFIG or reason in _START:
        what = ("cannot be started", "cannot be started")
        when = "now" if reason in _CONFIG else "maybe"
        return _make(pod, container, what, _join(reason, message), when)
    if reason == "CrashLoopBackOff" or (restarts >= CRASHES and not flag(status, "ready")):
        what = ("keeps crashing", "keep crashing")
        when = "now" if reason and restarts >= CRASHES else "maybe"
        text_of = _crash(status, restarts)
        return _make(pod, container, what, _join(reason or "Restarting", text_of), when)
    if reason not in _HARMLESS:
        return _make(
            pod, container, ("does not start", "do not start"), _join(reason, message), "maybe"
        )
    return None


def _crash(status: JsonObject, restarts: int) -> str:
    """How the last instance ended, which says more than the kubelet's words on the back-off."""
    ended = mapping(status, "lastState", "terminated") or mapping(status, "state", "terminated")
    times = f"{restarts} restart{'' if restarts == 1 else 's'}"
    if not ended:
        return times
    how = text(ended, "reason")
    code = number(ended, "exitCode")
    words = [how if how and how != "Error" else "", f"exit code {code}", times]
    message = text(ended, "message").strip()
    return ", ".join(w for w in words if w) + (f": {message}" if message else "")


def _join(reason: str, message: str) -> str:
    return clean(f"{reason}: {message}" if message else reason, limit=800)


def _make(
    pod: JsonObject, container: str, what: tuple[str, str], reason: str, when: str
) -> Trouble:
    identity = text(pod, "metadata", "uid")
    return Trouble(name(pod), identity, container, what, reason, when)
