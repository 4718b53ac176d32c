"""What pydantic found, told to people: one sentence, where it stands, and what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pydantic_core import ErrorDetails

from bot.config.document import Document, KeyPath
from bot.config.schema import keys_at
from bot.config.values import FAULT
from bot.config.wording import hint, listing, quote
from bot.faults import Fault

_MISSING = ("missing", "union_tag_not_found")

_PATTERNS = {
    "workload": "write deployment/NAME, statefulset/NAME or daemonset/NAME, in lower case",
    "image": "write the repository without a tag, such as acme/myapp",
    "cloudwatch": "write a log group's name, such as /ecs/myapp",
    "secret_env": "write the name of an environment variable, such as HMS_DEV_WEBHOOK_SECRET",
}
_NAME = "write a name of letters, digits, “.”, “_” and “-”"


def tell(error: ErrorDetails, document: Document) -> Fault:
    """The fault that people read for one of pydantic's errors."""
    path = path_of(error["loc"])
    kind = error["type"]
    if kind == "extra_forbidden":
        known = keys_at(error["loc"][:-1])
        return document.fault(path, _unknown_key(str(path[-1]), known), of_key=True)
    if kind in _MISSING:
        where = path[:-1] if kind == "missing" else path
        name = "provider" if kind == "union_tag_not_found" else str(path[-1])
        place = document.place(where, of_key=True)
        fault = document.fault((*where, name), f"“{name}” is missing")
        return Fault(fault.path, place.line, place.column, fault.message)
    if error["loc"][-1:] == ("[key]",):
        sentence = f"{quote(str(path[-1]))} cannot be a name here: {_NAME}, 63 at most"
        return document.fault(path, sentence, of_key=True)
    if kind == "union_tag_invalid":
        path = (*path, "provider")
    return document.fault(path, _sentence(error), of_key=error["input"] is None)


def path_of(loc: tuple[int | str, ...]) -> KeyPath:
    """Pydantic's location without its own steps: a union's tag, and `[key]`."""
    path = loc[:-1] if loc[-1:] == ("[key]",) else loc
    if len(path) > 4 and path[0] == "projects" and path[2] == "environments":
        return (*path[:4], *path[5:])
    return path


def _unknown_key(key: str, known: list[str]) -> str:
    near = hint(key, known)
    return f"unknown key {quote(key)}{near or f'; known here: {listing(known)}'}"


def _sentence(error: ErrorDetails) -> str:
    if error["input"] is None:
        return EMPTY
    tell_it = _SENTENCES.get(error["type"])
    context: Mapping[str, object] = error.get("ctx") or {}
    return tell_it(error, context) if tell_it else error["msg"]


EMPTY = "is empty: give it a value ({} where nothing is to be said), or leave the key out"


def _shown(given: object) -> str:
    match given:
        case bool():
            return f"“{str(given).lower()}”"
        case str():
            return quote(given)
        case int() | float():
            return f"“{given}”"
        case list():
            return "a list"
        case _:
            return "a mapping"


_Teller = Callable[[ErrorDetails, Mapping[str, object]], str]


def _number(error: ErrorDetails, context: Mapping[str, object]) -> str:
    given = error["input"]
    if isinstance(given, str) and given.isascii() and given.isdigit():
        return f"must be a number: write {given[:20]} without quotes"
    return f"must be a whole number, not {_shown(given)}"


def _words(error: ErrorDetails, context: Mapping[str, object]) -> str:
    given = error["input"]
    if isinstance(given, (list, dict)):
        return f"must be a text, not {_shown(given)}"
    return f"must be a text: put {_shown(given)} in quotes"


def _choice(error: ErrorDetails, context: Mapping[str, object]) -> str:
    expected = str(context.get("expected", context.get("expected_tags", "")))
    if expected == "True":
        return "must be true; leave the key out where it is not"
    words = [word.strip(" '") for word in expected.replace(" or ", ",").split(",")]
    near = hint(error["input"], words) if isinstance(error["input"], str) else ""
    return f"{_shown(error['input'])} is not known here{near or _write(words)}"


def _provider(error: ErrorDetails, context: Mapping[str, object]) -> str:
    words = [word.strip(" '") for word in str(context["expected_tags"]).split(",")]
    given = error["input"].get("provider") if isinstance(error["input"], dict) else None
    if not isinstance(given, str):
        return f"must be {listing(words, last='or')}"
    return f"unknown provider {quote(given)}{hint(given, words) or _write(words)}"


def _write(words: list[str]) -> str:
    return f": write {listing(words, last='or')}"


def _pattern(error: ErrorDetails, context: Mapping[str, object]) -> str:
    key = str(error["loc"][-1])
    return f"{_shown(error['input'])} does not fit here: {_PATTERNS.get(key, _NAME)}"


def _few(error: ErrorDetails, context: Mapping[str, object]) -> str:
    return "is empty: name at least one"


_SENTENCES: Mapping[str, _Teller] = {
    FAULT: lambda error, context: str(context["sentence"]),
    "string_type": _words,
    "string_pattern_mismatch": _pattern,
    "string_too_long": lambda error, context: f"is longer than {context['max_length']} characters",
    "string_unicode": lambda error, context: "holds something that is no character",
    "int_type": _number,
    "int_parsing_size": lambda error, context: "is too large a number",
    "bool_type": lambda error, context: f"must be true or false, not {_shown(error['input'])}",
    "greater_than": lambda error, context: f"must be more than {context['gt']}",
    "greater_than_equal": lambda error, context: f"must be at least {context['ge']}",
    "less_than_equal": lambda error, context: f"must be at most {context['le']}",
    "literal_error": _choice,
    "union_tag_invalid": _provider,
    "list_type": lambda error, context: f"must be a list in brackets, not {_shown(error['input'])}",
    "too_short": _few,
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type"),
        lambda error, context: f"must hold keys and values, not {_shown(error['input'])}",
    ),
}
