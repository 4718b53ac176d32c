"""JSON Schemas of the documents, from their TypedDicts, and of request models, from pydantic.

pydantic itself takes no `typing.TypedDict` before Python 3.12.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence
from typing import Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import BaseModel

Schema = dict[str, Any]
_REFERENCE = "#/components/schemas/{model}"
_PLAIN: Mapping[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class Schemas:
    """Gathers what is referred to."""

    def __init__(self) -> None:
        self.definitions: dict[str, Schema] = {}

    def of(self, kind: object) -> Schema:
        """The schema of a document's type, or a reference to it."""
        if is_typeddict(kind):
            return self._of_document(kind)
        if kind in _PLAIN:
            return {"type": _PLAIN[kind]}
        if kind is type(None):
            return {"type": "null"}
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(each) for each in arguments]}
        if origin in (list, Sequence):
            return {"type": "array", "items": self.of(arguments[0])}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        raise TypeError(f"{kind!r} has no place in a document")

    def of_model(self, model: type[BaseModel]) -> Schema:
        """A reference to a request's model."""
        schema = model.model_json_schema(ref_template=_REFERENCE)
        self.definitions |= schema.pop("$defs", {})
        self.definitions[model.__name__] = schema
        return _reference(model.__name__)

    def _of_document(self, kind: Any) -> Schema:
        """Documents may gain keys: nothing is said against more of them."""
        name: str = kind.__name__
        if name not in self.definitions:
            schema: Schema = {
                "type": "object",
                "description": " ".join((kind.__doc__ or "").split()),
            }
            self.definitions[name] = schema
            hints = get_type_hints(kind)
            schema["properties"] = {key: self.of(hint) for key, hint in hints.items()}
            schema["required"] = sorted(kind.__required_keys__)
        return _reference(name)


def _reference(name: str) -> Schema:
    return {"$ref": _REFERENCE.format(model=name)}
