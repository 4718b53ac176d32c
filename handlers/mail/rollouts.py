"""A rollout by mail: that it waits for votes, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from handlers.mail.pages import Code, Command, Page, Part, line
from handlers.mail.wording import Names, called, clock, said
from handlers.states import rollout_circle, rollout_words, what
from handlers.tickets import Ticket, plainly
from operations.deployment.rollout import Rollout, RolloutState
from operations.durations import say_duration
from operations.letters import Tone
from operations.outbox import NoticeKind

_EVIDENCE_LINES = 40
_BAD = frozenset({RolloutState.FAILED, RolloutState.ROLLED_BACK, RolloutState.UNKNOWN})


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutPage:
    """All that is shown; `title` is platform and object."""

    rollout: Rollout
    now: datetime
    title: str
    names: Names = field(default_factory=dict)
    ticket: Ticket | None = None


def draw(shown: RolloutPage, kind: NoticeKind) -> Page | None:
    """None for what nobody has to decide, and for what the end tells."""
    rollout = shown.rollout
    if kind is NoticeKind.CARD and rollout.state is RolloutState.PENDING_APPROVAL:
        return _waiting(shown)
    if kind is NoticeKind.ENDED and rollout.has_ended:
        return _ended(shown)
    return _new_errors(shown) if kind is NoticeKind.ERRORS else None


def _waiting(shown: RolloutPage) -> Page:
    rollout = shown.rollout
    missing = rollout.votes_required - len(rollout.approvals)
    votes = f"needs {missing} more" if rollout.approvals else f"needs {missing}"
    expires = f"expires {clock(rollout.expires_at, shown.now)}" if rollout.expires_at else ""
    starts = f"starts {clock(rollout.start_at, shown.now)}" if rollout.start_at else ""
    return _page(
        shown,
        Tone.PLAIN,
        line(f"Now running {rollout.previous.version}" if rollout.previous else "first release"),
        line(f"{votes} {'vote' if missing == 1 else 'votes'}", expires, starts),
        Command("Approve", f"hms-sys approve {rollout.name}"),
        Command("Reject", f"hms-sys reject {rollout.name} WHY"),
    )


def _ended(shown: RolloutPage) -> Page:
    rollout = shown.rollout
    failure = rollout.failure
    actors = (rollout.requested_by, rollout.cancelled_by, *(vote.actor for vote in rollout.votes))
    return _page(
        shown,
        _tone(rollout),
        line(f"Why: {failure.summary}") if failure else None,
        Code(failure.reason) if failure and failure.reason.strip() else None,
        line(said(rollout.outcome, *actors, names=shown.names)) if rollout.outcome else None,
        *_evidence(rollout),
        *_next(rollout),
    )


def _new_errors(shown: RolloutPage) -> Page:
    rollout = shown.rollout
    where = f"{rollout.project} {rollout.environment}"
    page = _page(shown, Tone.BAD, Command("Read them", f"hms-sys errors {where}"))
    return Page(
        title=f"New errors after {what(rollout)} ({rollout.name})",
        headline=f"🔴 New errors after {what(rollout)}",
        tone=Tone.BAD,
        parts=page.parts,
    )


def _page(shown: RolloutPage, tone: Tone, *parts: Part | None) -> Page:
    rollout = shown.rollout
    state = f"{rollout_words(rollout)}: {what(rollout)}"
    word = "in" if rollout.state is RolloutState.SUCCEEDED else "after"
    took = f" {word} {say_duration(rollout.took)}" if rollout.took else ""
    reason = f": “{rollout.reason}”" if rollout.reason else ""
    matter = f" for {plainly(shown.ticket)}" if shown.ticket else ""
    asked = f"asked by {called(rollout.requested_by, shown.names)}{matter}{reason}"
    return Page(
        title=f"{state} ({rollout.name})",
        headline=f"{rollout_circle(rollout)} {state}{took}",
        tone=tone,
        parts=[line(shown.title, asked), *parts, line(rollout.name, small=True)],
    )


def _tone(rollout: Rollout) -> Tone:
    if rollout.state is RolloutState.SUCCEEDED:
        return Tone.GOOD
    return Tone.BAD if rollout.state in _BAD else Tone.PLAIN


def _evidence(rollout: Rollout) -> list[Part | None]:
    lines = rollout.failure.evidence[-_EVIDENCE_LINES:] if rollout.failure else ()
    return [line("Events and logs:"), Code("\n".join(lines))] if lines else []


def _next(rollout: Rollout) -> list[Part | None]:
    if rollout.state not in _BAD:
        return []
    return [
        Command("See what happened", f"hms-sys show {rollout.name}"),
        Command("See what serves", f"hms-sys status {rollout.project} {rollout.environment}"),
    ]
