"""What is answered to words that make no command: what is wrong with them, and what to say instead."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.language.grammar import PROVIDERS, Argument, Values
from handlers.language.guidance import nearest
from handlers.language.numbers import is_number
from handlers.language.reading import Reading, short
from handlers.language.words import Word, as_text
from operations.errors import InvalidRequest
from operations.redaction import clean


def unknown_option(reading: Reading, name: str) -> InvalidRequest:
    """An option that the verb has not."""
    verb = reading.verb
    known = [o.name for o in reading.options]
    guess = nearest(name, known)
    if guess:
        hint = f"Did you mean `--{guess}`?"
    elif known:
        hint = f"Options: {', '.join(f'--{k}' for k in known)}."
    else:
        hint = reading.usage
    return InvalidRequest(f"`{verb.name}` has no option “--{short(name)}”.", hint=hint)


def missing(reading: Reading, argument: Argument) -> InvalidRequest:
    """An argument was left out."""
    _check_given(reading)
    verb = reading.verb
    shown = [
        as_text(reading.given.get(a.field, "")) or a.example or a.placeholder
        for a in verb.arguments
        if a.required or a.field in reading.given
    ]
    needed = argument.name if argument.name not in {"from", "to"} else "environment"
    article = "an" if needed[0] in "aeiou" else "a"
    said = clean(" ".join([verb.name, *shown]), limit=200)
    known = _environments(reading) if needed == "environment" else ""
    return InvalidRequest(
        f"`{verb.name}` needs {article} {needed}{known}.",
        hint=f"Say `{said}`. More: `help {verb.name}`.",
    )


def _check_given(reading: Reading) -> None:
    """What was said is looked at before what was not: raises InvalidRequest for a wrong id or project."""
    values, names = Values(reading.given), reading.surface.names
    if "rollout_id" in reading.given:
        values.rollout()
    if "alert_id" in reading.given:
        values.alert()
    if "project" in reading.given and names is not None:
        names.select(values.word("project"))


def _environments(reading: Reading) -> str:
    """` (staging, prod)`, of the project that was said."""
    names = reading.surface.names
    known = names.environments(Values(reading.given).word("project")) if names else []
    return f" ({', '.join(known[:12])})" if known else ""


def too_many(reading: Reading, words: Sequence[Word]) -> InvalidRequest:
    """Words are left over."""
    verb, extra = reading.verb, " ".join(as_text(w.text) for w in words)
    hint = reading.usage
    if option := _counting(reading, words):
        hint = f"Did you mean `{option} {extra}`?"
    elif meant := _meant_provider(reading):
        hint = f"Did you mean the provider `{meant}`? {hint}"
    elif verb.option("reason"):
        hint = f'Put text in quotes, as in `--reason "login fix"`. {hint}'
    return InvalidRequest(f"`{verb.name}` does not take “{short(extra)}” as well.", hint=hint)


def _counting(reading: Reading, words: Sequence[Word]) -> str:
    """The option that a number alone was meant for: `--lines`, `--limit`; "" when there is none."""
    if len(words) != 1 or not is_number(words[0].text):
        return ""
    return next((f"--{o.name}" for o in reading.verb.options if o.metavar == "N"), "")


def _meant_provider(reading: Reading) -> str:
    """The provider that the first word nearly is, where one may stand and none was said; else ""."""
    may_stand = any(argument.field == "provider" for argument in reading.verb.arguments)
    if not may_stand or "provider" in reading.given:
        return ""
    return nearest(as_text(reading.given.get("project", "")), PROVIDERS)
