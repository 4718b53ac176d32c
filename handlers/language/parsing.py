"""From words to a command. Raises nothing but InvalidRequest, which says what to say instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from handlers.language.commands import Command, DeployForm, Help
from handlers.language.grammar import PROVIDERS, Argument, Option, Values, Verb
from handlers.language.guidance import nearest
from handlers.language.verbs import COMMAND_LINE_ONLY, VERBS, verb_named
from handlers.language.words import DASHES, Word, as_text, ascii_dashes, read_argv, read_text
from operations.errors import InvalidRequest
from operations.redaction import clean

_PAIR = re.compile(r"(-*)([A-Za-z][\w-]*)(?:=(.*))?", re.DOTALL)
_OWN_NAMES = {"/hms", "hms", "hms-sys"}
_HELP = {"?", "--help", "-h", "--h"}
_END_OF_OPTIONS = "--"


def parse(text: str) -> Command:
    """Understand what somebody wrote in Slack after `/hms`."""
    return _command(read_text(text), _Surface())[0]


def parse_argv(
    argv: Sequence[str], switches: Mapping[str, Sequence[Option]] | None = None
) -> tuple[Command, Values]:
    """Understand a program's arguments, the verb first, already split by the shell.

    `switches` are options that the command line adds to a verb (`--json`); their values come back
    beside the command.
    """
    return _command(read_argv(argv), _Surface(command_line=True, switches=switches or {}))


@dataclass(frozen=True, slots=True)
class _Surface:
    """Where the words were said."""

    command_line: bool = False
    switches: Mapping[str, Sequence[Option]] = field(default_factory=dict)


@dataclass(slots=True)
class _Reading:
    verb: Verb
    surface: _Surface
    positional: list[Word] = field(default_factory=list)
    given: dict[str, str] = field(default_factory=dict)

    @property
    def options(self) -> list[Option]:
        """What can be said by name here."""
        return [*self.verb.options, *self.surface.switches.get(self.verb.name, ())]

    @property
    def in_free_text(self) -> bool:
        places = self.verb.arguments
        return bool(places) and places[-1].rest and len(self.positional) >= len(places) - 1

    def put(self, name: str, key: str, value: str) -> None:
        """Store a value; said twice, it must be the same."""
        if self.given.setdefault(key, value) != value:
            raise _refusal(
                self.verb,
                f"`{self.verb.name}` was given two different values for {name}: "
                f"“{_short(self.given[key])}” and “{_short(value)}”.",
            )


def _command(words: Sequence[Word], surface: _Surface) -> tuple[Command, Values]:
    if words and words[0].text.lower() in _OWN_NAMES:
        words = words[1:]
    if not words or words[0].text.lower() in _HELP:
        return Help(), Values({})
    verb = _find_verb(words, surface)
    rest = words[1:]
    if any(not w.quoted and ascii_dashes(w.text).lower() in _HELP - {"?"} for w in rest):
        return Help(verb.name), Values({})
    if verb.name == "deploy" and not rest and not surface.command_line:
        return DeployForm(), Values({})
    reading = _Reading(verb, surface)
    _sort(reading, rest)
    _place(reading)
    values = Values(reading.given)
    command = verb.build(values)
    if isinstance(command, Help) and command.topic:
        _find_verb([Word(command.topic)], surface)
    return command, values


def _find_verb(words: Sequence[Word], surface: _Surface) -> Verb:
    written = words[0].text.strip("`").lower()
    verb = verb_named(written)
    if verb is not None and not (verb.slack_only and surface.command_line):
        return verb
    if written in COMMAND_LINE_ONLY and surface.command_line:
        raise InvalidRequest(
            f"`{written}` is said first, without other words before it.",
            hint=f"Run `hms-sys {written}`.",
        )
    if written in COMMAND_LINE_ONLY:
        raise InvalidRequest(
            f"`{written}` works on the command line only.", hint=f"Run `hms-sys {written}`."
        )
    known = _known(surface)
    guess = nearest(written, known)
    program = ["hms-sys"] if guess in COMMAND_LINE_ONLY and surface.command_line else []
    said = " ".join([*program, guess, *(as_text(w.text) for w in words[1:])])
    raise InvalidRequest(
        f"There is no command “{_short(written)}”.",
        hint=f"Did you mean `{clean(said, limit=120)}`?"
        if guess
        else f"Commands: {', '.join(known)}.",
    )


def _known(surface: _Surface) -> Sequence[str]:
    told = [v.name for v in VERBS if not (v.slack_only and surface.command_line)]
    more = COMMAND_LINE_ONLY.difference(told) if surface.command_line else ()
    return [*told, *sorted(more)]


def _sort(reading: _Reading, words: Sequence[Word]) -> None:
    """Tell options from places."""
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.text == _END_OF_OPTIONS and not word.quoted:
            reading.positional += words[at:]
            return
        if _is_lone_dash(word) and not reading.in_free_text:
            reading.positional += words[at:]
            return
        found = None if word.quoted else _as_option(reading, word)
        if found is None:
            reading.positional.append(word)
            continue
        option, value = found
        if value is None and option.metavar:
            value = _next_value(reading, option, words, at)
            at += 1
        reading.put(f"--{option.name}", option.field, _filled(reading, option, value))


def _is_lone_dash(word: Word) -> bool:
    """What Slack's editors make of a `--` that stands alone."""
    return not word.quoted and len(word.text) == 1 and word.text in DASHES[1:]


def _as_option(reading: _Reading, word: Word) -> tuple[Option, str | None] | None:
    """The option that a word is, with its value after `=`; None for a word by its place."""
    match = _PAIR.fullmatch(ascii_dashes(word.text))
    if match is None or not (match[1] or "=" in word.text):
        return None
    name = match[2].lower().replace("_", "-")
    option = next((o for o in reading.options if o.name == name), None)
    if option is not None:
        _check_available(reading, option)
        return option, match[3]
    if not match[1] and reading.in_free_text:
        return None
    raise _unknown_option(reading, name)


def _check_available(reading: _Reading, option: Option) -> None:
    if option.cli_only and not reading.surface.command_line:
        raise InvalidRequest(
            f"`--{option.name}` works on the command line only.",
            hint=f"Run `hms-sys {reading.verb.name} … --{option.name}`.",
        )


def _unknown_option(reading: _Reading, name: str) -> InvalidRequest:
    verb = reading.verb
    known = [o.name for o in reading.options]
    guess = nearest(name, known)
    if guess:
        hint = f"Did you mean `--{guess}`?"
    elif known:
        hint = f"Options: {', '.join(f'--{k}' for k in known)}."
    else:
        hint = f"Usage: `{verb.usage}`."
    return InvalidRequest(f"`{verb.name}` has no option “--{_short(name)}”.", hint=hint)


def _next_value(reading: _Reading, option: Option, words: Sequence[Word], at: int) -> str:
    following = words[at] if at < len(words) else None
    if following is None or (not following.quoted and ascii_dashes(following.text)[:2] == "--"):
        raise _refusal(
            reading.verb,
            f"`--{option.name}` needs a value.",
            hint=f"Say `--{option.name} {option.metavar}`.",
        )
    return following.text


def _filled(reading: _Reading, option: Option, value: str | None) -> str:
    if option.metavar and not (value or "").strip():
        raise _refusal(reading.verb, f"`--{option.name}` needs a value.")
    return value or ""


def _place(reading: _Reading) -> None:
    """Give the words without a name to the arguments, in order."""
    words = list(reading.positional)
    for argument in reading.verb.arguments:
        if argument.fits is not None:
            if words and argument.field not in reading.given and _fits(argument.fits, words[0]):
                reading.put(f"the {argument.name}", argument.field, words.pop(0).text)
            continue
        if argument.rest:
            text = " ".join(w.text for w in words)
            words = []
        else:
            text = words.pop(0).text if words else ""
        if text.strip():
            reading.put(f"the {argument.name}", argument.field, text)
        elif argument.required:
            raise _missing(reading, argument)
    if words:
        raise _too_many(reading, words)


def _fits(fits: Callable[[str], bool], word: Word) -> bool:
    return not word.quoted and fits(word.text)


def _missing(reading: _Reading, missing: Argument) -> InvalidRequest:
    shown = [
        as_text(reading.given.get(a.field, "")) or a.placeholder
        for a in reading.verb.arguments
        if a.required or a.field in reading.given
    ]
    article = "an" if missing.name[0] in "aeiou" else "a"
    needed = missing.name if missing.name not in {"from", "to"} else "environment"
    if needed == "environment":
        article = "an"
    return InvalidRequest(
        f"`{reading.verb.name}` needs {article} {needed}.",
        hint=f"Say `{clean(' '.join([reading.verb.name, *shown]), limit=200)}`. "
        f"Usage: `{reading.verb.usage}`.",
    )


def _too_many(reading: _Reading, words: Sequence[Word]) -> InvalidRequest:
    verb, extra = reading.verb, " ".join(as_text(w.text) for w in words)
    hint = f"Usage: `{verb.usage}`."
    if meant := _meant_provider(reading):
        hint = f"Did you mean the provider `{meant}`? {hint}"
    elif verb.option("reason"):
        hint = f'Put text in quotes, as in `--reason "login fix"`. {hint}'
    return InvalidRequest(f"`{verb.name}` does not take “{_short(extra)}” as well.", hint=hint)


def _meant_provider(reading: _Reading) -> str:
    """The provider that the first word nearly is, where one may stand and none was said; else ""."""
    may_stand = any(argument.field == "provider" for argument in reading.verb.arguments)
    if not may_stand or "provider" in reading.given:
        return ""
    return nearest(as_text(reading.given.get("project", "")), PROVIDERS)


def _refusal(verb: Verb, message: str, *, hint: str = "") -> InvalidRequest:
    return InvalidRequest(message, hint=hint or f"Usage: `{verb.usage}`.")


def _short(text: str) -> str:
    return clean(as_text(text), limit=40)
