from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import pytest

from handlers.documents import HistoryDocument, RolloutWithTimeline
from handlers.http.schemas import Schemas


class Part(TypedDict):
    """A part."""

    name: str


class Whole(TypedDict):
    """The whole
    of it."""

    parts: list[Part]
    count: int
    note: str | None
    counts: dict[str, float]
    texts: Mapping[str, str]


def test_a_document_is_told_with_its_parts() -> None:
    schemas = Schemas()

    assert schemas.of(Whole) == {"$ref": "#/components/schemas/Whole"}
    assert schemas.definitions == {
        "Part": {
            "type": "object",
            "description": "A part.",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
        },
        "Whole": {
            "type": "object",
            "description": "The whole of it.",
            "properties": {
                "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                "count": {"type": "integer"},
                "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "counts": {"type": "object", "additionalProperties": {"type": "number"}},
                "texts": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "required": ["count", "counts", "note", "parts", "texts"],
        },
    }


def test_keys_of_a_base_document_are_required_too() -> None:
    schemas = Schemas()
    schemas.of(RolloutWithTimeline)

    required = schemas.definitions["RolloutWithTimeline"]["required"]
    assert {"id", "state", "timeline"} <= set(required)


def test_every_document_of_history_is_told_once() -> None:
    schemas = Schemas()
    schemas.of(HistoryDocument)

    assert set(schemas.definitions) == {"HistoryDocument", "RolloutDocument", "ApprovalDocument"}


def test_what_is_no_document_is_refused() -> None:
    with pytest.raises(TypeError):
        Schemas().of(set[str])
