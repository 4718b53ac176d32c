"""Kubernetes objects as JSON documents: what they are called and how they are first written.

Objects are complete, as an API server would have defaulted them: the official client's models refuse less.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]
"""A JSON document. Its shape is Kubernetes' own, which is why nothing narrower is written here."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A collection of the API: its path, its kind, and whether it can be patched here."""

    name: str
    group: str
    kind: str

    @property
    def api_version(self) -> str:
        """`apps/v1` or `v1`."""
        return f"{self.group}/v1" if self.group else "v1"


RESOURCES = {
    r.name: r
    for r in (
        Resource("deployments", "apps", "Deployment"),
        Resource("statefulsets", "apps", "StatefulSet"),
        Resource("daemonsets", "apps", "DaemonSet"),
        Resource("replicasets", "apps", "ReplicaSet"),
        Resource("controllerrevisions", "apps", "ControllerRevision"),
        Resource("pods", "", "Pod"),
        Resource("events", "", "Event"),
    )
}
WORKLOADS = frozenset({"deployments", "statefulsets", "daemonsets"})


def timestamp() -> str:
    """Now, as Kubernetes writes times: whole seconds, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def meta(namespace: str, name: str, **more: object) -> Json:
    """An object's metadata as at its creation; the store adds resourceVersion."""
    return {
        "name": name,
        "namespace": namespace,
        "uid": str(uuid.uuid4()),
        "creationTimestamp": timestamp(),
        **more,
    }


def owner(obj: Json) -> list[Json]:
    """Owner references that name `obj` as the controller."""
    return [
        {
            "apiVersion": obj["apiVersion"],
            "kind": obj["kind"],
            "name": obj["metadata"]["name"],
            "uid": obj["metadata"]["uid"],
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]


def is_owned(obj: Json, by: Json) -> bool:
    """Whether `by` controls `obj`."""
    uid = by["metadata"]["uid"]
    return any(r["uid"] == uid for r in obj["metadata"].get("ownerReferences", ()))


def template_hash(template: Json) -> str:
    """A short name for a pod template, equal for equal templates."""
    text = json.dumps(template, sort_keys=True)
    digits = hashlib.sha256(text.encode()).hexdigest()
    # Kubernetes' alphabet for names has no vowels, so that no words come about.
    return "".join("bcdfghjklmnpqrst"[int(d, 16)] for d in digits[:10])


def condition(kind: str, status: bool, reason: str = "", message: str = "") -> Json:
    """One of an object's status conditions, changed now."""
    written = {
        "type": kind,
        "status": str(status),
        "lastTransitionTime": timestamp(),
    }
    if reason:
        written["reason"] = reason
    if message:
        written["message"] = message
    return written


def pod_template(labels: Json, container: str, image: str) -> Json:
    """A template with one container, defaulted."""
    return {
        "metadata": {"creationTimestamp": None, "labels": dict(labels)},
        "spec": {
            "containers": [
                {
                    "name": container,
                    "image": image,
                    "ports": [{"containerPort": 8080, "protocol": "TCP"}],
                    "resources": {},
                    "terminationMessagePath": "/dev/termination-log",
                    "terminationMessagePolicy": "File",
                    "imagePullPolicy": "IfNotPresent",
                }
            ],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
        },
    }


def workload(kind: str, namespace: str, name: str, template: Json, replicas: int) -> Json:
    """A Deployment, StatefulSet or DaemonSet as just applied; its labels select its pods."""
    labels = template["metadata"]["labels"]
    spec: Json = {"selector": {"matchLabels": dict(labels)}, "template": template}
    spec["revisionHistoryLimit"] = 10
    metadata = meta(namespace, name, generation=1, labels=dict(labels), annotations={})
    if kind != "DaemonSet":
        spec["replicas"] = replicas
    if kind == "Deployment":
        spec["strategy"] = {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
        }
        spec["progressDeadlineSeconds"] = 600
    elif kind == "StatefulSet":
        spec |= {"serviceName": name, "podManagementPolicy": "OrderedReady"}
        spec["updateStrategy"] = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    else:
        spec["updateStrategy"] = {
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0},
        }
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
        "status": _status(kind),
    }


def _status(kind: str) -> Json:
    # Numbers that Go writes without omitempty are there from the beginning.
    if kind == "StatefulSet":
        return {"replicas": 0, "availableReplicas": 0}
    if kind == "DaemonSet":
        return {
            "currentNumberScheduled": 0,
            "desiredNumberScheduled": 0,
            "numberMisscheduled": 0,
            "numberReady": 0,
        }
    return {}
