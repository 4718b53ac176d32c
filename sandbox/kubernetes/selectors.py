"""Label and field selectors, the forms that clients send in a query.

A form or a field that is not known is refused with 400, as by the API server.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sandbox.kubernetes.objects import Json
from sandbox.kubernetes.statuses import ApiError

Predicate = Callable[[Json], bool]

_SET = re.compile(r"^([\w./-]+)\s+(in|notin)\s+\(([^()]*)\)$")
_EQUAL = re.compile(r"^([\w./-]+)\s*(==|=|!=)\s*([\w.-]*)$")
_EXISTS = re.compile(r"^(!?)([\w./-]+)$")
_FIELDS = {
    "": {"metadata.name", "metadata.namespace"},
    "pods": {"metadata.name", "metadata.namespace", "spec.nodeName", "status.phase"},
    "events": {
        "metadata.name",
        "metadata.namespace",
        "involvedObject.kind",
        "involvedObject.name",
        "involvedObject.uid",
        "reason",
        "type",
    },
}


def by_labels(text: str) -> Predicate:
    """Parse a `labelSelector`."""
    terms = [_label_term(t.strip()) for t in _split(text)]
    return lambda obj: all(term(obj["metadata"].get("labels") or {}) for term in terms)


def by_fields(text: str, resource: str) -> Predicate:
    """Parse a `fieldSelector` for a resource."""
    terms = [_field_term(t.strip(), resource) for t in text.split(",") if t.strip()]
    return lambda obj: all(term(obj) for term in terms)


def _split(text: str) -> list[str]:
    """At commas outside of brackets."""
    return [t for t in re.split(r",(?![^(]*\))", text) if t.strip()]


def _label_term(text: str) -> Predicate:
    if found := _SET.match(text):
        key, verb, listed = found.groups()
        values = {v.strip() for v in listed.split(",")}
        if verb == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if found := _EQUAL.match(text):
        key, sign, value = found.groups()
        if sign == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if found := _EXISTS.match(text):
        absent, key = found.groups()
        return lambda labels: (key not in labels) if absent else (key in labels)
    raise ApiError(400, f"unable to parse requirement: found '{text}'")


def _field_term(text: str, resource: str) -> Predicate:
    found = _EQUAL.match(text)
    if found is None:
        raise ApiError(400, f"invalid field selector: {text}")
    path, sign, value = found.groups()
    if path not in _FIELDS.get(resource, _FIELDS[""]):
        raise ApiError(400, f"field label not supported: {path}")
    wanted = sign != "!="
    return lambda obj: (_field(obj, path) == value) is wanted


def _field(obj: Json, path: str) -> str:
    value: object = obj
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return "" if value is None else str(value)
