"""From words to a command. Raises nothing but InvalidRequest, which says what to say instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import zip_longest

from handlers.language.commands import Command, DeployForm, Help
from handlers.language.grammar import Option, Values, Verb
from handlers.language.guidance import nearest
from handlers.language.loose import (
    at_project,
    meant_by,
    names_an_end,
    take_span,
    without_links,
)
from handlers.language.misunderstandings import missing, too_many, unknown_option
from handlers.language.reading import Names, Reading, Surface, refusal, short
from handlers.language.verbs import COMMAND_LINE_ONLY, VERBS, verb_named
from handlers.language.words import DASHES, Word, as_text, ascii_dashes, read_argv, read_text
from operations.errors import InvalidRequest
from operations.redaction import clean

_PAIR = re.compile(r"(-*)([A-Za-z][\w-]*)(?:=(.*))?", re.DOTALL)
_OWN_NAMES = {"/hms", "hms", "hms-sys"}
_HELP = {"?", "--help", "-h", "--h"}
_END_OF_OPTIONS = "--"


def parse(text: str, names: Names | None = None) -> Command:
    """Understand what somebody wrote in Slack after `/hms`; with `names`, hints tell which there are."""
    return _command(read_text(text), Surface(names=names))[0]


def parse_argv(
    argv: Sequence[str], switches: Mapping[str, Sequence[Option]] | None = None
) -> tuple[Command, Values]:
    """Understand a program's arguments, the verb first, already split by the shell.

    `switches` are options that the command line adds to a verb (`--json`); their values come back
    beside the command.
    """
    return _command(read_argv(argv), Surface(command_line=True, switches=switches or {}))


def _command(words: Sequence[Word], surface: Surface) -> tuple[Command, Values]:
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
    reading = Reading(verb, surface)
    _sort(reading, rest)
    _place(reading)
    values = Values(reading.given)
    command = verb.build(values)
    if isinstance(command, Help) and command.topic:
        _find_verb([Word(command.topic)], surface)
    return command, values


def _find_verb(words: Sequence[Word], surface: Surface) -> Verb:
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
            f"`{written}` works on the command line only.",
            hint=f"Run `{_said(['hms-sys', written], words[1:])}`.",
        )
    known = _known(surface)
    guess = meant_by(written) or _of_project(words[0].text, surface) or nearest(written, known)
    program = ["hms-sys"] if guess in COMMAND_LINE_ONLY and surface.command_line else []
    raise InvalidRequest(
        f"There is no command “{short(words[0].text)}”.",
        hint=f"Did you mean `{_said([*program, guess], words[1:])}`?"
        if guess
        else f"Commands: {', '.join(known)}.",
    )


def _of_project(word: str, surface: Surface) -> str:
    """A project's name alone asks how it is."""
    names = surface.names
    return f"status {word}" if names is not None and names.environments(word) else ""


def _said(first: Sequence[str], words: Sequence[Word]) -> str:
    return clean(" ".join([*first, *(as_text(word.text) for word in words)]), limit=120)


def _known(surface: Surface) -> Sequence[str]:
    told = [v.name for v in VERBS if not (v.slack_only and surface.command_line)]
    more = COMMAND_LINE_ONLY.difference(told) if surface.command_line else ()
    return [*told, *sorted(more)]


def _sort(reading: Reading, words: Sequence[Word]) -> None:
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


def _as_option(reading: Reading, word: Word) -> tuple[Option, str | None] | None:
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
    raise unknown_option(reading, name)


def _check_available(reading: Reading, option: Option) -> None:
    if option.cli_only and not reading.surface.command_line:
        raise InvalidRequest(
            f"`--{option.name}` works on the command line only.",
            hint=f"Run `hms-sys {reading.verb.name} … --{option.name}`.",
        )


def _next_value(reading: Reading, option: Option, words: Sequence[Word], at: int) -> str:
    following = words[at] if at < len(words) else None
    if following is None or (not following.quoted and ascii_dashes(following.text)[:2] == "--"):
        raise refusal(
            reading,
            f"`--{option.name}` needs a value.",
            hint=f"Say `--{option.name} {option.metavar}`.",
        )
    return following.text


def _filled(reading: Reading, option: Option, value: str | None) -> str:
    if option.metavar and not (value or "").strip():
        raise refusal(reading, f"`--{option.name}` needs a value.")
    return value or ""


def _place(reading: Reading) -> None:
    """Give the words without a name to the arguments, in order."""
    arguments = reading.verb.arguments
    words = without_links(reading.verb, reading.positional)
    for argument, following in zip_longest(arguments, arguments[1:]):
        if argument.fits is not None:
            if words and argument.field not in reading.given and _fits(argument.fits, words[0]):
                reading.put(f"the {argument.name}", argument.field, words.pop(0).text)
            continue
        if argument.field == "project":
            words = at_project(argument, following, words)
        if argument.rest:
            text = _free_text(reading, words)
            words = []
        else:
            text = words.pop(0).text if words else ""
        if text.strip():
            reading.put(f"the {argument.name}", argument.field, text)
        elif argument.required:
            raise missing(reading, argument)
    if words:
        raise too_many(reading, words)


def _free_text(reading: Reading, words: Sequence[Word]) -> str:
    """What is left; a span that ends it is the option's where there is one."""
    option = reading.verb.option("for")
    if option is not None and option.field not in reading.given:
        words, span = take_span(words)
        if span:
            reading.put("--for", option.field, span)
        elif names_an_end(words):
            raise refusal(
                reading,
                f"`{reading.verb.name}` takes how long, not until when.",
                hint="Say `--for 2h`; a reason that names a time is said in quotes.",
            )
    return " ".join(word.text for word in words)


def _fits(fits: Callable[[str], bool], word: Word) -> bool:
    return not word.quoted and fits(word.text)
