"""From a line of text, or a program's arguments, to words: quotes, dashes and Slack's markup undone.

Slack's editors turn `"` into “ ” and `--` into —, and its slash commands bring `&amp;`, `<@U1|name>`
and `<https://…|text>` (docs.slack.dev, "Formatting text for app surfaces").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from operations.errors import InvalidRequest

DASHES = "-‐‑‒–—―−"
_DOUBLE = '"“”„‟«»'
_SINGLE = "'‘’‚‛‹›"
# A person's mention, between being read in Slack's markup and being put where it belongs.
_MARK, _END = "\ue000", "\ue001"

_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ue000\ue001]"
)
_PERSON = re.compile(rf"<@([UW][A-Z0-9]+)(?:\|([^<>\s`\\{_DOUBLE}{_SINGLE}]*))?>")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]+)(?:\|@?([^<>]*))?>")
_BROADCAST = re.compile(r"<!(here|channel|everyone)(?:\|[^<>]*)?>")
_CHANNEL = re.compile(r"<#([CDG][A-Z0-9]+)(?:\|([^<>]*))?>")
_LINK = re.compile(r"<((?:https?|ftp|mailto|tel):[^<>|]*)(?:\|([^<>]*))?>")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_ENTITIES = {"amp": "&", "lt": "<", "gt": ">"}
_PLACED = re.compile(f"{_MARK}([^|]*)\\|([^{_END}]*){_END}")
_KEY = re.compile(rf"[{DASHES}]*[A-Za-z][\w-]*=")


@dataclass(frozen=True, slots=True)
class Word:
    """`quoted`: to be taken as it is, never as an option, a key or a provider."""

    text: str
    quoted: bool = False


def read_text(text: str) -> list[Word]:
    """The words of a line that Slack delivered; raises InvalidRequest for a quote left open."""
    return list(_split(_undo_markup(_INVISIBLE.sub("", text))))


def read_argv(argv: Sequence[str]) -> list[Word]:
    """The words of a program's arguments. The shell has undone its own quotes, not the typographic ones."""
    return [Word(_unwrap(item)) for item in _joined([_INVISIBLE.sub("", a) for a in argv])]


def normalise(argv: Sequence[str]) -> list[str]:
    """A program's arguments with ASCII option dashes and typographic quotes undone."""
    return [ascii_dashes(word.text) for word in read_argv(argv)]


def ascii_dashes(text: str) -> str:
    """`—reason` and `–reason` to `--reason`; anything that is not an option stays."""
    bare = text.lstrip(DASHES)
    is_option = bare != text and bare[:1].isalpha()
    return f"--{bare}" if is_option else text


def as_text(text: str) -> str:
    """A value for people: mentions as `@name`."""
    return _PLACED.sub(lambda m: f"@{m[2] or m[1]}", text).strip()


def as_person(text: str) -> str:
    """A value that names a person: the id of a mention, or the name without its `@`."""
    return _PLACED.sub(lambda m: m[1], text).strip().lstrip("@")


def _undo_markup(text: str) -> str:
    text = _PERSON.sub(lambda m: f"{_MARK}{m[1]}|{m[2] or ''}{_END}", text)
    text = _GROUP.sub(lambda m: f"@{m[2] or m[1]}", text)
    text = _BROADCAST.sub(r"@\1", text)
    text = _CHANNEL.sub(lambda m: f"#{m[2] or m[1]}", text)
    text = _LINK.sub(lambda m: m[2] or m[1].removeprefix("mailto:").removeprefix("tel:"), text)
    return _ENTITY.sub(lambda m: _ENTITIES[m[1]], text)


def _split(text: str) -> Iterator[Word]:
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] == "`":
            at += 1
            continue
        word, at = _take(text, at)
        yield word


def _take(text: str, at: int) -> tuple[Word, int]:
    key = _KEY.match(text, at)
    start = key.end() if key else at
    if text[start : start + 1] and text[start] in _DOUBLE + _SINGLE:
        value, end = _quoted(text, start)
        rest, end = _bare(text, end)
        prefix = text[at:start]
        return Word(prefix + value + rest, quoted=not prefix), end
    bare, end = _bare(text, at)
    return Word(bare), end


def _bare(text: str, at: int) -> tuple[str, int]:
    end = at
    while end < len(text) and not text[end].isspace():
        end += 1
    return text[at:end].rstrip("`"), end


def _quoted(text: str, start: int) -> tuple[str, int]:
    closers = _DOUBLE if text[start] in _DOUBLE else _SINGLE
    value: list[str] = []
    at = start + 1
    while at < len(text):
        char = text[at]
        if char == "\\" and text[at + 1 : at + 2] and text[at + 1] in closers + "\\":
            value.append(text[at + 1])
            at += 2
            continue
        if char in closers and (closers is _DOUBLE or _ends_word(text, at + 1)):
            return "".join(value), at + 1
        value.append(char)
        at += 1
    raise InvalidRequest(
        f"A quote is opened and not closed: {as_text(text[start:])[:40]}",
        hint=f"Add the closing {text[start]} or leave the opening one out.",
    )


def _ends_word(text: str, at: int) -> bool:
    """Whether an apostrophe-like character closes a quote here and is not one inside a word."""
    return at >= len(text) or text[at].isspace() or text[at] == "`"


def _joined(argv: Sequence[str]) -> Iterator[str]:
    """Arguments that a typographic quote holds together, as when a command was pasted from Slack."""
    open_since: list[str] = []
    for item in argv:
        if not open_since and not _opens(item):
            yield item
            continue
        open_since.append(item)
        if item[-1:] in _TYPOGRAPHIC_CLOSERS:
            yield " ".join(open_since)
            open_since = []
    if open_since:
        raise InvalidRequest(
            f"A quote is opened and not closed: {' '.join(open_since)[:40]}",
            hint="Add the closing quote or leave the opening one out.",
        )


_TYPOGRAPHIC_OPENERS = tuple("“”„«‘‚‹")
_TYPOGRAPHIC_CLOSERS = tuple("“”»’‘›")


def _opens(item: str) -> bool:
    key = _KEY.match(item)
    return item[key.end() if key else 0 :].startswith(_TYPOGRAPHIC_OPENERS)


def _unwrap(item: str) -> str:
    if not _opens(item):
        return item
    key = _KEY.match(item)
    start = key.end() if key else 0
    return item[:start] + item[start + 1 : -1].strip()
