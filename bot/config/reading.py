"""Reading `hms.yaml` from the file to a `Config`, or to every fault in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from bot.config.document import Document, KeyPath, Value, read_document
from bot.config.parts import Sorting
from bot.config.rules import check_rules
from bot.config.schema import Config
from bot.config.sections.targets import COMMON_KEYS, Placement
from bot.config.sentences import EMPTY, path_of, tell
from bot.faults import ConfigError

_COMMON = TypeAdapter(Placement)


def load_config(path: Path) -> Config:
    """The configuration of a file; raises ConfigError with all its faults."""
    return check_document(read_document(path))


def check_document(document: Document) -> Config:
    """The configuration that a document holds; raises ConfigError with all its faults."""
    config, errors = _validated(document)
    empty = list(_empty(document.content, ()))
    told = {fault.path for fault in document.faults}
    faults = [
        *document.faults,
        *(fault for fault in (tell(e, document) for e in errors) if fault.path not in told),
    ]
    told |= {fault.path for fault in faults}
    faults += [
        f for f in (document.fault(p, EMPTY, of_key=True) for p in empty) if f.path not in told
    ]
    broken = {*(path_of(error["loc"]) for error in errors), *empty}
    findings = check_rules(Sorting(document.content, broken).parts())
    faults += [document.fault(f.path, f.message, of_key=f.of_key) for f in findings]
    if faults or config is None:
        raise ConfigError(faults, document.file)
    return config


def _validated(document: Document) -> tuple[Config | None, list[ErrorDetails]]:
    try:
        return Config.model_validate(document.content), []
    except ValidationError as exc:
        errors = exc.errors(include_url=False)
    return None, [found for error in errors for found in (error, *_behind(error))]


def _behind(error: ErrorDetails) -> Iterator[ErrorDetails]:
    """The faults that an unknown provider hides: those of the keys that every provider has."""
    given = error["input"]
    if not error["type"].startswith("union_tag") or not isinstance(given, dict):
        return
    try:
        _COMMON.validate_python({key: given[key] for key in given if key in COMMON_KEYS})
    except ValidationError as exc:
        for found in exc.errors(include_url=False):
            found["loc"] = (*error["loc"], "?", *found["loc"])
            yield found


def _empty(node: Value, path: KeyPath) -> Iterator[KeyPath]:
    """Paths of values that are not there. `approvals:` alone must not mean “no approval is asked”."""
    if node is None:
        yield path
    elif isinstance(node, dict):
        for key, child in node.items():
            yield from _empty(child, (*path, key))
    elif isinstance(node, list):
        for i, child in enumerate(node):
            yield from _empty(child, (*path, i))
