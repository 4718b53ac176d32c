"""A command written back as the words that mean it: for hints, forms and the record."""

from __future__ import annotations

import re
from datetime import timedelta

from handlers.language.commands import Command, DeployForm
from handlers.language.grammar import PROVIDERS, Argument, Option, Verb
from handlers.language.verbs import VERBS

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+,-]*")
_ESCAPED = re.compile('([\\\\"“”„‟«»])')
_IDS = {"rollout_id": "D", "alert_id": "A"}
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def render(command: Command) -> str:
    """The line that `parse` understands as this command."""
    if isinstance(command, DeployForm):
        return "deploy"
    verb = _verb_of(command)
    said = [verb.name]
    for argument in verb.arguments:
        said += _argument(argument, getattr(command, argument.field))
    placed = {a.field for a in verb.arguments}
    for option in verb.options:
        if option.field not in placed and not option.later:
            said += _option(option, getattr(command, option.field))
    return " ".join(said)


def _verb_of(command: Command) -> Verb:
    return next(v for v in VERBS if v.name == type(command).__name__.lower())


def _argument(argument: Argument, value: object) -> list[str]:
    written = _written(value)
    if not written:
        return []
    if argument.field == "provider":
        return [written]
    if argument.field in _IDS:
        return [f"{_IDS[argument.field]}-{written}"]
    return [_quoted(written)]


def _option(option: Option, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"--{option.name}"] if value else []
    written = _written(value)
    return [f"--{option.name}", _quoted(written)] if written else []


def _written(value: object) -> str:
    if value is None:
        return ""
    return _duration(value) if isinstance(value, timedelta) else str(value)


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    unit, size = next((u, s) for u, s in _UNITS if seconds % s == 0)
    return f"{seconds // size}{unit}"


def _quoted(value: str) -> str:
    if _PLAIN.fullmatch(value) and value.lower() not in PROVIDERS:
        return value
    escaped = _ESCAPED.sub(r"\\\1", value)
    return '"' + escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + '"'
