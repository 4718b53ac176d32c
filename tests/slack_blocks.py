"""Slack's rules for blocks, from its reference (docs.slack.dev/reference/block-kit), checked offline.

Stricter than Slack in one way: text in which `<` or `&` stands unescaped is a fault, because that is how
somebody else's words come to mention a channel.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

Faults = Iterator[str]

TOTAL_TEXT = 11_000
_ENTITY = re.compile(r"&(?!amp;|lt;|gt;)")
_ANGLE = re.compile(
    r"<(?:@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|#[CDG][A-Z0-9]+|!date\^\d+\^[^|<>]+\|[^<>]+"
    r"|https?://[^|<>\s]+\|[^<>]+)>"
)


def message_faults(blocks: object) -> list[str]:
    """What Slack would refuse in a message's blocks."""
    return list(_blocks(blocks, limit=50, known=_MESSAGE_BLOCKS)) + list(_total(blocks))


def view_faults(view: object) -> list[str]:
    """What Slack would refuse in a modal."""
    if not isinstance(view, Mapping):
        return ["a view is an object"]
    faults = list(
        _keys(
            view,
            "view",
            {"type", "title", "blocks"},
            {"submit", "close", "callback_id", "private_metadata"},
        )
    )
    for name in ("title", "submit", "close"):
        if name in view:
            faults += _plain(view[name], name, 24)
    if len(str(view.get("private_metadata", ""))) > 3000:
        faults.append("private_metadata is over 3000")
    return faults + list(_blocks(view.get("blocks"), limit=100, known=_VIEW_BLOCKS))


def text_faults(text: str) -> Faults:
    """Unescaped signs."""
    rest = _ANGLE.sub("", text)
    if "<" in rest or ">" in rest:
        yield f"an unescaped < or > in {text[:80]!r}"
    if _ENTITY.search(_ANGLE.sub("", text)):
        yield f"an unescaped & in {text[:80]!r}"


def _total(blocks: object) -> Faults:
    total = sum(len(text) for text in _texts(blocks))
    if total > TOTAL_TEXT:
        yield f"msg_blocks_too_long: {total} characters over all blocks"


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("text"), str):
            yield str(value["text"])
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _blocks(blocks: object, *, limit: int, known: Mapping[str, Check]) -> Faults:
    if not isinstance(blocks, list | tuple) or not blocks:
        yield "blocks is a list that is not empty"
        return
    if len(blocks) > limit:
        yield f"{len(blocks)} blocks, {limit} are allowed"
    names = [b.get("block_id") for b in blocks if isinstance(b, Mapping) and "block_id" in b]
    if len(set(names)) != len(names):
        yield f"block_ids are not unique: {names}"
    for block in blocks:
        check = known.get(str(block.get("type"))) if isinstance(block, Mapping) else None
        if check is None:
            yield f"no block of this surface: {block!r}"[:200]
            continue
        if not 1 <= len(str(block.get("block_id", "x"))) <= 255:
            yield "a block_id has 1 to 255 characters"
        yield from check(block)


def _section(block: Mapping[str, object]) -> Faults:
    yield from _keys(block, "section", {"type", "text"}, {"block_id"})
    yield from _text_object(block.get("text"), "section", 3000)


def _context(block: Mapping[str, object]) -> Faults:
    yield from _keys(block, "context", {"type", "elements"}, {"block_id"})
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 10:
        yield "a context has 1 to 10 elements"
        return
    for element in elements:
        yield from _text_object(element, "context", 2000)


def _actions(block: Mapping[str, object]) -> Faults:
    yield from _keys(block, "actions", {"type", "elements"}, {"block_id"})
    elements = block.get("elements")
    if not isinstance(elements, list) or not 1 <= len(elements) <= 25:
        yield "actions has 1 to 25 elements"
        return
    ids = [element.get("action_id") for element in elements]
    if len(set(ids)) != len(ids):
        yield f"action_ids are not unique: {ids}"
    if sum(element.get("style") == "primary" for element in elements) > 1:
        yield "more than one primary button"
    for element in elements:
        yield from _button(element)


def _button(element: Mapping[str, object]) -> Faults:
    yield from _keys(
        element, "button", {"type", "text", "action_id", "value"}, {"style", "confirm"}
    )
    if element.get("type") != "button":
        yield f"no element of an actions block: {element.get('type')}"
    yield from _plain(element.get("text"), "button", 75)
    if not 1 <= len(str(element.get("value", ""))) <= 2000:
        yield "a button's value has 1 to 2000 characters"
    if element.get("style", "primary") not in {"primary", "danger"}:
        yield f"no style: {element.get('style')}"
    confirm = element.get("confirm")
    if isinstance(confirm, Mapping):
        yield from _keys(confirm, "confirm", {"title", "text", "confirm", "deny"}, set())
        for name, limit in (("title", 100), ("text", 300), ("confirm", 30), ("deny", 30)):
            yield from _plain(confirm.get(name), f"confirm.{name}", limit)


def _image(block: Mapping[str, object]) -> Faults:
    yield from _keys(block, "image", {"type", "slack_file", "alt_text"}, {"block_id", "title"})
    if not 1 <= len(str(block.get("alt_text", ""))) <= 2000:
        yield "an image's alt_text has 1 to 2000 characters"
    named = block.get("slack_file")
    if not isinstance(named, Mapping) or set(named) != {"id"}:
        yield "an image names a file of Slack by its id"


def _chart(block: Mapping[str, object]) -> Faults:
    """data_visualization of 2026-06-16, by the strictest limits that anybody has met."""
    yield from _keys(block, "data_visualization", {"type", "title", "chart"}, {"block_id"})
    if not 1 <= len(str(block.get("title", ""))) <= 50:
        yield "a chart's title has 1 to 50 characters"
    chart = block.get("chart")
    if not isinstance(chart, Mapping) or chart.get("type") not in {"bar", "area", "line"}:
        yield "a chart of a type that is drawn here"
        return
    yield from _keys(chart, "chart", {"type", "series", "axis_config"}, set())
    axes = chart["axis_config"]
    yield from _keys(axes, "axis_config", {"categories"}, {"x_label", "y_label"})
    categories = axes["categories"]
    if not 1 <= len(categories) <= 20 or len(set(categories)) != len(categories):
        yield f"1 to 20 unique categories: {categories}"
    if any(not 1 <= len(name) <= 20 for name in categories):
        yield f"a category has 1 to 20 characters: {categories}"
    if any(len(str(axes.get(name, ""))) > 50 for name in ("x_label", "y_label")):
        yield "an axis' label has 50 characters at most"
    names = [series["name"] for series in chart["series"]]
    if not 1 <= len(names) <= 6 or len(set(names)) != len(names):
        yield f"1 to 6 series with names of their own: {names}"
    for series in chart["series"]:
        if [point["label"] for point in series["data"]] != categories:
            yield f"{series['name']} has one point for each category"


def _input(block: Mapping[str, object]) -> Faults:
    required = {"type", "label", "element"}
    yield from _keys(block, "input", required, {"block_id", "hint", "optional"})
    yield from _plain(block.get("label"), "label", 2000)
    if "hint" in block:
        yield from _plain(block["hint"], "hint", 2000)
    element = block.get("element")
    if not isinstance(element, Mapping):
        yield "an input has an element"
    elif element.get("type") == "static_select":
        yield from _select(element)
    elif element.get("type") != "plain_text_input":
        yield f"no element of an input: {element.get('type')}"


def _select(element: Mapping[str, object]) -> Faults:
    yield from _keys(element, "select", {"type", "action_id", "options"}, {"placeholder"})
    options = element.get("options")
    if not isinstance(options, list) or not 1 <= len(options) <= 100:
        yield "a select has 1 to 100 options"
        return
    values = [option.get("value") for option in options]
    if len(set(values)) != len(values):
        yield f"values of options are not unique: {values}"
    for option in options:
        yield from _plain(option.get("text"), "option", 75)
        if not 1 <= len(str(option.get("value", ""))) <= 150:
            yield "an option's value has 1 to 150 characters"


def _text_object(value: object, where: str, limit: int) -> Faults:
    if not isinstance(value, Mapping):
        yield f"{where} has no text"
        return
    if value.get("type") == "plain_text":
        yield from _plain(value, where, limit)
        return
    yield from _keys(value, where, {"type", "text"}, {"verbatim"})
    text = value.get("text")
    if value.get("type") != "mrkdwn" or not isinstance(text, str) or not 1 <= len(text) <= limit:
        yield f"{where}: mrkdwn of 1 to {limit} characters, not {str(value)[:80]!r}"
        return
    yield from text_faults(text)


def _plain(value: object, where: str, limit: int) -> Faults:
    if not isinstance(value, Mapping) or value.get("type") != "plain_text":
        yield f"{where}: plain_text is asked for"
        return
    if not 1 <= len(str(value.get("text", ""))) <= limit:
        yield f"{where}: 1 to {limit} characters, not {len(str(value.get('text', '')))}"


def _keys(
    value: Mapping[str, object], where: str, required: set[str], optional: set[str]
) -> Faults:
    if missing := required - set(value):
        yield f"{where} lacks {sorted(missing)}"
    if unknown := set(value) - required - optional:
        yield f"{where} does not know {sorted(unknown)}"


Check = Callable[[Mapping[str, object]], Faults]

_MESSAGE_BLOCKS: Mapping[str, Check] = {
    "section": _section,
    "context": _context,
    "actions": _actions,
    "image": _image,
    "data_visualization": _chart,
}
_VIEW_BLOCKS: Mapping[str, Check] = {"section": _section, "input": _input}


def labels(blocks: Sequence[Mapping[str, object]]) -> list[str]:
    """The texts of all buttons, in order."""
    return [
        str(element["text"]["text"])
        for block in blocks
        if block["type"] == "actions" and isinstance(block["elements"], list)
        for element in block["elements"]
    ]


def all_text(blocks: Sequence[Mapping[str, object]]) -> str:
    """Everything that is written in the blocks."""
    return "\n".join(_texts(blocks))
