"""What people say beside the grammar: `myapp/prod`, `to`, `all`, `for 2h`, another kind's id, `undo`.

Quotes take it all back: a quoted word is what it is. What is undone here must be known to `is_loose`, by
which `rendering` quotes such a word when it is meant as it is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from handlers.language.grammar import Argument, Verb
from handlers.language.kinds import kind_of
from handlers.language.numbers import in_short
from handlers.language.words import Word
from operations.durations import parse_duration
from operations.errors import InvalidRequest

_EVERYTHING = frozenset({"all", "everything", "everywhere"})
_LINK = frozenset({"to"})
_TARGET = re.compile(r"([^/\s]+)/([^/\s]+)")
_MEANT = {
    **dict.fromkeys(("ship", "release", "redeploy", "restart", "launch", "push"), "deploy"),
    **dict.fromkeys(("undo", "revert", "back", "downgrade"), "rollback"),
    **dict.fromkeys(("stop", "abort", "kill"), "cancel"),
    **dict.fromkeys(("checks", "alerts", "alarms", "incidents", "watch"), "monitor list"),
    **dict.fromkeys(("projects", "targets", "environments", "fleet", "list", "state"), "status"),
    **dict.fromkeys(("deploys", "deployments", "rollouts", "past"), "history"),
    **dict.fromkeys(("freeze", "hold"), "lock"),
    **dict.fromkeys(("unfreeze",), "unlock"),
    **dict.fromkeys(("mute", "snooze"), "silence"),
    **dict.fromkeys(("acknowledge",), "ack"),
    **dict.fromkeys(("ok", "yes", "lgtm"), "approve"),
    **dict.fromkeys(("no", "deny", "decline"), "reject"),
    **dict.fromkeys(("tail",), "logs"),
    **dict.fromkeys(("metrics", "dora"), "stats"),
    **dict.fromkeys(("summary", "report"), "digest"),
}


def meant_by(word: str) -> str:
    """What another tool's word means here: `rollback` for `undo`, `show D-7` for `D-7`; "" for none."""
    kind = kind_of(word)
    return kind.command if kind else _MEANT.get(word.lower(), "")


def is_loose(value: str) -> bool:
    """Whether this would be undone or refused, were it not quoted."""
    if value.lower() in _EVERYTHING | _LINK:
        return True
    return _TARGET.fullmatch(value) is not None or kind_of(value) is not None


def without_links(verb: Verb, words: Sequence[Word]) -> list[Word]:
    """Without the `to` of `deploy myapp to prod`, `promote myapp staging to prod`."""
    fields = {argument.field for argument in verb.arguments}
    if not fields & {"version", "destination"}:
        return list(words)
    last = len(words) - 1
    return [w for at, w in enumerate(words) if not (0 < at < last and _says(w, _LINK))]


def at_project(argument: Argument, following: Argument | None, words: list[Word]) -> list[Word]:
    """The words from where a project stands; raises InvalidRequest for the id of something else."""
    if not words or words[0].quoted:
        return words
    if not argument.required and _says(words[0], _EVERYTHING):
        return words[1:]
    if kind := kind_of(words[0].text):
        raise InvalidRequest(
            f"“{words[0].text}” is {kind.noun}, no project.", hint=f"Say `{kind.command}`."
        )
    # So our own messages write a target; no name of either kind has a slash.
    target = _TARGET.fullmatch(words[0].text)
    if target and following and following.field in {"environment", "source"}:
        return [Word(target[1]), Word(target[2]), *words[1:]]
    return words


def take_span(words: Sequence[Word]) -> tuple[list[Word], str]:
    """Free text without the `for 2h` that it begins or ends with, and the span; "" when it has none."""
    for size in (2, 3):
        for text, rest in ((words[-size:], words[:-size]), (words[:size], words[size:])):
            if len(text) == size and _says(text[0], frozenset({"for"})) and _is_span(text[1:]):
                return list(rest), in_short(" ".join(word.text for word in text[1:]))
    return list(words), ""


def names_an_end(words: Sequence[Word]) -> bool:
    """Whether free text says `until 6pm`: a time that nobody would keep."""
    return any(
        _says(word, frozenset({"until", "till"})) and after.text[:1].isdecimal()
        for word, after in pairwise(words)
    )


def _is_span(words: Sequence[Word]) -> bool:
    if any(word.quoted for word in words):
        return False
    try:
        return bool(parse_duration(in_short(" ".join(word.text for word in words))))
    except ValueError:
        return False


def _says(word: Word, any_of: frozenset[str]) -> bool:
    return not word.quoted and word.text.lower() in any_of
