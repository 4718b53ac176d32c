"""The rules of an API server that a change of a workload can break; all of them are answered with 422."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.kubernetes.objects import Json
from sandbox.kubernetes.statuses import ApiError

_NUMBERS = ("replicas", "progressDeadlineSeconds", "revisionHistoryLimit", "minReadySeconds")


def validate(before: Json, after: Json, resource: str) -> None:
    """Refuse an object that cannot be. Raises ApiError 422 with the first fault."""
    name = before["metadata"]["name"]
    for fault in _faults(before, after):
        raise ApiError(422, f'{resource}.apps "{name}" is invalid: {fault}')


def _faults(before: Json, after: Json) -> Iterator[str]:
    if after["metadata"].get("uid") != before["metadata"]["uid"]:
        yield "metadata.uid: Invalid value: field is immutable"
    for key, value in after["metadata"].get("annotations", {}).items():
        if not isinstance(value, str):
            yield f"metadata.annotations: Invalid value: {key} must be a string"
    spec = after["spec"]
    yield from _number_faults(spec)
    if not isinstance(spec.get("template"), dict):
        yield "spec.template: Invalid value: must be an object"
        return
    yield from _container_faults(spec["template"]["spec"]["containers"])
    labels = spec["template"]["metadata"].get("labels", {})
    if any(labels.get(k) != v for k, v in spec["selector"]["matchLabels"].items()):
        yield "`selector` does not match labels"


def _number_faults(spec: Json) -> Iterator[str]:
    for field in _NUMBERS:
        value = spec.get(field, 0)
        if not isinstance(value, int) or value < 0:
            yield f"spec.{field}: Invalid value: {value}: must be greater than or equal to 0"


def _container_faults(containers: list[Json]) -> Iterator[str]:
    for number, container in enumerate(containers):
        for field in ("name", "image"):
            if not container.get(field):
                yield f"spec.template.spec.containers[{number}].{field}: Required value"
