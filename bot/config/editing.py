"""Changes to the text of `hms.yaml` that leave everything else as people wrote it, comments included.

Lines are inserted, replaced or taken out by where PyYAML says that things stand. What is written in flow
style (`components: {…}`) has no lines of its own and is left to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from operations.errors import InvalidRequest


@dataclass(frozen=True, slots=True)
class _Entry:
    """A key of a block mapping: the lines from `start` to before `end`, indented by `indent`."""

    start: int
    end: int
    indent: int
    node: yaml.Node


def add_entry(text: str, section: str, name: str, lines: Sequence[str]) -> str:
    """Put `name:` with `lines` below it at the end of a section, which is made when there is none."""
    written = text.splitlines()
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if isinstance(root, yaml.CollectionNode) and root.flow_style:
        raise _has_no_lines("The file")
    found = _entries(root).get(section)
    if found is None:
        block = [f"{section}:", f"  {name}:", *(f"    {line}" for line in lines)]
        return _joined([*written, "", *block])
    inner = _entries(found.node)
    if not inner:
        raise _has_no_lines(f"`{section}:`")
    last = max(inner.values(), key=lambda entry: entry.start)
    pad = " " * last.indent
    block = [f"{pad}{name}:", *(f"{pad}  {line}" for line in lines)]
    at = _end_of_content(written, last)
    return _joined([*written[:at], *block, *written[at:]])


def _has_no_lines(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"{what} is not written as lines of its own, so it cannot be added to.",
        hint="Write the lines yourself.",
    )


def replace_value(text: str, path: tuple[str, str, str], value: str) -> str:
    """Set the plain value of section.name.key, in quotes; a comment behind it stays."""
    node = _find(text, path)
    if not isinstance(node, yaml.ScalarNode) or node.start_mark.line != node.end_mark.line:
        raise InvalidRequest(f"{'.'.join(path)} is no plain value.")
    lines = text.splitlines()
    line = lines[node.start_mark.line]
    head, tail = line[: node.start_mark.column], line[node.end_mark.column :]
    lines[node.start_mark.line] = f'{head}"{value}"{tail}'
    return _joined(lines)


def remove_entry(text: str, section: str, name: str) -> str:
    """Take `name` with everything below it out of a section; the section goes with its last entry."""
    top = _entries(yaml.compose(text, Loader=yaml.SafeLoader))
    inner = _entries(top[section].node) if section in top else {}
    if name not in inner:
        raise InvalidRequest(f"{section}.{name} is not written as lines of its own.")
    written = text.splitlines()
    gone = inner[name] if len(inner) > 1 else top[section]
    end = _end_of_content(written, gone)
    return _joined([*written[: gone.start], *written[end:]])


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
        found[key.value] = _Entry(mark.line, value.end_mark.line, mark.column, value)
    return found


def _end_of_content(lines: list[str], entry: _Entry) -> int:
    """A block's end is where the next thing begins: what stands between belongs to that."""
    end = max(entry.end, entry.start + 1)
    while end > entry.start + 1 and _is_between(lines, end - 1):
        end -= 1
    return end


def _is_between(lines: list[str], index: int) -> bool:
    return index >= len(lines) or not lines[index].strip() or lines[index].lstrip().startswith("#")


def _joined(lines: Sequence[str]) -> str:
    return "\n".join(lines).rstrip("\n") + "\n"
