"""A digest in words, for Slack, mail and the command line alike. Plain text: whoever shows it escapes it."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from operations.durations import say_duration
from operations.monitoring.digest.digest import (
    Digest,
    EndedRollout,
    GroupLine,
    ProjectErrors,
    Uptime,
)

_ENDS = {
    "failed": "failed",
    "rolled_back": "failed and was rolled back",
    "unknown": "nobody can tell how it ended",
}
_MANY = 10
UPTIME_MEANS = (
    "Uptime is of the time that a check's state was known: while it was stopped, or gave no answer, "
    "nothing is counted."
)


def title(digest: Digest, *, is_scheduled: bool) -> str:
    """`Digest: Tue 24 Nov`; one that was asked for says its time too."""
    until = digest.span.until.astimezone(ZoneInfo(digest.zone))
    day = f"Digest: {until:%a} {until.day} {until:%b}"
    return day if is_scheduled else f"{day}, {until:%H:%M}"


def headline(digest: Digest, *, is_scheduled: bool) -> str:
    """Which day, and what came out: `Digest: Tue 24 Nov → 2 alerts open, 1 rollout failed`."""
    return f"{title(digest, is_scheduled=is_scheduled)} → {verdict(digest)}"


def verdict(digest: Digest) -> str:
    """What somebody should look at."""
    parts = [
        _if_any(digest.alerts.open_count, "alert open", "alerts open"),
        _if_any(digest.rollouts.failed, "rollout failed", "rollouts failed"),
        _if_any(digest.errors.new_count, "new error", "new errors"),
        _if_any(digest.rollouts.unreviewed_count, "emergency to review", "emergencies to review"),
    ]
    told = ", ".join(part for part in parts if part)
    return told or ("nothing new" if digest.errors.count else "all quiet")


def circle(digest: Digest) -> str:
    """Beside the verdict, never in its place."""
    if digest.alerts.open_count or digest.rollouts.failed:
        return "🔴"
    is_news = digest.errors.new_count or digest.rollouts.unreviewed_count
    return "🟡" if is_news else "🟢"


def span_line(digest: Digest) -> str:
    """`Mon 23 Nov 09:00 to Tue 24 Nov 09:00, Europe/London`.

    Errors are counted by whole hours of UTC; where those are others than the span's, they are said too.
    """
    since, until = (_day_time(at, digest.zone) for at in (digest.span.since, digest.span.until))
    told = f"{since} to {until}, {digest.zone}"
    hours = digest.span.hours()
    if hours.since == digest.span.since:
        return told
    return f"{told}; errors {_time(hours.since, digest.zone)} to {_time(hours.until, digest.zone)}"


def late_line(digest: Digest) -> str:
    """Why it comes so late; "" when it is in time."""
    if not digest.late:
        return ""
    why = "its database could not be reached" if digest.is_of_outage else "HMS-SYS was not running"
    missed = {0: "", 1: " The one before it was not made."}.get(
        digest.missed, f" The {digest.missed} before it were not made."
    )
    return f"{say_duration(digest.late)} late: {why}.{missed}"


def errors_line(digest: Digest) -> str:
    """All errors, and the trend."""
    errors = digest.errors
    trend = trend_words(errors.count, errors.day_before, errors.week_before)
    return f"Errors: {errors.count:,}" + (f", {trend}" if trend else "")


def trend_words(count: int, day_before: int, week_before: int) -> str:
    """`12 % more than the day before, 3 % fewer than a week before`; "" when there was never any."""
    if not (count or day_before or week_before):
        return ""
    return f"{_compared(count, day_before, 'the day')}, {_compared(count, week_before, 'a week')}"


def _compared(count: int, before: int, when: str) -> str:
    """In percent; in times when it is many times as much; in words when there was none."""
    if not before:
        return f"none {when} before" if count else f"none {when} before either"
    if count >= _MANY * before:
        return f"{count // before} times {when} before"
    share = round(100 * abs(count - before) / before)
    if not share:
        return f"as many as {when} before"
    return f"{share} % {'more' if count > before else 'fewer'} than {when} before"


def project_line(line: ProjectErrors) -> str:
    """`312 · 280 the day before · 340 a week before`."""
    return (
        f"{line.count:,} · {line.day_before:,} the day before · {line.week_before:,} a week before"
    )


def group_facts(group: GroupLine) -> str:
    """What it was like in the span: `312 times · myapp/prod · 1.4.2 · after D-1042`."""
    times = "once" if group.count == 1 else f"{group.count:,} times"
    after = f"after {group.rollout}" if group.rollout else ""
    return " · ".join(part for part in (times, group.target_name, group.release, after) if part)


def alerts_line(digest: Digest) -> str:
    """How many, and how fast people were."""
    alerts = digest.alerts
    if not (alerts.fired or alerts.acknowledged or alerts.resolved or alerts.open_count):
        return "Alerts: none"
    parts = [
        f"{alerts.fired} fired",
        _with_median(alerts.acknowledged, "acknowledged", alerts.to_acknowledge),
        _with_median(alerts.resolved, "resolved", alerts.to_resolve),
        f"{alerts.open_count} open" if alerts.open_count else "none open",
    ]
    return f"Alerts: {', '.join(parts)}"


def _with_median(count: int, deed: str, median: timedelta | None) -> str:
    after = f" after {say_duration(median)} (median)" if median is not None else ""
    return f"{count} {deed}{after}"


def rollouts_line(digest: Digest) -> str:
    """How they ended."""
    rollouts = digest.rollouts
    counts = (
        (rollouts.live, "live"),
        (rollouts.failed, "failed"),
        (rollouts.withdrawn, "withdrawn"),
    )
    told = ", ".join(f"{count} {word}" for count, word in counts if count)
    return f"Rollouts: {told or 'none'}"


def failure_line(rollout: EndedRollout) -> str:
    """`D-1042 myapp 1.4.2 → prod failed and was rolled back`."""
    what = f"{rollout.name} {rollout.project} {rollout.version} → {rollout.environment}"
    return f"{what} {_ENDS.get(rollout.state, rollout.state)}"


def emergencies_line(digest: Digest) -> str:
    """How many there are that nobody has looked at since; "" for none."""
    count = digest.rollouts.unreviewed_count
    if not count:
        return ""
    return f"Emergencies that nobody has reviewed: {count:,}"


def emergency_line(rollout: EndedRollout, zone: str) -> str:
    """`D-1042 myapp 1.4.2 → prod, Mon 23 Nov 21:40`."""
    what = f"{rollout.name} {rollout.project} {rollout.version} → {rollout.environment}"
    return f"{what}, {_day_time(rollout.ended_at, zone)}"


def uptime_line(digest: Digest) -> str:
    """All checks in a sentence; "" when there are none."""
    if not digest.uptimes:
        return ""
    below = len(below_full(digest))
    known = sum(1 for line in digest.uptimes if line.permyriad is not None)
    total = f"{len(digest.uptimes)} {'check' if len(digest.uptimes) == 1 else 'checks'}"
    unknown = f", {len(digest.uptimes) - known} not known" if known < len(digest.uptimes) else ""
    if not known:
        return f"Uptime: nothing known of {total}"
    told = f"{below} of {total} below 100 %" if below else f"100 % on {total}"
    return f"Uptime: {told}{unknown}"


def below_full(digest: Digest) -> list[Uptime]:
    """The checks that were failing for a while, the worst first."""
    return [line for line in digest.uptimes if line.down]


def uptime_words(line: Uptime) -> str:
    """`99.31 %, 9 m failing`."""
    share = line.permyriad
    if share is None:
        return "not known"
    percent = "100 %" if share == 10_000 else f"{share // 100}.{share % 100:02} %"
    return f"{percent}, {say_duration(line.down)} failing" if line.down else percent


def has_chart(digest: Digest) -> bool:
    """Whether there is anything to draw."""
    errors = digest.errors
    return any(errors.hours) or any(errors.hours_before) or bool(digest.rollouts.marks)


def chart_words(digest: Digest) -> str:
    """The chart for those who cannot see it."""
    hours = digest.errors.hours
    if not any(hours):
        told = "Errors per hour: none"
    else:
        at = digest.span.hours().since + hours.index(max(hours)) * timedelta(hours=1)
        peak = f"{at.astimezone(ZoneInfo(digest.zone)):%H:%M}"
        told = f"Errors per hour: {min(hours):,} to {max(hours):,}, most from {peak}"
    return f"{told}. {rollouts_line(digest)}."


def _if_any(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}" if count else ""


def _time(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%H:%M}"


def _day_time(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{local:%a} {local.day} {local:%b} {local:%H:%M}"
