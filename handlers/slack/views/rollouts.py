"""A rollout's one message that moves: a card for each state."""

from __future__ import annotations

from datetime import timedelta

from handlers.slack.ids import block_prefix
from handlers.slack.views.blocks import (
    Message,
    actions,
    bold,
    called,
    clock,
    code,
    context,
    dots,
    fence,
    message,
    one_line,
    people,
    person,
    said,
    section,
    typed,
)
from handlers.slack.views.card import Card, asker, short_pin, shorten_digests, what
from handlers.slack.views.choices import choices
from handlers.slack.views.shipments import shipment
from handlers.slack.views.steps import counted, step_lines
from handlers.states import rollout_circle, rollout_words
from operations.deployment.rollout import ACTIVE, WAITING, Rollout, RolloutState
from operations.deployment.start_time import lateness
from operations.durations import say_duration
from operations.outbox import NoticeKind

_LATE = timedelta(minutes=1)


def draw(card: Card) -> Message:
    """The card as it is now."""
    rollout = card.rollout
    ids = f"{block_prefix(rollout.name, NoticeKind.CARD.value)}{rollout.revision}"
    return message(
        summary(card),
        [
            section(f"{_headline(card)}\n{_origin(card)}", block_id=f"{ids}.head"),
            section(*_warnings(rollout), block_id=f"{ids}.warnings"),
            section(*_body(card), block_id=f"{ids}.body"),
            context(*_footer(card), block_id=f"{ids}.foot"),
            actions(*choices(card), block_id=f"{ids}.buttons"),
        ],
    )


def summary(card: Card) -> str:
    """One sentence for notifications and screen readers; it mentions nobody."""
    rollout = card.rollout
    by = called(rollout.requested_by)
    state = rollout_words(rollout, card.behind)
    sentence = f"{state}: {one_line(what(rollout), 120)}, asked by {by}, {rollout.name}"
    if rollout.failure is not None:
        sentence += f": {one_line(rollout.failure.summary, 80)}"
    return sentence


def _headline(card: Card) -> str:
    rollout = card.rollout
    words = bold(f"{rollout_words(rollout, card.behind)}: {what(rollout)}")
    return f"{rollout_circle(rollout)} {words}{_span(rollout)}"


def _span(rollout: Rollout) -> str:
    if rollout.took is None:
        return ""
    word = "in" if rollout.state is RolloutState.SUCCEEDED else "after"
    return f" {word} {say_duration(rollout.took)}"


def _origin(card: Card) -> str:
    rollout = card.rollout
    who = asker(rollout, card.ticket)
    reason = f": “{typed(rollout.reason, 200)}”" if rollout.reason else ""
    return dots(_from(rollout), one_line(card.title, 120), f"{who}{reason}")


def _from(rollout: Rollout) -> str:
    if rollout.previous is None:
        return "first release" if rollout.state in WAITING | ACTIVE else ""
    version = code(rollout.previous.version, 90)
    if rollout.state in WAITING:
        return f"Now running {version}"
    if rollout.state is RolloutState.ROLLED_BACK:
        return f"{version} is serving again"
    return f"from {version}"


def _warnings(rollout: Rollout) -> list[str]:
    lines = [f"⚠️ {said(warning, 300)}" for warning in rollout.warnings[:5]]
    if rollout.emergency:
        lines.insert(0, _emergency(rollout))
    if rollout.state in WAITING and not rollout.release.is_pinned:
        lines.append("⚠️ mutable tag: can change under its name")
    return lines


def _emergency(rollout: Rollout) -> str:
    if rollout.review is not None:
        note = f": “{typed(rollout.review.note, 200)}”" if rollout.review.note else ""
        return f"🚨 *Emergency*, reviewed by {person(rollout.review.actor)}{note}"
    if rollout.is_to_be_reviewed:
        return f"🚨 *Emergency*, to be reviewed: {said(f'`review {rollout.name}`')}"
    return "🚨 *Emergency*: passes windows and locks; somebody must review it afterwards"


def _body(card: Card) -> list[str]:
    rollout = card.rollout
    if rollout.state is RolloutState.PENDING_APPROVAL:
        return shipment(card.shipped) if card.shipped else []
    if rollout.state in ACTIVE:
        return step_lines(rollout, card.now)
    if rollout.failure is not None:
        return _why(rollout)
    if rollout.state is RolloutState.QUEUED:
        return _queued(card)
    if rollout.state is RolloutState.SUCCEEDED:
        return []
    return [said(rollout.outcome)] if rollout.outcome else []


def _queued(card: Card) -> list[str]:
    """What it waits for: a lock or a window that holds it back, or its time."""
    start_at = card.rollout.start_at
    if card.held:
        return [f"⏸ {said(card.held.message)}", said(card.held.hint)]
    if start_at is None:
        return []
    others = f" {said(card.cancellers)} can cancel it." if card.cancellers else ""
    return [f"⏰ Starts {clock(start_at, card.now)}.{others}"]


def _why(rollout: Rollout) -> list[str]:
    failure = rollout.failure
    if failure is None:
        return []
    reason = shorten_digests(failure.reason.strip())
    if not reason:
        told = ""
    elif "\n" in reason or len(reason) > 400:
        told = fence(reason, 1800)
    else:
        told = code(reason, 400)
    return [dots("*Why*", one_line(failure.summary, 300)), told]


def _footer(card: Card) -> list[str]:
    rollout = card.rollout
    if rollout.state in WAITING:
        return _waiting_footer(card)
    if rollout.state in ACTIVE:
        started = f"started {clock(rollout.started_at, card.now)}" if rollout.started_at else ""
        return [rollout.name, started, _due(card), _stopping(rollout)]
    return [*_end_footer(rollout), rollout.name]


def _waiting_footer(card: Card) -> list[str]:
    rollout = card.rollout
    expires = (
        f"expires {clock(rollout.expires_at, card.now)}"
        if rollout.expires_at and rollout.state is RolloutState.PENDING_APPROVAL
        else ""
    )
    pin = f"pinned to {code(short_pin(rollout.release), 60)}" if rollout.release.is_pinned else ""
    return [_votes(card), pin, expires, _due(card), rollout.name]


def _due(card: Card) -> str:
    """When it is or was to start, where nothing above says so."""
    rollout = card.rollout
    if rollout.start_at is None or rollout.state is RolloutState.QUEUED:
        return ""
    at = clock(rollout.start_at, card.now)
    if rollout.state is RolloutState.PENDING_APPROVAL:
        return f"starts {at}"
    late = lateness(rollout)
    return f"{say_duration(late)} late: was to start {at}" if late >= _LATE else ""


def _votes(card: Card) -> str:
    rollout = card.rollout
    given = ", ".join(
        f"✅ {person(vote.actor)} approved {clock(vote.at, card.now)}"
        for vote in rollout.approvals[:6]
    )
    missing = rollout.votes_required - len(rollout.approvals)
    if rollout.state is not RolloutState.PENDING_APPROVAL or missing <= 0:
        return given
    voters = _voters_left(card)
    if given:
        more = "one more" if missing == 1 else f"{missing} more"
        return (
            f"{given} · {len(rollout.approvals)} of {rollout.votes_required}, {more} from {voters}"
        )
    return f"needs {missing} {'vote' if missing == 1 else 'votes'} from {voters}"


def _voters_left(card: Card) -> str:
    """Who may still vote; a group is named as long as its people are not counted here."""
    if card.rule is None or not card.rule.voters:
        return "anyone who may deploy"
    voted = {vote.actor.id for vote in card.rollout.approvals}
    return people(card.rule.voters - voted) or people(card.rule.voters)


def _stopping(rollout: Rollout) -> str:
    return f"{person(rollout.cancelled_by)} asked to stop it" if rollout.cancelled_by else ""


def _end_footer(rollout: Rollout) -> list[str]:
    if rollout.state is RolloutState.SUCCEEDED:
        return _success_footer(rollout)
    shown_above = rollout.failure is None or rollout.outcome == _serving_again(rollout)
    told = "" if shown_above else said(rollout.outcome).rstrip(".")
    thread = "events and logs in thread" if rollout.failure and rollout.failure.evidence else ""
    return [told, thread]


def _serving_again(rollout: Rollout) -> str:
    """What `operations.deployment.endings` says of a way back that worked; our second line says it too."""
    return f"{rollout.previous.version} is serving again." if rollout.previous else ""


def _success_footer(rollout: Rollout) -> list[str]:
    pin = code(short_pin(rollout.release), 60) if rollout.release.is_pinned else ""
    told = said(rollout.outcome) if rollout.outcome else counted(rollout.steps)
    units, dot, rest = told.rstrip(".").partition(" · ")
    first = " on ".join(part for part in (units, pin) if part) + dot + rest
    approvers = ", ".join(person(vote.actor) for vote in rollout.approvals[:6])
    return [f"✅ {first}" if first else "", f"approved by {approvers}" if approvers else ""]
