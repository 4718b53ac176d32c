"""The three kinds of patches that the built-in resources take.

Strategic merge knows the merge keys of the lists of a pod template; a list that it does not know is
replaced, as in the real one for atomic lists. Directives: `$patch: replace` and `delete`.
"""

from __future__ import annotations

import copy

from sandbox.kubernetes.objects import Json
from sandbox.kubernetes.statuses import ApiError

STRATEGIC = "application/strategic-merge-patch+json"
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

_MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ports": "containerPort",
    "imagePullSecrets": "name",
    "conditions": "type",
    "ownerReferences": "uid",
}


def apply(content_type: str, target: Json, patch: object) -> Json:
    """A new object; raises ApiError 400, 415 or 422."""
    if content_type == JSON_PATCH:
        if not isinstance(patch, list):
            raise ApiError(
                400, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"
            )
        return _json_patch(target, patch)
    if content_type not in (STRATEGIC, MERGE):
        raise ApiError(
            415,
            "the body of the request was in an unknown format - accepted media types include: "
            f"{JSON_PATCH}, {MERGE}, {STRATEGIC}, application/apply-patch+yaml",
        )
    if not isinstance(patch, dict):
        raise ApiError(400, "error decoding patch: json: cannot unmarshal array into an object")
    return _merge(target, patch, strategic=content_type == STRATEGIC)


def _merge(target: Json, patch: Json, *, strategic: bool) -> Json:
    if strategic and patch.get("$patch") == "replace":
        return {k: copy.deepcopy(v) for k, v in patch.items() if k != "$patch"}
    merged = dict(target)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            base = merged.get(key)
            merged[key] = _merge(base if isinstance(base, dict) else {}, value, strategic=strategic)
        elif strategic and isinstance(value, list) and key in _MERGE_KEYS:
            merged[key] = _merge_list(merged.get(key) or [], value, _MERGE_KEYS[key])
        else:
            merged[key] = copy.deepcopy(value)
    return merged


def _merge_list(target: list[Json], patch: list[Json], key: str) -> list[Json]:
    merged = list(target)
    for item in patch:
        if key not in item:
            raise ApiError(400, f"map: {item} does not contain declared merge key: {key}")
        place = next((i for i, old in enumerate(merged) if old.get(key) == item[key]), None)
        if item.get("$patch") == "delete":
            merged = [old for old in merged if old.get(key) != item[key]]
        elif place is None:
            merged.append(_merge({}, item, strategic=True))
        else:
            merged[place] = _merge(merged[place], item, strategic=True)
    return merged


def _json_patch(target: Json, operations: list[Json]) -> Json:
    result = copy.deepcopy(target)
    for step in operations:
        path = [p.replace("~1", "/").replace("~0", "~") for p in str(step["path"]).split("/")[1:]]
        parent = _walk(result, path[:-1], step)
        _operate(parent, path[-1], step)
    return result


def _walk(document: object, path: list[str], step: Json) -> object:
    for part in path:
        try:
            document = _child(document, part)
        except (KeyError, IndexError, ValueError):
            raise _unprocessable(
                f"{step['op']} operation does not apply: doc is missing path"
            ) from None
    return document


def _child(document: object, part: str) -> object:
    if isinstance(document, list):
        return document[int(part)]
    if isinstance(document, dict):
        return document[part]
    raise KeyError(part)


def _operate(parent: object, key: str, step: Json) -> None:
    if not isinstance(parent, dict):
        raise _unprocessable("the stand-in patches members of objects only")
    if step["op"] == "add" or (step["op"] == "replace" and key in parent):
        parent[key] = copy.deepcopy(step["value"])
    elif step["op"] == "remove" and key in parent:
        del parent[key]
    elif step["op"] == "test" and key in parent:
        if parent[key] != step["value"]:
            raise _unprocessable(f"testing value {step['path']} failed: test failed")
    else:
        raise _unprocessable(
            f"{step['op']} operation does not apply: doc is missing key: {step['path']}"
        )


def _unprocessable(message: str) -> ApiError:
    return ApiError(
        422, f"the server rejected our request due to an error in our request: {message}"
    )
