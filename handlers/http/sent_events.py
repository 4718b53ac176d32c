"""Bodies of `POST /api/v1/events`: one JSON object, an array, or an object a line (NDJSON).

What makes a body expensive is refused before it can cost much: pydantic's parser ends at 200 levels and at
numbers of 4,300 digits, and faults are looked for up to as many as are told. All of it is taken, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Annotated

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    JsonValue,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import from_json

from handlers.http.bodies import JSON
from handlers.http.problems import MOST_FAULTS, BodyFault, FaultyRequest
from handlers.http.queries import Name
from handlers.http.validation import faults_of

NDJSON = "application/x-ndjson"
KINDS = frozenset({JSON, NDJSON, "application/ndjson", "application/jsonl"})
_MOST_FIELDS = 64
_MOST_KEYS = 16

_Time = Annotated[
    AwareDatetime,
    WithJsonSchema({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "number"}]}),
]


class SentEvent(BaseModel):
    """Something that an application said."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    project: Name
    """As the configuration names it."""
    environment: Name
    """As the configuration names it."""
    level: Annotated[str, StringConstraints(min_length=1, max_length=20)]
    """`debug`, `info`, `warning`, `error`, `critical`, or another usual word for one of them."""
    message: str
    """What was said; what is too long to keep is cut."""
    time: _Time | None = None
    """When, as RFC 3339 with a zone or as seconds since 1970. Absent: now."""
    fields: Annotated[dict[str, JsonValue], Field(max_length=_MOST_FIELDS)] = {}
    """More about it. `fingerprint`, `stack`, `release` and `type` are understood."""


# An escaped backslash, a pair of surrogates, or half of one, which is no character.
_ESCAPES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    r"|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_EVENT = TypeAdapter(SentEvent)
_EVENTS: TypeAdapter[list[SentEvent]] = TypeAdapter(Annotated[list[SentEvent], FailFast()])


def read_events(text: str, kind: str) -> list[SentEvent]:
    """Every event of a body; raises FaultyRequest with the faults of the first ones that are wrong."""
    text = _mended(text)
    begin = text.lstrip()
    if not begin:
        raise faulty([BodyFault("", "is empty")])
    if kind != JSON:
        return _read_lines(text)
    if begin.startswith("["):
        return _read_array(text)
    if "\n" in begin and _is_whole(begin[: begin.index("\n")]):
        return _read_lines(text)
    try:
        return [_EVENT.validate_json(text)]
    except ValidationError as exc:
        raise faulty(_faults_of_one(text, exc)) from exc


def _mended(text: str) -> str:
    """Programs cut texts in the middle of an emoji; the half that is left is no reason to refuse them."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return _ESCAPES.sub(lambda found: "\\ufffd" if found[1] else found[0], text)


def faulty(faults: list[BodyFault]) -> FaultyRequest:
    """The refusal of a whole body."""
    return FaultyRequest("The events are not as they should be; none was taken.", faults)


def _is_whole(line: str) -> bool:
    try:
        return isinstance(from_json(line), dict)
    except ValueError:
        return False


def _read_array(text: str) -> list[SentEvent]:
    try:
        return _EVENTS.validate_json(text)
    except ValidationError as exc:
        first = exc
    try:
        found = from_json(text)
    except ValueError:
        raise faulty(faults_of(first)) from first
    raise faulty(_first_faults(iter(found), _validate_value)) from first


def _read_lines(text: str) -> list[SentEvent]:
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    try:
        return [_EVENT.validate_json(line) for line in lines]
    except ValidationError as exc:
        raise faulty(_first_faults(iter(lines), _validate_line)) from exc


def _faults_of_one(text: str, exc: ValidationError) -> list[BodyFault]:
    try:
        found = from_json(text)
    except ValueError:
        return faults_of(exc)
    return _first_faults(iter([found]), _validate_value)


def _first_faults(given: Iterator[object], check: Callable[[object], None]) -> list[BodyFault]:
    faults: list[BodyFault] = []
    for index, each in enumerate(given):
        try:
            check(each)
        except _TooMany as exc:
            faults.append(BodyFault("", str(exc), index))
        except ValidationError as exc:
            faults += faults_of(exc, index=index)
        if len(faults) > MOST_FAULTS:
            break
    return faults


class _TooMany(ValueError):
    """More keys than anybody could mean."""


def _validate_value(value: object) -> None:
    if isinstance(value, dict) and len(value) > _MOST_KEYS:
        raise _TooMany(f"has {len(value)} members, of which it can have 6")
    _EVENT.validate_python(value)


def _validate_line(line: object) -> None:
    try:
        value = from_json(line) if isinstance(line, str) else line
    except ValueError:
        value = None
    if value is not None:
        _validate_value(value)
    else:
        _EVENT.validate_json(str(line))
