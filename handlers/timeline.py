"""A rollout's audit events in words, for Slack and the command line alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from operations.audit import AuditEvent

_Detail = Mapping[str, str]


def _after(words: str, key: str) -> Callable[[_Detail], str]:
    """`words`, and after a colon what the detail says, when it does."""

    def say(detail: _Detail) -> str:
        told = detail.get(key, "")
        return f"{words}: {told}" if told else words

    return say


def _asked(detail: _Detail) -> str:
    verb = "asked to roll back to" if detail.get("kind") == "rollback" else "asked for"
    words = f"{verb} {detail.get('version', 'a version')}"
    if detail.get("start_at"):
        words += f", to start at {detail['start_at']}"
    return f"{words}: “{detail['reason']}”" if detail.get("reason") else words


def _started(detail: _Detail) -> str:
    return f"started, {detail['late']} late" if detail.get("late") else "started"


_WORDS: Mapping[str, Callable[[_Detail], str]] = {
    "rollout.requested": _asked,
    "rollout.approved": _after("approved", ""),
    "rollout.rejected": _after("rejected", "reason"),
    "rollout.cancelled": _after("cancelled", ""),
    "rollout.cancel_requested": _after("asked to stop it", ""),
    "rollout.expired": _after("expired", "why"),
    "rollout.unknown": _after("given up", "why"),
    "rollout.reviewed": _after("reviewed it", "note"),
    "rollout.superseded": _after("gave way to", "by"),
    "rollout.started": _started,
    "rollout.resumed": _after("went on under another worker", ""),
    "rollout.following": _after("told the platform", "what"),
    "rollout.verifying": _after("rolled out; watching its health", ""),
    "rollout.failing": _after("failed", "why"),
    "rollout.stopping": _after("stopping", ""),
    "rollout.returning": _after("bringing the former release back", "what"),
    "rollout.ended": _after("ended", "outcome"),
}


def say_event(event: AuditEvent) -> str:
    """What happened, without who and when; an unknown action is told as it is."""
    say = _WORDS.get(event.action)
    return say(event.detail) if say else event.action
