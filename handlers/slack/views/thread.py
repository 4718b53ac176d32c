"""What goes into a card's thread: the reply at the end, and the evidence of a failure."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.slack.ids import block_prefix
from handlers.slack.views.blocks import (
    Message,
    bold,
    called,
    cut,
    escape,
    fence,
    message,
    one_line,
    person,
    said,
    section,
)
from handlers.slack.views.card import ticket_link, what
from handlers.states import rollout_circle, rollout_words
from handlers.tickets import Ticket
from operations.deployment.rollout import Rollout, RolloutState
from operations.durations import say_duration
from operations.outbox import NoticeKind

_CHUNK = 2600
_CHUNKS = 3
_BROADCAST = frozenset({RolloutState.FAILED, RolloutState.ROLLED_BACK, RolloutState.UNKNOWN})


def ended_reply(rollout: Rollout, ticket: Ticket | None = None) -> Message:
    """Names the requester: an edit of the card notifies nobody."""
    matter = f" ({ticket_link(ticket)})" if ticket else ""
    who = f"{person(rollout.requested_by)}{matter}"
    line = f"{who} {rollout_circle(rollout)} {_ending(rollout)}"
    text = (
        f"{called(rollout.requested_by)}: {rollout_words(rollout)}: {one_line(what(rollout), 150)}"
    )
    ids = block_prefix(rollout.name, NoticeKind.ENDED.value)
    return message(text, [section(line, block_id=f"{ids}{rollout.revision}")])


def is_broadcast(rollout: Rollout) -> bool:
    """Whether the whole channel hears of this end."""
    return rollout.state in _BROADCAST


def evidence(rollout: Rollout) -> Message:
    """Events and log lines in a code block; of many the newest."""
    lines = rollout.failure.evidence if rollout.failure else ()
    ids = f"{block_prefix(rollout.name, NoticeKind.EVIDENCE.value)}{rollout.revision}"
    head = f"Events and logs of {one_line(what(rollout), 150)} ({rollout.name})"
    chunks = _chunks(lines)
    blocks = [
        section(fence(chunk), block_id=f"{ids}.{number}") for number, chunk in enumerate(chunks)
    ]
    return message(head, [section(head, block_id=f"{ids}.head"), *blocks])


def _chunks(lines: Sequence[str]) -> list[str]:
    """At most three blocks' worth of whole lines, the newest kept."""
    chunks: list[list[str]] = [[]]
    for line in reversed(lines):
        shown = cut(line, 1000)
        if len(escape("\n".join([*chunks[0], shown]))) > _CHUNK:
            if len(chunks) == _CHUNKS:
                break
            chunks.insert(0, [])
        chunks[0].insert(0, shown)
    return ["\n".join(chunk) for chunk in chunks if "".join(chunk).strip()]


def _ending(rollout: Rollout) -> str:
    took = f" · {say_duration(rollout.took)}" if rollout.took else ""
    told = rollout.failure.summary if rollout.failure else ""
    if told:
        return f"{bold(f'{rollout_words(rollout)}: {what(rollout)}')} · {one_line(told)}{took}"
    outcome = f" · {said(rollout.outcome)}" if rollout.outcome else ""
    return f"{bold(f'{rollout_words(rollout)}: {what(rollout)}')}{outcome}{took}"
