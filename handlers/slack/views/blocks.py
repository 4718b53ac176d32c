"""The atoms of Block Kit: the one place that escapes text and the one that keeps Slack's limits.

Text is cut first and escaped then, so that no entity is ever cut in two. Only classic blocks are used:
they draw in every client.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from handlers.language import VERBS
from operations.actor import Actor

Json = str | int | float | bool | None | Sequence["Json"] | dict[str, "Json"]
Block = dict[str, Json]

SECTION_LIMIT = 3000
BUTTON_LIMIT = 75
VALUE_LIMIT = 2000
BLOCKS_LIMIT = 50
TEXT_LIMIT = 290
"""Slack takes more; a push notification and a screen reader do not."""
TOTAL_LIMIT = 8500
"""Over all blocks of a message: Slack refuses from about 11,000 characters on, without saying so."""

_MENTION = re.compile(r"<@[UW][A-Z0-9]{1,20}>|<!subteam\^S[A-Z0-9]{1,20}>", re.ASCII)
_EDGE_UNDERSCORE = re.compile(r"(?<!\w)_|_(?!\w)")
_TORN = re.compile(r"(?:&[a-z]{0,3}|<[^<>]*)\Z")
_COMMAND = re.compile(rf"`(?=(?:{'|'.join(verb.name for verb in VERBS)})\b)")


@dataclass(frozen=True, slots=True)
class Message:
    """`text` says it all in one sentence; an edit sends both, for text alone would drop the blocks.

    `otherwise` makes what is said when Slack refuses these blocks; None: there is no plainer way.
    """

    text: str
    blocks: tuple[Block, ...]
    otherwise: Callable[[], Awaitable[Message]] | None = field(
        default=None, compare=False, repr=False
    )


def message(text: str, blocks: Iterable[Block | None]) -> Message:
    """Keep within the number of blocks and the sum of their text. `text` is mrkdwn already."""
    kept = [block for block in blocks if block is not None][:BLOCKS_LIMIT]
    return Message(_fit(text, TEXT_LIMIT), tuple(_within_total(kept)))


def escape(text: str) -> str:
    """The three characters that mean something to Slack; without them nobody can be mentioned."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, an ellipsis in place of the rest."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def one_line(text: str, limit: int = 200) -> str:
    """Outsiders' text as one escaped line: it cannot pretend to be a line of ours."""
    return escape(cut(" ".join(text.split()), limit))


def typed(text: str, limit: int = 200) -> str:
    """A person's own words in one line, as they typed them: what would format them is shown by its like."""
    plain = text.replace("*", "∗").replace("`", "ˋ").replace("~", "∼")
    return one_line(_EDGE_UNDERSCORE.sub("ˍ", plain), limit)


def said(text: str, limit: int = 600) -> str:
    """A sentence of our own operations: mentions of people stay, everything else is escaped.

    Commands in backticks get the slash command in front, so that they can be copied as they are.
    """
    parts: list[str] = []
    end = 0
    text = cut(text, limit)
    for found in _MENTION.finditer(text):
        parts += [escape(text[end : found.start()]), found[0]]
        end = found.end()
    parts.append(escape(text[end:]))
    return _COMMAND.sub("`/hms ", "".join(parts))


def bold(text: str, limit: int = 300) -> str:
    """Bold, whatever signs the text has."""
    return f"*{one_line(text.replace('*', '∗'), limit)}*"


def code(text: str, limit: int = 300) -> str:
    """Inline code of one line."""
    return f"`{one_line(text.replace('`', 'ˋ'), limit) or ' '}`"


def link(url: str, text: str, limit: int = 150) -> str:
    """A link, or the words alone when the address cannot be one."""
    words = one_line(text, limit)
    if not words or re.search(r"[\s<>]", url) or not url.startswith(("https://", "http://")):
        return words
    return f"<{escape(url).replace('|', '%7C')}|{words}>"


def fence(text: str, limit: int = 2800) -> str:
    """A code block. The cut keeps the end, where platforms put the reason."""
    body = text.replace("`", "ˋ").strip("\n")
    body = escape(body)
    if len(body) > limit:
        body = "…" + re.sub(r"\A[a-z]{0,3};", "", body[-(limit - 1) :])
    return f"```\n{body}\n```"


def person(actor: Actor) -> str:
    """A mention for a Slack user, the name for everybody else."""
    return f"<@{actor.id}>" if actor.is_person and actor.id.isalnum() else called(actor)


def called(actor: Actor) -> str:
    """The name, for text that must not mention anybody."""
    return one_line(actor.name or actor.id, 60)


def people(names: Iterable[str]) -> str:
    """Users and user groups by id, as mentions: `<@U02BOB> or <!subteam^S01OPS>`."""
    mentions = [f"<!subteam^{n}>" if n.startswith("S") else f"<@{n}>" for n in sorted(names)]
    mentions = [m if _MENTION.fullmatch(m) else escape(m) for m in mentions[:12]]
    return " or ".join(filter(None, [", ".join(mentions[:-1]), *mentions[-1:]]))


def clock(at: datetime, now: datetime) -> str:
    """A time in the reader's zone: of day when it is near, with the date when it is not."""
    stamp = int(at.timestamp())
    if abs(now - at) < timedelta(hours=20):
        return f"<!date^{stamp}^{{time}}|{at:%H:%M} UTC>"
    return f"<!date^{stamp}^{{date_short}} {{time}}|{at:%d %b %H:%M} UTC>"


def bar(ready: int, total: int) -> str:
    """Eight cells, full in proportion."""
    full = 0 if total <= 0 else max(0, min(8, round(8 * ready / total)))
    return f"`{'█' * full}{'░' * (8 - full)}`"


def dots(*parts: str) -> str:
    """Those that are not empty, joined as everywhere in our messages."""
    return " · ".join(part for part in parts if part)


def section(*lines: str, block_id: str = "") -> Block | None:
    """Lines of mrkdwn; None when there are none."""
    text = "\n".join(line for line in lines if line)
    if not text:
        return None
    block: Block = {"type": "section", "text": _mrkdwn(_fit(text, SECTION_LIMIT))}
    return _named(block, block_id)


def context(*parts: str, block_id: str = "") -> Block | None:
    """The small last line."""
    text = dots(*parts)
    if not text:
        return None
    return _named({"type": "context", "elements": [_mrkdwn(_fit(text, 1900))]}, block_id)


def actions(*buttons: Block | None, block_id: str = "") -> Block | None:
    """A row of buttons; None when there are none."""
    elements: list[Json] = [button for button in buttons if button is not None]
    return _named({"type": "actions", "elements": elements}, block_id) if elements else None


def button(
    text: str, action_id: str, value: str, *, style: str = "", confirm: Block | None = None
) -> Block:
    """`style`: "primary", "danger" or none."""
    if len(value) > VALUE_LIMIT:
        raise ValueError("a button's value is an id and a revision, never this long")
    made: Block = {
        "type": "button",
        "text": plain_text(text, BUTTON_LIMIT),
        "action_id": action_id,
        "value": value,
    }
    if style:
        made["style"] = style
    if confirm:
        made["confirm"] = confirm
    return made


def confirmation(title: str, text: str, yes: str) -> Block:
    """Asked before what cannot be undone."""
    return {
        "title": plain_text(title, 100),
        "text": plain_text(text, 300),
        "confirm": plain_text(yes, 30),
        "deny": plain_text("Keep", 30),
    }


def plain_text(text: str, limit: int) -> Block:
    """Text that Slack draws as it is."""
    return {"type": "plain_text", "text": cut(" ".join(text.split()), limit) or "-"}


def paragraphs(lines: Iterable[str], limit: int = 2800) -> list[Block | None]:
    """Many lines in as few sections as they fit in."""
    made: list[Block | None] = []
    held: list[str] = []
    for line in lines:
        if held and sum(map(len, held)) + len(held) + len(line) > limit:
            made.append(section(*held))
            held = []
        held.append(line)
    return [*made, section(*held)]


def text_of(block: Block) -> str:
    """All text that counts towards the sum of a message."""
    return "".join(_texts(block))


def _texts(value: Json) -> Iterable[str]:
    if isinstance(value, dict):
        own = value.get("text")
        if isinstance(own, str):
            yield own
        for inner in value.values():
            if not isinstance(inner, str):
                yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def _named(block: Block, block_id: str) -> Block:
    return {**block, "block_id": cut(block_id, 255)} if block_id else block


def _fit(text: str, limit: int) -> str:
    """Cut mrkdwn, at the end of a line if one is near, never within an entity, a mention or a fence."""
    if len(text) <= limit:
        return text
    head = text[: limit - 8]
    line_end = head.rfind("\n")
    head = head[:line_end] if line_end > limit // 2 else _TORN.sub("", head)
    if head.count("```") % 2 == 1:
        return head + "\n```…"
    return head + ("`…" if head.rpartition("\n")[2].count("`") % 2 == 1 else "…")


def _within_total(blocks: list[Block]) -> list[Block]:
    while (over := sum(len(text_of(b)) for b in blocks) - TOTAL_LIMIT) > 0:
        longest = max(blocks, key=lambda block: len(text_of(block)))
        at = blocks.index(longest)
        body = longest.get("text")
        if longest["type"] != "section" or not isinstance(body, dict):
            blocks.pop(at)
            continue
        text = str(body["text"])
        shorter = _fit(text, max(200, len(text) - over))
        if shorter == text:
            blocks.pop(at)
            continue
        blocks[at] = {**longest, "text": {**body, "text": shorter}}
    return blocks
