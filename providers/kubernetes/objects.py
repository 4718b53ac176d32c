"""Reading Kubernetes' JSON documents without tripping over what is absent, null or of another shape.

Documents are kept raw and not as the client's models: those drop the fields that they do not know, which
would be lost when a template is put back, and refuse objects that lack a field they think is required.
"""

from __future__ import annotations

from collections.abc import Mapping

JsonObject = dict[str, object]


def at(node: object, *path: str) -> object:
    """What stands at a path of members; None when any of it is absent or null."""
    for member in path:
        if not isinstance(node, Mapping):
            return None
        node = node.get(member)
    return node


def text(node: object, *path: str) -> str:
    """A string; "" when there is none."""
    value = at(node, *path)
    return value if isinstance(value, str) else ""


def number(node: object, *path: str, default: int = 0) -> int:
    """A number; zeros are often left out of a status."""
    value = at(node, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def flag(node: object, *path: str) -> bool:
    """Whether a member is there and true."""
    return at(node, *path) is True


def mapping(node: object, *path: str) -> JsonObject:
    """An object; {} when there is none."""
    value = at(node, *path)
    return value if isinstance(value, dict) else {}


def items(node: object, *path: str) -> list[JsonObject]:
    """The objects of a list; [] when there is none."""
    value = at(node, *path)
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def strings(node: object, *path: str) -> dict[str, str]:
    """Labels or annotations."""
    return {k: v for k, v in mapping(node, *path).items() if isinstance(v, str)}


def uid(obj: JsonObject) -> str:
    """The object's own identity, which a namesake made later does not share."""
    return text(obj, "metadata", "uid")


def name(obj: JsonObject) -> str:
    """`metadata.name`."""
    return text(obj, "metadata", "name")


def is_owned(obj: JsonObject, owner_uid: str) -> bool:
    """Whether the object with this uid controls `obj`."""
    return any(
        text(r, "uid") == owner_uid and flag(r, "controller")
        for r in items(obj, "metadata", "ownerReferences")
    )


def condition(obj: JsonObject, kind: str) -> JsonObject:
    """The status condition of a type; {} when there is none."""
    found = (c for c in items(obj, "status", "conditions") if text(c, "type") == kind)
    return next(found, {})
