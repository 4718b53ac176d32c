"""When a rollout is asked to start: what people may write, which moment that is, and when it is too late.

Three forms, and no more: a time of day, a moment with its offset, and a span from now.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from operations.deployment.rollout import Rollout, RolloutState
from operations.deployment.target import Target
from operations.durations import parse_duration
from operations.errors import InvalidRequest
from operations.redaction import clean

LATEST = timedelta(hours=1)
"""So long after its time a rollout may still start; then people have to ask for it again."""

_FARTHEST = timedelta(days=14)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_MOMENT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})", re.IGNORECASE
)
_IN = re.compile(r"(?:in\s+)?(.+)", re.IGNORECASE | re.DOTALL)
_HINT = 'Write `--at 18:30`, `--at 2h`, or `--at "2026-11-25T18:30+01:00"`.'


@dataclass(frozen=True, slots=True)
class ClockTime:
    """`18:30`: the next time that the clocks of the target show it."""

    at: time

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.at:%H:%M}"


@dataclass(frozen=True, slots=True)
class Moment:
    """One moment, in UTC."""

    at: datetime

    def __str__(self) -> str:
        """As it is written."""
        return self.at.isoformat().replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Delay:
    """So long from now."""

    span: timedelta

    def __str__(self) -> str:
        """As it is written."""
        minutes, seconds = divmod(int(self.span.total_seconds()), 60)
        return f"{minutes * 60 + seconds}s" if seconds else f"{minutes}m"


StartTime = ClockTime | Moment | Delay


def parse_start(text: str) -> StartTime:
    """Read `18:30`, `2026-11-25T18:30+01:00`, `2h` or `in 2h`. Raises InvalidRequest."""
    written = text.strip()
    try:
        found = _read(written)
    except (ValueError, OverflowError):
        found = None
    if found is None:
        raise InvalidRequest(f"“{clean(written, limit=40)}” is no time to start at.", hint=_HINT)
    return found


def _read(written: str) -> StartTime | None:
    """Raises ValueError or OverflowError for what looks like a time and is none."""
    if clock := _CLOCK.fullmatch(written):
        return ClockTime(time(int(clock[1]), int(clock[2])))
    if _MOMENT.fullmatch(written):
        return Moment(datetime.fromisoformat(written.upper()).astimezone(UTC))
    within = _IN.fullmatch(written)
    span = parse_duration(within[1]) if within else timedelta(0)
    return Delay(span) if span > timedelta(0) else None


def moment_of(start: StartTime | None, target: Target, now: datetime) -> datetime | None:
    """The moment in UTC; None where none was asked for. Raises InvalidRequest for one that cannot be.

    A time of day that the target's clocks skip is taken as they stood before.
    """
    if start is None:
        return None
    at = _moment(start, zone_of(target), now)
    if at <= now:
        raise InvalidRequest(f"{say_start(at, target)} is over.", hint=_HINT)
    if at - now > _FARTHEST:
        raise InvalidRequest(
            f"{say_start(at, target)} is too far away.",
            hint=f"{_FARTHEST.days} days is the most: what is right then, nobody knows yet.",
        )
    return at


def _moment(start: StartTime, zone: ZoneInfo, now: datetime) -> datetime:
    match start:
        case Moment():
            return start.at
        case Delay():
            return now + start.span
        case ClockTime():
            today = now.astimezone(zone).date()
            days = (today + timedelta(days=ahead) for ahead in range(3))
            moments = [datetime.combine(d, start.at, zone).astimezone(UTC) for d in days]
            return next(moment for moment in moments if moment > now)


def zone_of(target: Target) -> ZoneInfo:
    """Whose clocks a time of day is by: those of the target's window, else UTC."""
    return target.windows[0].timezone if target.windows else ZoneInfo("UTC")


def say_start(at: datetime, target: Target) -> str:
    """`25 Nov 2026 18:30 (Europe/London)`: by the target's clocks, which are named."""
    zone = zone_of(target)
    return f"{at.astimezone(zone):%d %b %Y %H:%M} ({zone.key})"


def is_scheduled(rollout: Rollout) -> bool:
    """Whether it waits in the queue for its time."""
    return rollout.state is RolloutState.QUEUED and rollout.start_at is not None


def is_early(rollout: Rollout, now: datetime) -> bool:
    """Whether its time has not come yet."""
    return rollout.start_at is not None and now < rollout.start_at


def is_too_late(rollout: Rollout, now: datetime) -> bool:
    """Whether its time is over for so long that it must not start by itself any more."""
    return rollout.start_at is not None and now >= rollout.start_at + LATEST


def lateness(rollout: Rollout) -> timedelta:
    """How long after its time it started; zero for one without, or one that has not started."""
    if rollout.start_at is None or rollout.started_at is None:
        return timedelta(0)
    return max(timedelta(0), rollout.started_at - rollout.start_at)
