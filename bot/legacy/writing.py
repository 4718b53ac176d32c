"""A translation as the text of `hms.yaml`, with comments that say where it came from and what is open.

Texts are quoted always: no word of a legacy file can turn into a truth value or a number by YAML's rules.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from operations.integration.legacy.findings import FindingKind
from operations.integration.legacy.translation import Translation

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_MEANINGFUL = {"on", "off", "yes", "no", "true", "false", "null", "y", "n"}
_SECTIONS = {
    "slack": "Where the bot speaks.",
    "environments": "The rules of each environment. HMS-OPS asked nobody: add `approvals:` where needed.",
    "projects": "What can be deployed, and where to.",
    "checks": "What is watched.",
    "email": "Mail beside Slack. The password is HMS_SMTP_PASSWORD.",
}
_HEAD = """\
# Taken over from {source} by `hms-sys config migrate`.
# Secrets are not here: they belong into the environment (`hms-sys config migrate` named the variables).
# `hms-sys config check` says what is wrong with this file; every key is in docs/configuration.md.
"""


def write_yaml(translation: Translation, source: str) -> str:
    """The whole file."""
    lines = [_HEAD.format(source=_comment(source)).rstrip(), *_open_ends(translation)]
    for key, value in translation.content.items():
        lines += ["", f"# {_SECTIONS[key]}", *_entry(key, value, 0)]
    return "\n".join(lines) + "\n"


def _open_ends(translation: Translation) -> Iterator[str]:
    decisions = [f for f in translation.findings if f.kind is FindingKind.DECISION]
    if not decisions:
        return
    yield "#"
    yield "# To decide before this file is used:"
    for finding in decisions:
        where = f"{finding.path}: " if finding.path else ""
        yield f"# - {_comment(where + finding.text)}"
    for name in translation.left_out:
        yield f"# - {_comment(name)} is not in this file yet."


def _comment(text: str) -> str:
    """One line: what was read cannot end the comment."""
    return " ".join(text.split())[:400]


def _entry(key: str, value: object, depth: int) -> Iterator[str]:
    pad = "  " * depth
    match value:
        case Mapping() if value:
            yield f"{pad}{_key(key)}:"
            for name, child in value.items():
                yield from _entry(str(name), child, depth + 1)
        case list() if value and isinstance(value[0], Mapping):
            yield f"{pad}{_key(key)}:"
            yield from (f"{pad}  - {_flow(item)}" for item in value)
        case _:
            yield f"{pad}{_key(key)}: {_flow(value)}"


def _flow(value: object) -> str:
    match value:
        case Mapping():
            return "{" + ", ".join(f"{_key(str(k))}: {_flow(v)}" for k, v in value.items()) + "}"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Sequence():
            return "[" + ", ".join(_flow(item) for item in value) + "]"
    return json.dumps(value)


def _key(key: str) -> str:
    plain = _PLAIN_KEY.fullmatch(key) and key.lower() not in _MEANINGFUL
    return key if plain else json.dumps(key, ensure_ascii=False)
