"""Which day a digest is about, and when it is due: pure, and right when clocks are changed.

A digest is about the day that ends when it is due, from the same time of the day before: what happened in
the night is told in the morning, every moment belongs to one digest, and such a day has 23 to 25 hours when
the zone's clocks are changed in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Span:
    """From `since` to before `until`, in UTC."""

    since: datetime
    until: datetime

    @property
    def length(self) -> timedelta:
        """How long it is."""
        return self.until - self.since

    def earlier(self, days: int, zone: tzinfo) -> Span:
        """The same hours by the zone's clocks, so many days before."""
        return Span(_days_before(self.since, days, zone), _days_before(self.until, days, zone))

    def hours(self) -> Span:
        """The whole hours of UTC that it is counted by: each end falls back to its hour's beginning.

        So spans that follow each other share no hour and leave none out, also at half past or in a zone
        that is half an hour off.
        """
        return Span(hour_of(self.since), hour_of(self.until))


@dataclass(frozen=True, slots=True)
class Plan:
    """Where and when digests are told: every day `at` a time of the zone's clocks, in a channel."""

    channel: str
    at: time
    zone: ZoneInfo

    def due_at(self, day: date) -> datetime:
        """When that day's digest is due.

        A time that the clocks skip is taken as they stood before (01:30 becomes 02:30 then); of a time
        that comes twice the first one counts.
        """
        return datetime.combine(day, self.at, self.zone).astimezone(UTC)

    def newest_due(self, now: datetime) -> date:
        """The newest day whose digest is due by now."""
        today = now.astimezone(self.zone).date()
        # The clocks may have turned midnight itself, so a neighbour can be the one.
        return next(
            day
            for day in (today + _DAY, today, today - _DAY, today - 2 * _DAY)
            if self.due_at(day) <= now
        )

    def span_of(self, day: date) -> Span:
        """What that day's digest is about."""
        return Span(self.due_at(day - _DAY), self.due_at(day))


def span_until(now: datetime) -> Span:
    """What a digest is about that somebody asks for: 24 hours of the log, the present one among them."""
    until = hour_of(now) + _HOUR
    return Span(until - _DAY, until)


def hour_of(at: datetime) -> datetime:
    """The beginning of the hour, in UTC."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _days_before(at: datetime, days: int, zone: tzinfo) -> datetime:
    local = at.astimezone(zone)
    return (local - timedelta(days=days)).astimezone(UTC)
