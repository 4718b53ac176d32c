"""What a sentence of HMS-OPS's logs says of a deployment: what and where, how it ended, by whom.

The sentences are those that shell tools write: `Kubernetes deployment of shop to production finished, tag
1.3.0`, `Starting ECS deployment: shop (production) tag=1.3.0`, `deploy shop production 1.3.0 by jonas`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = r"[A-Za-z0-9][\w.-]{0,62}"
_ENVIRONMENT = (
    r"(?i:prod(?:uction)?|live|pre-?prod(?:uction)?|stag(?:e|ing)|stg|test(?:ing)?|qa|uat|dev(?:elop(?:ment)?)?"
    r"|demo|preview|sandbox|canary|int(?:egration)?)"
)
_VERSION_NAME = r"v?\d+(?:\.\d+)+[\w.+-]{0,60}"
_PLATFORM = r"(?:forge|ecs|aws|k8s|kubernetes)"
_TO = r"(?:to|on|in|->|→)"
_PLACES = tuple(
    re.compile(pattern.replace("NAME", _NAME).replace("VERSION", _VERSION_NAME))
    for pattern in (
        rf"(?<![^\s\"'(\[:])(?P<project>NAME)\s+{_TO}\s+(?P<environment>NAME)",
        rf"(?<![^\s\"'(\[:])(?P<project>NAME)[\s:@-]+(?:version\s+|tag\s+)?(?P<version>VERSION)\s+"
        rf"(?:(?:successfully|was|is)\s+){{0,3}}(?:(?:deployed|released|shipped)\s+)?{_TO}\s+(?P<environment>NAME)",
        rf"(?<![^\s\"'(\[:])(?P<project>NAME)\s+(?:(?:successfully|was|is)\s+){{0,3}}"
        rf"(?:deployed|released|shipped)\s+{_TO}\s+(?P<environment>NAME)",
        r"(?i:\b(?:deploy\w*|releas\w*|rollout))(?:\s+of)?[:\s]+(?P<project>NAME)"
        r"(?:\s*\(|\s*\[|/|@)(?P<environment>NAME)(?=[)\],;:\s]|$)",
        rf"(?i:\bdeploy\w*)[:\s]+(?:(?i:{_PLATFORM})\s+)?(?P<project>NAME)\s+"
        rf"(?P<environment>{_ENVIRONMENT})(?=[\s,;:.]|$)(?:\s+(?P<version>VERSION))?",
        r"\b(?:project|app|application|site)=\"?(?P<project>NAME)\b.*?"
        r"\b(?:environment|env|stage)=\"?(?P<environment>NAME)",
    )
)
"""The first that finds names of a project and an environment is meant."""
_NO_PROJECT = re.compile(
    rf"(?i:deploy(?:ed|ing|ment|ments)?|releas(?:e|ed|ing)|rollout|rolled|shipped|start(?:ed|ing)|finished|failed"
    rf"|completed?|succeeded|successfully|back|connect\w*|login|log(?:ged)?|push\w*|pull\w*|switch\w*|due|write|lock|changes?|code|version|tag|it|them|all|{_PLATFORM})|{_VERSION_NAME}"
)
_PROVIDERS = (
    re.compile(rf"\b(?:via|by|using|through|with)\s+({_PLATFORM})\b", re.I),
    re.compile(rf"\b({_PLATFORM})\s+(?:deploy|releas|rollout)", re.I),
    re.compile(rf"\bdeploy\w*[:\s]+({_PLATFORM})\s", re.I),
)
_PROVIDER_NAMES = {"ecs": "aws", "kubernetes": "k8s"}
_VERSION = re.compile(
    r"\b(?:version|tag|release|commit)(?:\s*[:=]\s*|\s+(?!(?:of|to|on|in|for|is|was)\b))([\w.+-]{1,100})",
    re.I,
)
_WHO = re.compile(
    r"\b(?:user|requested by|started by|deployed by)[\s:=]+([\w.@-]{1,80})"
    rf"|\bby\s+(?!{_PLATFORM}\b|the\b|a\b|user\b|hand\b)([\w.@-]{{1,80}})",
    re.I,
)
_BEGINS = re.compile(r"\b(?:deploying|starting|started|begin)", re.I)
_FAILS = re.compile(r"\b(?:fail(?:ed|ure)?|error|aborted|timed? ?out)\b", re.I)
_ENDS_WELL = re.compile(
    r"\b(?:deployed|succeeded|success(?:ful(?:ly)?)?|completed?|finished|done)\b", re.I
)
_ABOUT_DEPLOYING = re.compile(r"deploy|releas|\brollout\b", re.I)
_BAD_LEVELS = frozenset(
    {"ERROR", "ERR", "FAIL", "FAILED", "FAILURE", "CRITICAL", "CRIT", "FATAL", "FEHLER"}
)
_GOOD_LEVELS = frozenset({"SUCCESS", "OK", "DONE", "ERFOLG"})
LEVELS = _BAD_LEVELS | _GOOD_LEVELS | {"TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING"}
"""What may stand between the time of a line and its sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Texts are "" where it does not say; `is_success` is None for one that only begins."""

    project: str
    environment: str
    provider: str
    version: str
    by: str
    is_success: bool | None


def read_sentence(text: str, level: str) -> Sentence | None:
    """None for what tells of no deployment, or not of which. `level` in capitals, "" for none."""
    place = find_place(text) if _ABOUT_DEPLOYING.search(text) else None
    if place is None:
        return None
    outcome = read_outcome(text, level)
    if outcome is None and not _BEGINS.search(text):
        return None
    parts = place.groupdict()
    return Sentence(
        project=place["project"],
        environment=place["environment"].rstrip(".-"),
        provider=name_provider(next(_firsts(_PROVIDERS, text), "")),
        version=parts.get("version") or _version(text),
        by=next(_firsts((_WHO,), text), "").rstrip("."),
        is_success=outcome,
    )


def find_place(text: str) -> re.Match[str] | None:
    """Where it names a project and its environment."""
    found = (place for pattern in _PLACES for place in pattern.finditer(text))
    return next((place for place in found if not _NO_PROJECT.fullmatch(place["project"])), None)


def read_outcome(text: str, level: str) -> bool | None:
    """None where it says neither; the level counts more than what the sentence has of the other."""
    if level in _BAD_LEVELS or _FAILS.search(text):
        return False
    if level in _GOOD_LEVELS:
        return True
    return True if _ENDS_WELL.search(text) and not _BEGINS.search(text) else None


def name_provider(word: str) -> str:
    """As HMS-SYS calls it."""
    return _PROVIDER_NAMES.get(word.lower(), word.lower())


def _version(text: str) -> str:
    found = _VERSION.search(text)
    return found[1].rstrip(".") if found else ""


def _firsts(patterns: tuple[re.Pattern[str], ...], text: str) -> Iterator[str]:
    for pattern in patterns:
        if found := pattern.search(text):
            yield next(filter(None, found.groups()))
