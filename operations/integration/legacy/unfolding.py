"""Keys at the top that say where they belong, put there: `forge.sites.web`, `STAGING_K8S_NAMESPACE`.

So that everything after this reads one shape. Where a value stood is remembered for the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from operations.integration.legacy.document import Document, Path, Value
from operations.integration.legacy.spelling import listed, plain_key
from operations.integration.legacy.vocabulary import (
    ENVIRONMENT_WORDS,
    ENVIRONMENTS,
    HEALTH_URL,
    KNOWN_KEYS,
    SECTIONS,
    TARGET_KEYS,
    WORKLOADS,
)

_SECTIONS = {plain_key(section) for words in SECTIONS.values() for section in words}
_OF_TARGETS = (TARGET_KEYS | set(HEALTH_URL)) - {"url", "endpoint"}


def unfold(document: Document) -> Document:
    """The same document with such keys nested."""
    content: dict[str, Value] = {}
    folded: list[tuple[str, Sequence[str]]] = []
    for key, value in document.content.items():
        steps = _dotted(key) or _of_environment(key, value)
        if steps:
            folded.append((key, steps))
        else:
            content[key] = value
    if not folded:
        return document
    unfolded = replace(
        document, content=content, places=dict(document.places), origins=dict(document.origins)
    )
    for key, steps in folded:
        _put(unfolded, key, _at(content, steps), document.content[key])
    return unfolded


def _dotted(key: str) -> Sequence[str]:
    steps = key.split(".")
    known = len(steps) > 1 and all(steps) and plain_key(steps[0]) in KNOWN_KEYS
    return steps if known else ()


def _of_environment(key: str, value: Value) -> Sequence[str]:
    """`STAGING_K8S_NAMESPACE` and `k8sNamespaceStaging`, when the rest is something of a target."""
    if isinstance(value, dict | list):
        return ()
    words = plain_key(key).split("_")
    for name, rest in ((words[0], words[1:]), (words[-1], words[:-1])):
        if name in ENVIRONMENT_WORDS and _is_of_target("_".join(rest)):
            return ("environments", name, "_".join(rest))
    return ()


def _is_of_target(key: str) -> bool:
    if key in _OF_TARGETS or key in WORKLOADS:
        return True
    return any(
        key.startswith(f"{section}_") and key.removeprefix(f"{section}_") in _OF_TARGETS
        for section in _SECTIONS
    )


def _at(content: dict[str, Value], steps: Sequence[str]) -> Sequence[str]:
    """The steps with the keys that are there already: `Environments` for `environments`."""
    node: Value = content
    found: list[str] = []
    for step in steps:
        here = node if isinstance(node, dict) else {}
        own = next((key for key in here if plain_key(key) == plain_key(step)), step)
        if not found and step == ENVIRONMENTS[0]:
            own = next((key for key in here if plain_key(key) in ENVIRONMENTS), own)
        found.append(own)
        node = here.get(own)
    return found


def _put(document: Document, key: str, steps: Sequence[str], value: Value) -> None:
    node = document.content
    path: Path = ()
    for step in steps[:-1]:
        path = (*path, step)
        child = _opened(node.get(step))
        if child is None:  # something else stands there: the key stays where it was
            document.content[key] = value
            return
        node[step] = child
        node = child
        document.places.setdefault(path, document.places[(key,)])
    if steps[-1] in node:
        document.content[key] = value
        return
    path = (*path, steps[-1])
    node[steps[-1]] = value
    document.origins[path] = (key,)
    for old in [old for old in document.places if old[:1] == (key,)]:
        document.places[(*path, *old[1:])] = document.places[old]


def _opened(child: Value) -> dict[str, Value] | None:
    """As an object: a list or a text of names has empty ones in it. A copy, as the file is not ours."""
    match child:
        case None:
            return {}
        case dict():
            return dict(child)
        case str(text) if re.fullmatch(r"[\w ,;|-]+", text):
            return {name: {} for name in listed(text)}
        case list(items) if all(isinstance(item, str) for item in items):
            return dict(_named(items))
    return None


def _named(items: Sequence[Value]) -> Iterator[tuple[str, Value]]:
    for item in items:
        if isinstance(item, str):
            yield item, {}
