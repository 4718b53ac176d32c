"""A command written back as the words that mean it: for hints, forms and the record."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import timedelta

from handlers.language.commands import Command, DeployForm
from handlers.language.grammar import Argument, Option, Verb
from handlers.language.loose import is_loose
from handlers.language.verbs import VERBS

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+,-]*")
_ESCAPED = re.compile('([\\\\"“”„‟«»])')
_IDS = {"rollout_id": "D", "alert_id": "A", "group_id": "E"}
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def render(command: Command) -> str:
    """The line that `parse` understands as this command."""
    if isinstance(command, DeployForm):
        return "deploy"
    verb = _verb_of(command)
    said = [verb.name]
    usual = {field.name: field.default for field in fields(command)}
    for argument in verb.arguments:
        value = getattr(command, argument.field)
        if argument.fits is None or value != usual[argument.field]:
            said += _argument(verb, argument, value)
    placed = {a.field for a in verb.arguments}
    for option in verb.options:
        value = getattr(command, option.field)
        if option.field not in placed and value != usual[option.field]:
            said += _option(verb, option, value)
    return " ".join(said)


def _verb_of(command: Command) -> Verb:
    return next(v for v in VERBS if v.name == type(command).__name__.lower())


def _argument(verb: Verb, argument: Argument, value: object) -> list[str]:
    written = _written(value)
    if not written:
        return []
    if argument.field in _IDS:
        return [f"{_IDS[argument.field]}-{written}"]
    return [written if argument.fits else _quoted(verb, written)]


def _option(verb: Verb, option: Option, value: object) -> list[str]:
    if isinstance(value, bool):
        return [f"--{option.name}"] if value else []
    written = _written(value)
    return [f"--{option.name}", _quoted(verb, written)] if written else []


def _written(value: object) -> str:
    if value is None:
        return ""
    return _duration(value) if isinstance(value, timedelta) else str(value)


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    unit, size = next((u, s) for u, s in _UNITS if seconds % s == 0)
    return f"{seconds // size}{unit}"


def _quoted(verb: Verb, value: str) -> str:
    """Quotes around what would be torn apart, or taken for something else."""
    is_taken = is_loose(value) or any(a.fits(value) for a in verb.arguments if a.fits)
    if _PLAIN.fullmatch(value) and not is_taken:
        return value
    escaped = _ESCAPED.sub(r"\\\1", value)
    return '"' + escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") + '"'
