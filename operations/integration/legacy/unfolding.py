"""Keys at the top that say where they belong, put there: `forge.sites.web`, `STAGING_K8S_NAMESPACE`,
`SHOP_SITE_ID`; and what an object only gathers (`config`, `defaults`), put at the top.

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
    PROJECTS,
    PROVIDER_WORDS,
    SECTIONS,
    TARGET_KEYS,
    WORKLOADS,
    WRAPPERS,
)

_SECTIONS = {plain_key(section) for words in SECTIONS.values() for section in words}
_OF_TARGETS = (TARGET_KEYS | set(HEALTH_URL)) - {"url", "endpoint"}


def unfold(document: Document) -> Document:
    """The same document with such keys nested."""
    document = _without_wrappers(document)
    content: dict[str, Value] = {}
    folded: list[tuple[str, Sequence[str]]] = []
    projects = list(_listed_projects(document))
    for key, value in document.content.items():
        steps = _dotted(key) or _of_project(key, value, projects) or _of_environment(key, value)
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


def _without_wrappers(document: Document) -> Document:
    """What stands at the top already is not replaced by what a wrapper holds."""
    wrappers = [
        key
        for key, value in document.content.items()
        if plain_key(key) in WRAPPERS and isinstance(value, dict)
    ]
    if not wrappers:
        return document
    content = {key: value for key, value in document.content.items() if key not in wrappers}
    found = replace(
        document, content=content, places=dict(document.places), origins=dict(document.origins)
    )
    for wrapper in wrappers:
        held = document.content[wrapper]
        for key, value in held.items() if isinstance(held, dict) else ():
            if any(plain_key(other) == plain_key(key) for other in content):
                _keep(found, wrapper, key, value)
            else:
                content[key] = value
                _move(found, (wrapper, key), (key,))
    again = any(plain_key(key) in WRAPPERS and isinstance(content[key], dict) for key in content)
    return _without_wrappers(found) if again and not set(wrappers) & set(content) else found


def _keep(document: Document, wrapper: str, key: str, value: Value) -> None:
    """Where it was, so that it is told as not understood."""
    held = document.content.setdefault(wrapper, {})
    if isinstance(held, dict):
        held[key] = value


def _move(document: Document, old: Path, new: Path) -> None:
    """Remember where something stands in the file."""
    document.origins[new] = document.origins.get(old, old)
    for path in [path for path in document.places if path[: len(old)] == old]:
        document.places[(*new, *path[len(old) :])] = document.places[path]


def _listed_projects(document: Document) -> Iterator[tuple[str, str]]:
    """`PROJECTS: "shop, blog"`: the key, and each name."""
    for key, value in document.content.items():
        if plain_key(key) not in PROJECTS:
            continue
        if isinstance(value, str):
            yield from ((key, name) for name in listed(value))
        elif isinstance(value, list):
            yield from ((key, item) for item in value if isinstance(item, str))


def _of_project(key: str, value: Value, projects: Sequence[tuple[str, str]]) -> Sequence[str]:
    """`SHOP_SITE_ID` and `SHOP_STAGING_NAMESPACE`, where `shop` is in a list of names."""
    plain = plain_key(key)
    for above, name in projects:
        prefix = f"{plain_key(name)}_"
        rest = plain.removeprefix(prefix)
        if isinstance(value, dict | list) or rest == plain:
            continue
        if _is_of_target(rest):
            return (above, name, rest)
        environment = _of_environment(rest, value)
        if environment:
            return (above, name, environment[1], environment[2])
    return ()


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
    if key in _OF_TARGETS or key in WORKLOADS or key in PROVIDER_WORDS:
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
    node[steps[-1]] = value
    _move(document, (key,), (*path, steps[-1]))


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
