"""Slack's limits on what we send, kept by waiting instead of by being refused.

Posting: one message a second and channel. Edits: about 50 a minute for the whole workspace, of which some
are kept for ends and decisions. One message is edited every few seconds at most while it only tells progress.
Pure bookkeeping: it is told the time and answers how long to wait; 0 means that the turn is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.outbox import Urgency

_REMEMBERED = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Slack's, and our share of them. `burst` edits may go out at once; progress leaves `reserve` of them."""

    post_seconds: float = 1.0
    edits_a_minute: float = 45.0
    burst: float = 15.0
    reserve: float = 7.0
    progress_seconds: float = 3.0


class Pace:
    """One for each workspace, shared by everything that sends."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._tokens = self._limits.burst
        self._counted_at: datetime | None = None
        self._posted: dict[str, datetime] = {}
        self._edited: dict[str, datetime] = {}
        self._blocked: dict[str, datetime] = {}

    def post(self, channel: str, now: datetime) -> float:
        """Seconds until a message may be posted to the channel; 0: this one may, and is counted."""
        spacing = _since(self._posted, channel, self._limits.post_seconds, now)
        wait = max(self._blocked_for("post", now), spacing)
        if wait <= 0:
            _remember(self._posted, channel, now)
        return wait

    def edit(self, subject: str, urgency: Urgency, now: datetime) -> float:
        """Seconds until the subject's message may be edited; 0: now, and it is counted."""
        self._refill(now)
        spaced = urgency >= Urgency.PROGRESS
        wait = self._blocked_for("edit", now)
        if spaced:
            wait = max(wait, _since(self._edited, subject, self._limits.progress_seconds, now))
        missing = 1.0 + (self._limits.reserve if spaced else 0.0) - self._tokens
        wait = max(wait, missing * 60.0 / self._limits.edits_a_minute)
        if wait <= 0:
            self._tokens -= 1.0
            _remember(self._edited, subject, now)
        return max(0.0, wait)

    def block(self, call: str, now: datetime, seconds: float) -> None:
        """Slack said Retry-After for "post" or "edit"."""
        self._blocked[call] = now + timedelta(seconds=seconds)

    def _blocked_for(self, call: str, now: datetime) -> float:
        until = self._blocked.get(call)
        return max(0.0, (until - now).total_seconds()) if until else 0.0

    def _refill(self, now: datetime) -> None:
        if self._counted_at is not None:
            gained = (now - self._counted_at).total_seconds() * self._limits.edits_a_minute / 60.0
            self._tokens = min(self._limits.burst, self._tokens + max(0.0, gained))
        self._counted_at = now


def _since(last: dict[str, datetime], key: str, seconds: float, now: datetime) -> float:
    at = last.get(key)
    return max(0.0, seconds - (now - at).total_seconds()) if at else 0.0


def _remember(last: dict[str, datetime], key: str, now: datetime) -> None:
    last.pop(key, None)
    last[key] = now
    while len(last) > _REMEMBERED:
        last.pop(next(iter(last)))
