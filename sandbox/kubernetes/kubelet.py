"""What becomes of a pod, step by step: the scheduler and the kubelet of the stand-in.

An image's tag decides: `bad` (or one that its registry does not know) can never be pulled, `crash` exits a
moment after it started, `noconfig` wants a ConfigMap that does not exist, `slow` takes `slow_paces` steps to
become ready, all others become ready in their second step. The pods of an image that says `errors` are
well, and fail at a request now and then.
"""

from __future__ import annotations

import copy
import hashlib
from typing import Protocol

from sandbox.kubernetes.logs import PodLogs, Written
from sandbox.kubernetes.objects import Json, condition, timestamp
from sandbox.kubernetes.store import Store

_CRASH_LOG = (
    "starting worker on :8080",
    "Traceback (most recent call last):",
    '  File "/app/main.py", line 12, in <module>',
    '    db = connect(os.environ["DATABASE_URL"])',
    "KeyError: 'DATABASE_URL'",
)
_TRACEBACK = (
    "ERROR:checkout:order {order} failed",
    "Traceback (most recent call last):",
    '  File "/app/shop/checkout.py", line 41, in pay',
    "    total = sum(item.price for item in cart.items)",
    "AttributeError: 'NoneType' object has no attribute 'items'",
)
_ERROR_EVERY = 8
"""Steps from one request that fails to the next."""
_CRASH_EVERY = 3
"""Steps from one start of a crashing container to the next."""


class Digests(Protocol):
    """What the kubelet asks of the registry stand-in."""

    def digest_of(self, repository: str, tag: str) -> str: ...

    def tag_of(self, digest: str) -> str | None: ...


class NoRegistry:
    """Digests for a cluster without a registry stand-in: tags are pulled, digests are not known."""

    def digest_of(self, repository: str, tag: str) -> str:
        """A made-up digest, the same for the same tag."""
        return f"sha256:{hashlib.sha256(f'{repository}:{tag}'.encode()).hexdigest()}"

    def tag_of(self, digest: str) -> str | None:
        """No digest was ever given out."""
        return None


class Kubelet:
    """Advances every pod by one step a tick. `nodes_full` leaves new pods unscheduled."""

    def __init__(self, store: Store, digests: Digests, slow_paces: int) -> None:
        self._store = store
        self._digests = digests
        self._slow_paces = slow_paces
        self._steps: dict[str, int] = {}
        self.logs = PodLogs()
        self.nodes_full = False

    def tick(self) -> None:
        """One step for each pod; those that were told to go are gone."""
        for pod in list(self._store.find("pods")):
            if "deletionTimestamp" in pod["metadata"]:
                self._store.delete("pods", pod)
                self._steps.pop(pod["metadata"]["uid"], None)
                self.logs.forget(pod["metadata"]["uid"])
            else:
                self._advance(pod)

    def tag_of(self, image: str) -> str:
        """The tag that decides how an image behaves; `bad` for a digest that nobody gave out."""
        name, _, digest = image.partition("@")
        if digest:
            return self._digests.tag_of(digest) or "bad-unknown-digest"
        return name.rpartition("/")[2].partition(":")[2] or "latest"

    def log_of(self, pod: Json, *, previous: bool) -> list[Written] | None:
        """A container's lines; None when that instance never was."""
        is_running = "running" in _previous_state(pod)
        return self.logs.of(pod["metadata"]["uid"], previous=previous, is_running=is_running)

    def restart(self, pod: Json) -> None:
        """The container ends and starts again at once, as it does when it runs out of memory."""
        changed = copy.deepcopy(pod)
        status = changed["status"]["containerStatuses"][0]
        status |= {"restartCount": status["restartCount"] + 1}
        status["lastState"] = {"terminated": _terminated(pod)}
        self.logs.begin(pod["metadata"]["uid"], *self._first_words(pod))
        self._store.put("pods", changed)

    def _first_words(self, pod: Json) -> tuple[str, ...]:
        if "crash" in self.tag_of(pod["spec"]["containers"][0]["image"]):
            return _CRASH_LOG
        name = pod["metadata"]["name"]
        return "starting worker on :8080", f"{name} listening", "GET /healthz 200"

    def _fail_at_a_request(self, uid: str, step: int) -> None:
        if step % _ERROR_EVERY == 0:
            order = 1000 + step
            self.logs.write(uid, *(line.format(order=order) for line in _TRACEBACK))

    def _advance(self, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        if pod["spec"].get("nodeName") is None and self.nodes_full:
            self._leave_unscheduled(pod)
            return
        step = self._steps[uid] = self._steps.get(uid, 0) + 1
        tag = self.tag_of(pod["spec"]["containers"][0]["image"])
        changed = copy.deepcopy(pod)
        changed["spec"]["nodeName"] = "stand-in-node"
        if "bad" in tag or "missing" in tag:
            self._fail_to_pull(changed, step)
        elif "noconfig" in tag:
            self._lack_config(changed)
        elif "crash" in tag:
            self._crash(changed, step)
        else:
            self._run(changed, step, self._slow_paces if "slow" in tag else 2)
            if "errors" in tag and "running" in _previous_state(changed):
                self._fail_at_a_request(uid, step)
        self._store.put("pods", changed)

    def _leave_unscheduled(self, pod: Json) -> None:
        text = (
            "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: "
            "1 No preemption victims found for incoming pod."
        )
        changed = copy.deepcopy(pod)
        if not changed["status"].get("conditions"):
            changed["status"]["conditions"] = [
                condition("PodScheduled", False, "Unschedulable", text)
            ]
            self._store.put("pods", changed)
            self._store.record_event(pod, "Warning", "FailedScheduling", text)

    def _run(self, pod: Json, step: int, ready_at: int) -> None:
        if step < 2 and ready_at > 1:
            _wait(pod, "ContainerCreating")
            return
        self._running(pod, ready=step >= ready_at)

    def _running(self, pod: Json, *, ready: bool) -> None:
        image = pod["spec"]["containers"][0]["image"]
        status = _container(pod)
        status["state"] = {"running": {"startedAt": timestamp()}}
        if "running" in (old := _previous_state(pod)):
            status["state"] = old
        else:
            self.logs.begin(pod["metadata"]["uid"], *self._first_words(pod))
        status |= {"ready": ready, "started": True, "imageID": self._image_id(image)}
        status["containerID"] = f"containerd://{pod['metadata']['uid']}"
        _write(pod, status, phase="Running", ready=ready)

    def _image_id(self, image: str) -> str:
        name, _, digest = image.partition("@")
        head, slash, last = name.rpartition("/")
        base, _, tag = last.partition(":")
        repository = head + slash + base
        return f"{repository}@{digest or self._digests.digest_of(repository, tag or 'latest')}"

    def _fail_to_pull(self, pod: Json, step: int) -> None:
        image = pod["spec"]["containers"][0]["image"]
        error = (
            f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
            f"{image}: not found"
        )
        if step == 1:
            message = f"rpc error: code = NotFound desc = {error}"
            _wait(pod, "ErrImagePull", message)
            self._store.record_event(
                pod, "Warning", "Failed", f'Failed to pull image "{image}": {message}'
            )
            return
        _wait(pod, "ImagePullBackOff", f'Back-off pulling image "{image}": ErrImagePull: {error}')
        if step == 2:
            self._store.record_event(pod, "Warning", "BackOff", f'Back-off pulling image "{image}"')

    def _lack_config(self, pod: Json) -> None:
        text = 'configmap "web-settings" not found'
        _wait(pod, "CreateContainerConfigError", text)
        self._store.record_event(pod, "Warning", "Failed", f"Error: {text}")

    def _crash(self, pod: Json, step: int) -> None:
        if step % _CRASH_EVERY != 0:
            if step % _CRASH_EVERY == 1 or step < _CRASH_EVERY:
                self._running(pod, ready=False)
            return
        status = _container(pod)
        restarts = step // _CRASH_EVERY
        name, container = pod["metadata"]["name"], status["name"]
        namespace = pod["metadata"]["namespace"]
        text = f"back-off 20s restarting failed container={container} pod={name}_{namespace}"
        status |= {"restartCount": restarts, "ready": False, "started": False}
        status["state"] = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
        status["lastState"] = {"terminated": _terminated(pod)}
        status["imageID"] = self._image_id(pod["spec"]["containers"][0]["image"])
        _write(pod, status, phase="Running", ready=False)
        self._store.record_event(
            pod,
            "Warning",
            "BackOff",
            f"Back-off restarting failed container {container} in pod {name}",
        )


def _terminated(pod: Json) -> Json:
    now = timestamp()
    return {
        "exitCode": 1,
        "reason": "Error",
        "startedAt": now,
        "finishedAt": now,
        "containerID": f"containerd://{pod['metadata']['uid']}",
    }


def _previous_state(pod: Json) -> Json:
    statuses = pod["status"].get("containerStatuses") or [{}]
    state: Json = statuses[0].get("state", {})
    return state


def _container(pod: Json) -> Json:
    spec = pod["spec"]["containers"][0]
    known = (pod["status"].get("containerStatuses") or [{}])[0]
    return {
        "name": spec["name"],
        "image": spec["image"],
        "imageID": known.get("imageID", ""),
        "ready": False,
        "restartCount": known.get("restartCount", 0),
        "state": {},
        "lastState": known.get("lastState", {}),
    }


def _wait(pod: Json, reason: str, message: str = "") -> None:
    status = _container(pod)
    status["state"] = {"waiting": {"reason": reason} | ({"message": message} if message else {})}
    status["started"] = False
    _write(pod, status, phase="Pending", ready=False)


def _write(pod: Json, status: Json, *, phase: str, ready: bool) -> None:
    old = {c["type"]: c for c in pod["status"].get("conditions", ())}
    reason = "" if ready else "ContainersNotReady"
    message = "" if ready else f"containers with unready status: [{status['name']}]"
    fresh = [
        condition("Initialized", True),
        condition("Ready", ready, reason, message),
        condition("ContainersReady", ready, reason, message),
        condition("PodScheduled", True),
    ]
    kept = [
        old[c["type"]] if old.get(c["type"], {}).get("status") == c["status"] else c for c in fresh
    ]
    pod["status"] |= {
        "phase": phase,
        "conditions": kept,
        "containerStatuses": [status],
        "hostIP": "127.0.0.1",
        "podIP": "10.0.0.1",
        "startTime": pod["metadata"]["creationTimestamp"],
    }
