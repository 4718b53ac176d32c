"""Slack's limits on what we send, kept by waiting instead of by being refused.

Posting: one message a second and channel. Edits: about 50 a minute for the whole workspace, of which some
are kept for ends and decisions. One message is edited every few seconds at most while it only tells progress.
Pure bookkeeping: it is told the time and answers how long to wait; 0 means that the turn is taken.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from operations.outbox import Urgency

_POST_SECONDS = 1.0
_EDITS_A_MINUTE = 50.0
_BURST = 15.0
"""How many edits may go out at once; the minute's sum stays within Slack's limit nearly everywhere."""
_RESERVE = 7.0
"""What progress leaves for ends and decisions."""
_PROGRESS_SECONDS = 3.0
_REMEMBERED = 2000


@dataclass(slots=True)
class Pace:
    """One for each workspace, shared by everything that sends."""

    _tokens: float = _BURST
    _counted_at: datetime | None = None
    _posted: dict[str, datetime] = field(default_factory=dict)
    _edited: dict[str, datetime] = field(default_factory=dict)
    _blocked: dict[str, datetime] = field(default_factory=dict)

    def post(self, channel: str, now: datetime) -> float:
        """Seconds until a message may be posted to the channel; 0: this one may, and is counted."""
        wait = max(
            self._blocked_for("post", now), _since(self._posted, channel, _POST_SECONDS, now)
        )
        if wait <= 0:
            _remember(self._posted, channel, now)
        return wait

    def edit(self, subject: str, urgency: Urgency, now: datetime) -> float:
        """Seconds until the subject's message may be edited; 0: now, and it is counted."""
        self._refill(now)
        spaced = urgency is Urgency.PROGRESS
        wait = self._blocked_for("edit", now)
        wait = max(wait, _since(self._edited, subject, _PROGRESS_SECONDS, now) if spaced else 0.0)
        missing = 1.0 + (_RESERVE if spaced else 0.0) - self._tokens
        wait = max(wait, missing * 60.0 / _EDITS_A_MINUTE)
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
            gained = (now - self._counted_at).total_seconds() * _EDITS_A_MINUTE / 60.0
            self._tokens = min(_BURST, self._tokens + max(0.0, gained))
        self._counted_at = now


def _since(last: dict[str, datetime], key: str, seconds: float, now: datetime) -> float:
    at = last.get(key)
    return max(0.0, seconds - (now - at).total_seconds()) if at else 0.0


def _remember(last: dict[str, datetime], key: str, now: datetime) -> None:
    last.pop(key, None)
    last[key] = now
    while len(last) > _REMEMBERED:
        last.pop(next(iter(last)))
