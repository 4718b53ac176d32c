"""Private answers: what was understood, what stands in the way, and the exact command to say next."""

from __future__ import annotations

from collections.abc import Sequence

from handlers.language import explain, verb_named
from handlers.language.verbs import VERBS
from handlers.nothing import Nothing
from handlers.slack.ids import SLASH_COMMAND
from handlers.slack.views.blocks import (
    Message,
    bold,
    code,
    context,
    escape,
    fence,
    message,
    one_line,
    paragraphs,
    said,
    section,
    typed,
)
from handlers.slack.views.card import what
from handlers.states import rollout_circle, rollout_words
from operations.deployment.requests import Requested
from operations.deployment.rollout import Rollout, RolloutState, TargetLock
from operations.errors import OperationError, Refused


def simple(text: str, *more: str) -> Message:
    """A sentence of ours, and lines that say more."""
    return message(said(text, 280), [section(said(text), *[said(line) for line in more])])


def nothing(found: Nothing) -> Message:
    """There is nothing to show, and what to say next."""
    return message(said(found.text, 280), [section(said(found.text)), context(said(found.hint))])


def refusal(error: OperationError) -> Message:
    """What was refused or failed, in the words of the operation, and what to do next."""
    sign = "✋" if isinstance(error, Refused) else "⚠️"
    return message(
        said(error.message, 280),
        [section(f"{sign} {said(error.message)}"), context(said(error.hint))],
    )


def broken(reference: str) -> Message:
    """A bug of ours: only the reference under which it was logged."""
    text = f"Something broke in HMS-SYS. Its log has the details under {reference}."
    hint = (
        "Look with `history` before you try again, and give the reference to whoever runs HMS-SYS."
    )
    return message(text, [section(f"⚠️ {escape(text)}"), context(said(hint))])


def restarting() -> Message:
    """A command that came while the process ends."""
    text = "HMS-SYS is restarting. Nothing was done."
    return message(text, [section(f"⏳ {text} Say it again in a moment.")])


def too_slow(seconds: float) -> Message:
    """The deadline of a whole command passed."""
    text = f"This took longer than {seconds:.0f} s and was stopped."
    hint = "It may or may not have been done: see `history` before you try again."
    return message(text, [section(f"⏳ {text}"), context(said(hint))])


def busy() -> Message:
    """More at once than this process takes."""
    text = "HMS-SYS has too much to do at the moment. Nothing was done."
    return message(text, [section(f"⏳ {text} Say it again in a minute.")])


def gone_button() -> Message:
    """A button of a message that this version does not know."""
    text = "This button does nothing any more. Nothing was done."
    return message(text, [section(text), context(said("See `status` and `history`."))])


def asked(requested: Requested) -> Message:
    """What became of a request for a rollout, and where it is watched."""
    rollout = requested.rollout
    where = f" Watch it in <#{rollout.channel}>." if rollout.channel.isalnum() else ""
    lines = [f"Gives way to it: {said(_brief(old))}" for old in requested.superseded]
    if requested.behind is not None:
        lines.append(f"First goes {said(_brief(requested.behind))}")
    if requested.starts:
        lines.insert(0, f"⏰ To start at {said(requested.starts)}")
    text = f"{rollout.name}: {one_line(what(rollout))}: {_next(rollout)}"
    return message(
        text,
        [
            section(
                f"{rollout_circle(rollout)} {bold(what(rollout))} · {_next(rollout)}.{where}",
                *lines,
            ),
            context(said(f"{rollout.name} · `show {rollout.name}`"), _undo(rollout)),
        ],
    )


def decided(rollout: Rollout, deed: str) -> Message:
    """What a vote or a cancel came to. `deed`: "You approved"."""
    text = f"{deed} {rollout.name}: {one_line(what(rollout))}: {_next(rollout)}"
    return message(text, [section(f"{rollout_circle(rollout)} {text}.")])


def reviewed(rollout: Rollout) -> Message:
    """A review was written down."""
    text = f"You reviewed {rollout.name}: {one_line(what(rollout))}."
    return message(text, [section(f"✅ {text}")])


def locked(lock: TargetLock, until: str) -> Message:
    """A hold was set. `until` is said already."""
    name = f"{lock.project}/{lock.environment}"
    why = f": “{typed(lock.reason)}”" if lock.reason else ""
    text = f"{one_line(name)} is locked {until}{why}."
    return message(text, [section(f"🔒 {text}"), context(said(f"`unlock {_words(lock)}`"))])


def unlocked(lock: TargetLock) -> Message:
    """A hold was lifted."""
    return simple(f"🔓 {lock.project}/{lock.environment} is not locked any more.")


def logs(target: str, lines: Sequence[str]) -> Message:
    """The newest lines of an application's log."""
    head = f"Log of {one_line(target)}"
    return message(head, [section(f"*{head}*"), section(fence("\n".join(lines)))])


def help_overview() -> Message:
    """Every command, each with an example that can be copied."""
    lines = [f"{code(f'{SLASH_COMMAND} {verb.name}')} {escape(verb.summary)}" for verb in VERBS]
    text = "What HMS-SYS does: deploys, status, history, rollbacks, locks, checks and alerts."
    first = (
        f"Try {code(f'{SLASH_COMMAND} deploy')} for a form, or {code(f'{SLASH_COMMAND} status')}."
    )
    return message(
        text,
        [
            section(f"*{text}*", first),
            *paragraphs(lines),
            context(said("`help deploy` tells more")),
        ],
    )


def help_topic(topic: str) -> Message:
    """One command in full; the overview when there is no such command."""
    verb = verb_named(topic)
    if verb is None:
        return help_overview()
    return message(
        f"{verb.name}: {escape(verb.summary)}",
        [section(bold(f"{SLASH_COMMAND} {verb.name}")), section(fence(explain(verb)))],
    )


def _brief(rollout: Rollout) -> str:
    return f"{rollout.name}, {what(rollout)}"


def _next(rollout: Rollout) -> str:
    if rollout.state is RolloutState.PENDING_APPROVAL:
        missing = rollout.votes_required - len(rollout.approvals)
        return f"waits for approval ({missing} {'vote' if missing == 1 else 'votes'} missing)"
    if rollout.state is RolloutState.QUEUED:
        return "starts by itself at its time" if rollout.start_at else "queued, starts by itself"
    if rollout.cancelled_by is not None and not rollout.has_ended:
        return "is being stopped"
    return rollout_words(rollout).lower()


def _undo(rollout: Rollout) -> str:
    return "" if rollout.has_ended else said(f"`cancel {rollout.name}`")


def _words(lock: TargetLock) -> str:
    return f"{lock.project} {lock.environment}"
