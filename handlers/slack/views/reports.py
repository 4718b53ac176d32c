"""Private answers to questions: history, one rollout, what stands in the way, a dry run."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from handlers.slack.views.blocks import (
    Message,
    bold,
    clock,
    code,
    context,
    dots,
    message,
    one_line,
    paragraphs,
    people,
    person,
    said,
    section,
    typed,
)
from handlers.slack.views.card import short_pin, shorten_digests, ticket_link, what
from handlers.states import past_words, rollout_circle, rollout_words, way_words
from handlers.tickets import Ticket
from handlers.timeline import say_event
from operations.audit import AuditEvent
from operations.deployment.inquiries import Obstacles, RolloutReport
from operations.deployment.policy import Answer
from operations.deployment.requests import Plan
from operations.deployment.rollout import HistoryPage, Rollout, TargetLock
from operations.deployment.start_time import say_start

_TIMELINE_SHOWN = 30


def history(page: HistoryPage, now: datetime, serving: Collection[int] = ()) -> Message:
    """One line per rollout, newest first; of some. `serving` are the ids of what is live now."""
    lines = [_history_line(each, now, each.id in serving) for each in page.rollouts]
    count = f"{len(lines)} {'rollout' if len(lines) == 1 else 'rollouts'}"
    more = "there are older ones: `--limit N`" if page.next is not None else ""
    return message(
        f"History: {count}, newest first",
        [
            section(f"*History* · {count}, newest first"),
            *paragraphs(lines),
            context(said("`show D-…` tells all about one"), more),
        ],
    )


def rollout_report(
    report: RolloutReport, title: str, now: datetime, ticket: Ticket | None = None
) -> Message:
    """One rollout and its timeline."""
    rollout = report.rollout
    head = f"{past_words(rollout, serves=report.serves)}: {what(rollout)}"
    pin = code(rollout.release.pin, 90) if rollout.release.is_pinned else "not pinned"
    matter = f" for {ticket_link(ticket)}" if ticket else ""
    reason = f": “{typed(rollout.reason)}”" if rollout.reason else ""
    facts = [
        dots(
            way_words(rollout),
            one_line(title),
            pin,
            f"asked by {person(rollout.requested_by)}{matter}{reason}",
        ),
        dots(_emergency(rollout), _starts(rollout, now)),
        said(rollout.outcome),
        f"*Why* · {one_line(rollout.failure.summary)}" if rollout.failure else "",
        code(shorten_digests(rollout.failure.reason))
        if rollout.failure and rollout.failure.reason
        else "",
    ]
    events = [_event_line(event, now) for event in report.timeline[-_TIMELINE_SHOWN:]]
    return message(
        f"{rollout.name}: {one_line(head)}",
        [
            section(f"{rollout_circle(rollout)} {bold(head)} · {rollout.name}", *facts),
            *paragraphs(events),
        ],
    )


def _starts(rollout: Rollout, now: datetime) -> str:
    if rollout.start_at is None:
        return ""
    return (
        f"{'starts' if now < rollout.start_at else 'was to start'} {clock(rollout.start_at, now)}"
    )


def held_back(rollout: Rollout, found: Obstacles) -> str:
    """What a rollout waits for that nobody has to decide on any more."""
    obstacle = found.held[rollout.id]
    return said(f"{rollout.name} waits: {obstacle.message} {obstacle.hint}")


def obstacles(found: Obstacles, now: datetime) -> Message:
    """What stands in the way of a deploy now, and who can lift it."""
    target = found.target
    lines = _answer_lines(found.answer)
    if found.active is not None:
        lines.append(f"🔵 {brief(found.active)} goes first")
    lines += [f"🟡 {brief(waiting)} would give way" for waiting in found.waiting]
    lines += [f"⏸ {held_back(each, found)}" for each in found.waiting if each.id in found.held]
    head = _verdict(target.name, found.answer)
    next_step = f"`deploy {target.project} {target.environment} VERSION`"
    return message(
        one_line(head),
        [
            section(bold(head), *lines),
            context(one_line(target.spec.title), said(next_step), clock(now, now)),
        ],
    )


def plan(found: Plan) -> Message:
    """What a deploy would do: the dry run."""
    target, resolution = found.target, found.resolution
    release = resolution.release
    pin = f"pinned to {code(short_pin(release))}" if release.is_pinned else "⚠️ not pinned"
    current = (
        f"now running {code(resolution.current.version)}" if resolution.current else "first release"
    )
    head = f"Dry run: {target.project} {release.version} → {target.environment}"
    lines = [
        dots(current, one_line(target.spec.title), pin),
        *[f"• {said(shorten_digests(change))}" for change in resolution.changes[:20]],
        *[f"⚠️ {said(warning)}" for warning in resolution.warnings[:5]],
        *_answer_lines(found.answer),
    ]
    if found.start_at is not None:
        lines.append(f"⏰ It would start at {said(say_start(found.start_at, target))}")
    elif found.behind is not None:
        lines.append(f"🔵 {brief(found.behind)} goes first")
    return message(
        one_line(head), [section(bold(head)), *paragraphs(lines), context("Nothing was changed.")]
    )


def lock_span(lock: TargetLock, now: datetime) -> str:
    """`until 18:00`, in the reader's zone."""
    return f"until {clock(lock.until, now)}" if lock.until else "until somebody unlocks it"


def brief(rollout: Rollout) -> str:
    """`D-1042 (myapp 1.1 → prod, queued)`."""
    return f"{rollout.name} ({one_line(what(rollout), 120)}, {rollout_words(rollout).lower()})"


def _history_line(rollout: Rollout, now: datetime, serves: bool) -> str:
    return dots(
        f"{rollout_circle(rollout)} {code(rollout.name)} {one_line(what(rollout))}",
        past_words(rollout, serves=serves),
        way_words(rollout),
        _emergency(rollout),
        person(rollout.requested_by),
        clock(rollout.requested_at, now),
        one_line(rollout.failure.summary, 80) if rollout.failure else "",
    )


def _emergency(rollout: Rollout) -> str:
    if rollout.review is not None:
        return f"🚨 emergency, reviewed by {person(rollout.review.actor)}"
    if not rollout.emergency:
        return ""
    return "🚨 emergency, *to be reviewed*" if rollout.is_to_be_reviewed else "🚨 emergency"


def _event_line(event: AuditEvent, now: datetime) -> str:
    return dots(
        clock(event.at, now),
        f"{person(event.actor)} {said(' '.join(say_event(event).split()), 250)}",
    )


def _answer_lines(answer: Answer) -> list[str]:
    lines = [f"✋ {said(o.message)} {said(o.hint)}".rstrip() for o in answer.obstacles]
    if answer.rule is not None:
        voters = people(answer.rule.voters) or "anyone who may deploy there"
        lines.append(f"✅ Needs {_votes(answer.votes_required)} from {voters}")
    return lines


def _verdict(name: str, answer: Answer) -> str:
    if answer.obstacles:
        return f"{name}: a deploy would be refused now"
    if answer.rule is not None:
        return f"{name}: you can deploy, with {_votes(answer.votes_required)}"
    return f"{name}: nothing stands in the way"


def _votes(required: int) -> str:
    return "one vote" if required == 1 else f"{required} votes"
