"""What must hold between the keys of `hms.yaml`.

Works on the parts that are sound by themselves, so that one unsound part hides no other's fault. The names
that are declared are taken from the file as it is: a target with a bad timeout still is a target.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.config.approvals import check_approvals
from bot.config.document import KeyPath
from bot.config.parts import Finding, Parts
from bot.config.sections.monitoring import Check
from bot.config.wording import hint, listing, quote

_RESERVED = ("forge", "aws", "k8s", "count")
"""Words that a command may have in a project's place."""


_SOURCES = {"cloudwatch": "aws", "pods": "k8s", "site": "forge"}
"""Where errors are read, and the provider whose targets have such a place."""


def check_rules(parts: Parts) -> Iterator[Finding]:
    """Every fault between keys."""
    yield from _names(parts)
    yield from _environments(parts)
    yield from _identities(parts)
    yield from check_approvals(parts)
    yield from _mentions(parts)
    yield from _checks(parts)
    yield from _sources(parts)
    yield from _dual(parts)
    yield from _escalation(parts)
    yield from _notify(parts)
    yield from _components(parts)


def _names(parts: Parts) -> Iterator[Finding]:
    for project in parts.targets_declared:
        if project.lower() in _RESERVED:
            sentence = (
                f"a project cannot be called {quote(project)}: commands use the word themselves"
            )
            yield Finding(("projects", project), sentence, of_key=True)
    yield from _twins(("environments",), parts.environments_declared)
    yield from _twins(("projects",), parts.targets_declared)
    for project, environments in parts.targets_declared.items():
        yield from _twins(("projects", project, "environments"), environments)


def _twins(path: KeyPath, names: Iterable[str]) -> Iterator[Finding]:
    """Commands are read in any case: two names that differ in nothing else cannot be told apart."""
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            sentence = (
                f"{quote(name)} and {quote(first)} differ in case only, which commands ignore"
            )
            yield Finding((*path, name), sentence, of_key=True)


def _environments(parts: Parts) -> Iterator[Finding]:
    for project, environments in parts.targets_declared.items():
        for name in environments:
            yield from _environment(parts, ("projects", project, "environments", name), name)
    for name in parts.deployers_declared:
        yield from _environment(parts, ("access", "deploy", name), name)


def _environment(parts: Parts, path: KeyPath, name: str) -> Iterator[Finding]:
    if name not in parts.environments_declared:
        yield Finding(path, _unknown("environment", name, parts.environments_declared), of_key=True)


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    names = list(known)
    listed = f"; configured: {listing(names)}" if names else "; none is configured"
    return f"unknown {kind} {quote(name)}{hint(name, names) or listed}"


def _identities(parts: Parts) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for (project, environment), spec in parts.specs.items():
        name = f"{project}/{environment}"
        first = seen.setdefault(spec.identity, name)
        if first != name:
            path = ("projects", project, "environments", environment)
            sentence = f"deploys to the same object as {first} ({spec.title}): each needs its own"
            yield Finding(path, sentence, of_key=True)


def _mentions(parts: Parts) -> Iterator[Finding]:
    known = [f"{p}/{e}" for p, names in parts.targets_declared.items() for e in names]
    for path, name in parts.mentions.items():
        if name not in known:
            yield Finding(path, _unknown_target(parts, name, known))
    for path, right in parts.rights.items():
        verb, _, environment = right.partition(":")
        if verb == "deploy" and environment not in parts.environments_declared:
            yield Finding(path, _unknown("environment", environment, parts.environments_declared))


def _unknown_target(parts: Parts, name: str, known: list[str]) -> str:
    """By its environment when the project is known: `myapp/live` is not `myapp/staging` misspelt."""
    project, _, environment = name.partition("/")
    if project in parts.targets_declared:
        return f"{project}: {_unknown('environment', environment, parts.targets_declared[project])}"
    return _unknown("target", name, known)


def _checks(parts: Parts) -> Iterator[Finding]:
    seen: dict[tuple[str, str], int] = {}
    for i, check in parts.checks.items():
        path = ("checks", i)
        if check.url and check.error_rate:
            yield Finding(
                (*path, "error_rate"), "a check asks either “url” or “error_rate”, not both"
            )
        yield from _asked_of_url(path, check)
        if check.url and check.timeout > check.every:
            yield Finding(
                (*path, "timeout"), "is longer than “every”: one question would overtake the next"
            )
        first = seen.setdefault((check.target, check.label), i)
        if first != i:
            sentence = f"is called “{check.label}” like checks[{first}] of the same target: give it a “name”"
            yield Finding(path, sentence)


def _asked_of_url(path: KeyPath, check: Check) -> Iterator[Finding]:
    """Keys that say what an address must answer; a port answers nothing."""
    for key in ("expect", "timeout", "body", "slower_than", "redirects"):
        if key not in check.model_fields_set:
            continue
        if not check.url:
            yield Finding((*path, key), f"“{key}” goes with “url” only", of_key=True)
        elif check.url.startswith("tcp://") and key != "timeout":
            yield Finding((*path, key), f"“{key}” is nothing that a port answers", of_key=True)


def _sources(parts: Parts) -> Iterator[Finding]:
    for i, source in parts.sources.items():
        path = ("errors", "sources", i)
        given = [key for key in _SOURCES if getattr(source, key) is not None]
        if len(given) != 1:
            yield Finding(path, "needs one of “cloudwatch”, “pods” and “site”")
            continue
        key, provider = given[0], _SOURCES[given[0]]
        project, _, environment = source.target.partition("/")
        spec = parts.specs.get((project, environment))
        if spec and spec.provider != provider:
            sentence = (
                f"“{key}” goes with targets of {provider}; {source.target} is of {spec.provider}"
            )
            yield Finding((*path, key), sentence, of_key=True)


def _dual(parts: Parts) -> Iterator[Finding]:
    if parts.has_legacy:
        return
    for path in parts.dual:
        yield Finding(path, "needs `legacy.command`: where HMS-OPS is", of_key=True)


def _escalation(parts: Parts) -> Iterator[Finding]:
    rule = parts.escalation
    if rule is not None and rule.channel is None and rule.people is None:
        path = ("alerts", "escalation")
        yield Finding(path, "needs a “channel”, “people”, or both", of_key=True)


def _notify(parts: Parts) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for i, way in parts.notify.items():
        first = seen.setdefault(way.name, i)
        if first != i:
            sentence = f"is called “{way.name}” like notify[{first}]: each needs its own name"
            yield Finding(("notify", i, "name"), sentence)


def _components(parts: Parts) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for name, component in parts.components.items():
        path = ("components", name)
        if (component.webhook is None) != (component.secret_env is None):
            yield Finding(path, "needs both “webhook” and “secret_env”, or neither", of_key=True)
        if component.private and component.webhook is None:
            yield Finding((*path, "private"), "“private” goes with “webhook” only", of_key=True)
        first = seen.setdefault(component.token_sha256, name)
        if first != name:
            sentence = f"is the token of {quote(first)} too: each component needs its own"
            yield Finding((*path, "token_sha256"), sentence)
