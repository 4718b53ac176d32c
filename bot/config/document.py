"""A YAML file as plain values that remember where they stand.

YAML 1.2's core schema, not PyYAML's 1.1: `on`, `yes` and `no` are words, `10:00` is a text and not 600
seconds. A key is always its text. What YAML leaves open is a fault here: a key twice, a second document, a
tag, an alias within itself. Knows nothing of what `hms.yaml` means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from bot.faults import ConfigError, Fault
from operations.redaction import clean

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"
KeyPath: TypeAlias = "tuple[str | int, ...]"

_TAG = "tag:yaml.org,2002:"
_LARGEST = 1 << 20  # bytes: no configuration of people comes near
_MOST_NODES = 50_000  # after aliases: a few lines of aliases can unfold to billions
_DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Place:
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(slots=True)
class Document:
    """`content` and, by path, the places of its keys and values; `faults` that left it readable."""

    file: str
    content: dict[str, Value] = field(default_factory=dict)
    keys: dict[KeyPath, Place] = field(default_factory=dict)
    values: dict[KeyPath, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def place(self, path: KeyPath, *, of_key: bool = False) -> Place:
        """Where the value (or the key) stands; where nothing does, the nearest key above it."""
        found = (self.keys if of_key else self.values).get(path)
        while found is None and path:
            found = self.keys.get(path) or self.values.get(path)
            path = path[:-1]
        return found or Place(1, 1)

    def fault(self, path: KeyPath, message: str, *, of_key: bool = False) -> Fault:
        """A fault that stands at a path of this document."""
        place = self.place(path, of_key=of_key)
        return Fault(say_path(path), place.line, place.column, message)


def say_path(path: KeyPath) -> str:
    """`checks[0].target`, fit to show: keys are as untrusted as values."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return clean(text.removeprefix("."), limit=200).replace("\n", " ")


def read_document(path: Path) -> Document:
    """Read a file; raises ConfigError when there is nothing in it to go on with."""
    file = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        raise _unusable(file, "there is no such file; HMS_CONFIG names another one") from None
    except (OSError, ValueError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) and exc.strerror else str(exc)
        raise _unusable(file, f"cannot be read: {reason}") from exc
    if len(raw) > _LARGEST:
        raise _unusable(file, "is larger than 1 MiB, which no configuration is")
    return parse_document(_decode(file, raw), file)


def parse_document(text: str, file: str = "hms.yaml") -> Document:
    """Read YAML; raises ConfigError when it is none, or no mapping."""
    node = _compose(file, text)
    if node is None:
        raise _unusable(file, "is empty", Place(1, 1))
    if not isinstance(node, yaml.MappingNode):
        raise _unusable(file, "must hold keys and values, such as “slack:”", _place(node))
    document = Document(file)
    content = _Reading(document).value(node, ())
    assert isinstance(content, dict)  # noqa: S101 - a mapping node is read as a dict
    document.content = content
    return document


def _unusable(file: str, message: str, place: Place | None = None) -> ConfigError:
    line, column = (place.line, place.column) if place else (0, 0)
    return ConfigError([Fault("", line, column, message)], file)


def _decode(file: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        before = raw[: exc.start]
        place = Place(before.count(b"\n") + 1, exc.start - before.rfind(b"\n"))
        raise _unusable(file, "is not UTF-8 text here", place) from exc


class _Loader(yaml.SafeLoader):
    """Composes only; the meaning of plain words is YAML 1.2's core schema."""


_Loader.yaml_implicit_resolvers = {}


for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    # Longer numbers stay texts: Python refuses to read those of thousands of digits.
    ("int", r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,3})?",
        "-+.0123456789",
    ),
    ("float", r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+."),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("merge", r"<<", "<"),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_pattern})\Z"), list(_first))


def _compose(file: str, text: str) -> yaml.Node | None:
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as exc:
        raise _unusable(file, _unreadable(exc), _place_of(text, exc.position)) from exc
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        place = Place(mark.line + 1, mark.column + 1) if mark else None
        raise _unusable(file, _say_problem(exc), place) from exc
    except RecursionError as exc:
        raise _unusable(file, "is nested too deeply") from exc
    except (ValueError, OverflowError) as exc:  # PyYAML on \UFFFFFFFF and on absurd directives
        raise _unusable(file, "is not YAML: it has an impossible escape or directive") from exc


def _unreadable(error: yaml.reader.ReaderError) -> str:
    code = error.character if isinstance(error.character, int) else ord(str(error.character)[:1])
    return f"has a character that no text may hold here (U+{code:04X})"


def _place_of(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - before.rfind("\n"))


_PROBLEMS = (
    ("'\\t'", "a tab stands here; YAML is indented with spaces only"),
    ("mapping values are not allowed", "a “:” makes no sense here: check the indentation of this line "
     "and of the one above, and quote a value that holds “: ”"),
    ("could not find expected ':'", "the line before has no “:” after its key"),
    ("expected <block end>", "the indentation does not fit the lines above"),
    ("expected ',' or", "a “,” or the closing bracket is missing before this"),
    ("found unexpected end of stream", "the file ends within a quoted text"),
    ("found undefined alias", "this alias (*name) has no anchor (&name) before it"),
    ("found duplicate anchor", "this anchor's name is taken already"),
    ("but found another document", "a second document starts here; the file must hold one"),
    ("cannot start any token", "this character cannot start a value: put the value in quotes"),
)  # fmt: skip


def _say_problem(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or "not understood"
    told = next((sentence for mark, sentence in _PROBLEMS if mark in problem), None)
    return told or f"is not YAML: {problem}"


def _place(node: yaml.Node) -> Place:
    mark = node.start_mark
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


@dataclass(slots=True)
class _Reading:
    """One walk over the nodes: builds plain values and notes their places and faults."""

    document: Document
    _open: list[int] = field(default_factory=list)
    _count: int = 0

    def value(self, node: yaml.Node, path: KeyPath) -> Value:
        self._spend(node)
        self.document.values[path] = _place(node)
        if id(node) in self._open:
            return self._refuse(path, "this alias stands within the very thing that it names")
        if len(self._open) > _DEEPEST:
            raise _unusable(self.document.file, "is nested too deeply", _place(node))
        self._open.append(id(node))
        try:
            return self._read(node, path)
        finally:
            self._open.pop()

    def _spend(self, node: yaml.Node) -> None:
        self._count += 1
        if self._count > _MOST_NODES:
            raise _unusable(self.document.file, "unfolds to too many values", _place(node))

    def _read(self, node: yaml.Node, path: KeyPath) -> Value:
        kind = node.tag.removeprefix(_TAG)
        if isinstance(node, yaml.MappingNode) and kind == "map":
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode) and kind == "seq":
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, kind, path)
        return self._refuse(path, f"the tag “{node.tag}” is not understood here")

    def _scalar(self, node: yaml.ScalarNode, kind: str, path: KeyPath) -> Value:
        text = str(node.value)
        try:
            match kind:
                case "str" | "merge":
                    return text
                case "null":
                    return None
                case "bool":
                    return {"true": True, "false": False}[text.lower()]
                case "int":
                    return int(text, 0 if text[:2] in ("0o", "0x") else 10)
                case "float":
                    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        except (ValueError, KeyError):
            return self._refuse(path, f"this is no {kind}")
        return self._refuse(path, f"the tag “{node.tag}” is not understood here")

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[str, Value]:
        found: dict[str, Value] = {}
        merged: list[tuple[yaml.Node, yaml.Node]] = []
        for key, item in node.value:
            name = str(key.value)
            if key.tag == _TAG + "merge":
                merged += self._merged(item, path, 0)
            elif not isinstance(key, yaml.ScalarNode):
                self._note(key, path, "a key must be one word or a quoted text")
            elif name in found:
                first = self.document.keys[(*path, name)].line
                self._note(key, (*path, name), f"the key is here twice; first in line {first}")
            else:
                found[name] = self._entry(key, item, (*path, name))
        for key, item in merged:
            name = str(key.value)
            if isinstance(key, yaml.ScalarNode) and name not in found:
                found[name] = self._entry(key, item, (*path, name))
        return found

    def _entry(self, key: yaml.Node, item: yaml.Node, path: KeyPath) -> Value:
        self.document.keys[path] = _place(key)
        return self.value(item, path)

    def _merged(
        self, node: yaml.Node, path: KeyPath, depth: int
    ) -> Iterator[tuple[yaml.Node, yaml.Node]]:
        """What `<<` brings in, nearest first; a mapping that merges itself ends at the depth limit."""
        if depth > _DEEPEST:
            raise _unusable(self.document.file, "merges (<<) itself", _place(node))
        for source in node.value if isinstance(node, yaml.SequenceNode) else [node]:
            if not isinstance(source, yaml.MappingNode):
                self._note(source, path, "“<<” takes the alias of a mapping")
                continue
            for key, item in source.value:
                self._spend(node)
                if key.tag == _TAG + "merge":
                    yield from self._merged(item, path, depth + 1)
                else:
                    yield key, item

    def _refuse(self, path: KeyPath, message: str) -> Value:
        self.document.faults.append(self.document.fault(path, message))
        return None

    def _note(self, node: yaml.Node, path: KeyPath, message: str) -> None:
        place = _place(node)
        self.document.faults.append(Fault(say_path(path), place.line, place.column, message))
