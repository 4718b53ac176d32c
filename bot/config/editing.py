"""Changes to the text of `hms.yaml` that leave everything else as people wrote it, comments included.

Lines are inserted, replaced or taken out by where PyYAML says that things stand. What is written in flow
style (`components: {…}`) has no lines of its own and is left to people. Every change is read back: when it
says anything but what was meant (an alias can stand for two), it is left to people too.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from bot.config.document import Value, parse_document
from bot.faults import ConfigError
from operations.errors import InvalidRequest

_YOURSELF = "Write it yourself."


class NotEditable(InvalidRequest):
    """There is no place in the file's text where this could be written; nothing was."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key of a block mapping: the lines from `start` to before `end`, indented by `indent`."""

    start: int
    end: int
    indent: int
    node: yaml.Node


def add_entry(text: str, section: str, name: str, lines: Sequence[str]) -> str:
    """Put `name:` with `lines` below it at the end of a section, which is made when there is none."""
    text = _ended(text)
    content = parse_document(text).content
    held = content.get(section) or {}
    if not isinstance(held, dict) or name in held:
        raise InvalidRequest(f"`{section}:` holds {name} already.")
    value = parse_document("\n".join(lines)).content if lines else None
    changed = _added(text, section, name, lines)
    return _checked(changed, {**content, section: {**held, name: value}})


def _added(text: str, section: str, name: str, lines: Sequence[str]) -> str:
    written = text.splitlines()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(root, yaml.CollectionNode) and root.flow_style:
        raise _has_no_lines("The file")
    found = _entries(root).get(section)
    block = [f"  {_quoted(name)}:", *(f"    {line}" for line in lines)]
    if found is None:
        return _joined([*written, "", f"{section}:", *block], text)
    if _is_empty(found.node):
        _, _, comment = written[found.start].partition("#")
        line = f"{section}:" + (f"  #{comment}" if comment else "")
        return _joined([*written[: found.start], line, *block, *written[found.start + 1 :]], text)
    inner = _entries(found.node)
    if not inner:
        raise _has_no_lines(f"`{section}:`")
    last = max(inner.values(), key=lambda entry: entry.start)
    at = _end_of_content(written, last)
    shifted = [" " * last.indent + line.removeprefix("  ") for line in block]
    return _joined([*written[:at], *shifted, *written[at:]], text)


def _is_empty(node: yaml.Node) -> bool:
    """`components:` and nothing more, or `components: {}`, on one line."""
    if isinstance(node, yaml.ScalarNode):
        return not node.value
    is_flat = bool(node.start_mark.line == node.end_mark.line)
    return isinstance(node, yaml.MappingNode) and not node.value and is_flat


def _quoted(name: str) -> str:
    """A key as it is, or quoted where YAML would take it for something else."""
    return name if re.fullmatch(r"[A-Za-z_][\w.-]*", name, re.ASCII) else json.dumps(name)


def _has_no_lines(what: str) -> NotEditable:
    return NotEditable(
        f"{what} is not written as lines of its own, so it cannot be added to.",
        hint=_YOURSELF,
    )


def _checked(changed: str, meant: Mapping[str, Value]) -> str:
    """What was changed, when it says what was meant and nothing else."""
    try:
        is_meant = parse_document(changed).content == meant
    except ConfigError:
        is_meant = False
    if not is_meant:
        raise NotEditable("The file cannot be changed where this stands.", hint=_YOURSELF)
    return changed


def replace_value(text: str, path: tuple[str, str, str], value: str) -> str:
    """Set the plain value of section.name.key, in quotes; a comment behind it stays."""
    text = _ended(text)
    section, name, key = path
    node = _find(text, path)
    if not isinstance(node, yaml.ScalarNode) or node.start_mark.line != node.end_mark.line:
        raise NotEditable(f"{'.'.join(path)} is no plain value.", hint=_YOURSELF)
    lines = text.splitlines()
    line = lines[node.start_mark.line]
    head, tail = line[: node.start_mark.column], line[node.end_mark.column :]
    lines[node.start_mark.line] = f'{head}"{value}"{tail}'
    meant = parse_document(text).content
    meant[section] = _with(meant[section], name, _with(_at(meant[section], name), key, value))
    return _checked(_joined(lines, text), meant)


def _at(held: Value, key: str) -> Value:
    return held.get(key) if isinstance(held, dict) else None


def _with(held: Value, key: str, value: Value) -> Value:
    return {**held, key: value} if isinstance(held, dict) else None


def remove_entry(text: str, section: str, name: str) -> str:
    """Take `name` with everything below it out of a section; the section goes with its last entry."""
    text = _ended(text)
    top = _entries(yaml.compose(text, Loader=yaml.SafeLoader))
    inner = _entries(top[section].node) if section in top else {}
    if name not in inner:
        raise NotEditable(
            f"{section}.{name} is not written as lines of its own.", hint="Take it out yourself."
        )
    written = text.splitlines()
    gone = inner[name] if len(inner) > 1 else top[section]
    end = _end_of_content(written, gone)
    meant = parse_document(text).content
    held = meant.pop(section)
    if isinstance(held, dict) and len(held) > 1:
        meant[section] = {key: value for key, value in held.items() if key != name}
    return _checked(_joined([*written[: gone.start], *written[end:]], text), meant)


def _find(text: str, path: tuple[str, ...]) -> yaml.Node | None:
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for step in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for key, value in node.value if key.value == step), None)
    return node


def _entries(node: yaml.Node | None) -> dict[str, _Entry]:
    """Keys of a block mapping; none for anything else."""
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        return {}
    found: dict[str, _Entry] = {}
    for key, value in node.value:
        mark = key.start_mark
        found[key.value] = _Entry(mark.line, _end_line(key, value), mark.column, value)
    return found


def _end_line(key: yaml.Node, value: yaml.Node) -> int:
    """The line after its last. A block ends where its last entry does; an alias has no lines of its own."""
    if value.start_mark.line < key.start_mark.line:
        return int(key.start_mark.line) + 1
    mark = value.end_mark
    is_block = isinstance(value, yaml.CollectionNode) and not value.flow_style
    is_literal = isinstance(value, yaml.ScalarNode) and value.style in ("|", ">")
    return int(mark.line) + (0 if is_block or is_literal else 1)


def _end_of_content(lines: list[str], entry: _Entry) -> int:
    """A block's end is where the next thing begins: what stands between belongs to that."""
    end = max(entry.end, entry.start + 1)
    while end > entry.start + 1 and _is_between(lines, end - 1):
        end -= 1
    return end


def _is_between(lines: list[str], index: int) -> bool:
    return index >= len(lines) or not lines[index].strip() or lines[index].lstrip().startswith("#")


def _ended(text: str) -> str:
    """A last line without an end would count as none for PyYAML's marks."""
    return text if text.endswith("\n") else f"{text}\n"


def _joined(lines: Sequence[str], text: str) -> str:
    """With the line ends that the text has."""
    end = "\r\n" if "\r\n" in text else "\n"
    return "\n".join(lines).rstrip("\n").replace("\n", end) + end
