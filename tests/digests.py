"""Digests for tests: a day with some of everything, a quiet one, and one of the largest kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from operations.monitoring.alert import Alert
from operations.monitoring.digest.digest import (
    Alerts,
    Digest,
    EndedRollout,
    Errors,
    GroupLine,
    OpenAlert,
    ProjectErrors,
    Rollouts,
    StoredDigest,
    Uptime,
)
from operations.monitoring.digest.digests import DigestReport
from operations.monitoring.digest.span import Span
from operations.monitoring.errors.group import ErrorGroup
from tests.error_groups import make_group
from tests.factories import NOON
from tests.unit.handlers.slack.views.alarms import make_alert

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
SPAN = Span(NOON - 24 * HOUR, NOON)


def make_line(number: int, **changes: object) -> GroupLine:
    """A group that was seen 312 times."""
    plain = GroupLine(
        id=number,
        project="shop",
        environment="prod",
        title="TimeoutError: payment did not answer",
        count=312,
        release="1.4.2",
        rollout="D-1042",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


def make_uptime(name: str, down: timedelta, up: timedelta | None = None) -> Uptime:
    """Of a check of shop/prod."""
    known = 24 * HOUR - down if up is None else up
    return Uptime(
        check_id=f"shop/prod:{name}",
        name=name,
        project="shop",
        environment="prod",
        up=known,
        down=down,
    )


def make_ended(name: str, state: str, hours: float = 5) -> EndedRollout:
    """A rollout of shop 1.4.2 to prod."""
    return EndedRollout(
        name=name,
        project="shop",
        environment="prod",
        version="1.4.2",
        state=state,
        ended_at=NOON - hours * HOUR,
    )


FAILED = make_ended("D-1043", "rolled_back")
BUSY = Digest(
    span=SPAN,
    zone="Europe/London",
    errors=Errors(
        projects=(
            ProjectErrors(project="shop", count=1204, day_before=1075, week_before=1241),
            ProjectErrors(project="site", count=3, day_before=0, week_before=0),
        ),
        hours=(20,) * 14 + (310,) + (20,) * 9,
        hours_before=(45,) * 24,
        new=(make_line(12), make_line(13, title="KeyError: 'discount'", count=1, rollout="")),
        new_count=7,
        worst=(make_line(3, title="OperationalError: too many connections", count=480),),
    ),
    alerts=Alerts(
        fired=5,
        acknowledged=4,
        resolved=4,
        to_acknowledge=3 * MINUTE,
        to_resolve=26 * MINUTE,
        open=(
            OpenAlert(
                id=17, name="web", project="myapp", environment="prod", since=NOON - 40 * MINUTE
            ),
        ),
        open_count=1,
    ),
    rollouts=Rollouts(
        live=14,
        failed=1,
        withdrawn=2,
        failures=(FAILED,),
        marks=(make_ended("D-1042", "succeeded", 20), FAILED),
        unreviewed=(make_ended("D-1040", "succeeded", 30),),
        unreviewed_count=1,
    ),
    uptimes=(
        make_uptime("web", 10 * MINUTE),
        make_uptime("api", timedelta(0)),
        make_uptime("new", timedelta(0), timedelta(0)),
    ),
)
QUIET = Digest(
    span=SPAN,
    zone="UTC",
    errors=Errors(hours=(0,) * 24, hours_before=(0,) * 24),
    uptimes=(make_uptime("web", timedelta(0)),),
)
LATE = replace(QUIET, late=2 * HOUR, missed=3)
STORM = replace(
    BUSY,
    errors=replace(
        BUSY.errors,
        projects=tuple(
            ProjectErrors(project=f"p{n}" * 30, count=10**9, day_before=10**9, week_before=10**9)
            for n in range(200)
        ),
        new=tuple(make_line(n, title="<!channel> & *x* `y` " * 50) for n in range(1, 11)),
        new_count=50_000,
        worst=tuple(make_line(n, title="W" * 500, project="p" * 99) for n in range(11, 21)),
    ),
    alerts=replace(
        BUSY.alerts,
        open=tuple(
            OpenAlert(id=n, name="<@U99EVIL>" * 20, project="p" * 99, environment="e", since=NOON)
            for n in range(1, 21)
        ),
        open_count=400,
    ),
    rollouts=replace(BUSY.rollouts, failed=99, failures=(FAILED,) * 20),
    uptimes=tuple(make_uptime("<c>" * 30, MINUTE) for _ in range(1000)),
)


def store(digest: Digest, **changes: object) -> StoredDigest:
    """G-3, the scheduled one of its day."""
    plain = StoredDigest(
        id=3, key="2026-11-23", channel="C02OPS", due_at=NOON, made_at=NOON, digest=digest
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


def make_report(
    digest: Digest,
    alerts: Mapping[int, Alert] | None = None,
    groups: Mapping[int, ErrorGroup] | None = None,
) -> DigestReport:
    """As everything stands when nobody has done anything, but for what is given."""
    lines = (*digest.errors.new, *digest.errors.worst)
    fresh = {g.id: make_group(id=g.id, title=g.title, project=g.project) for g in lines}
    standing = {a.id: make_alert(id=a.id, name=a.name) for a in digest.alerts.open}
    return DigestReport(
        stored=store(digest),
        alerts=standing | dict(alerts or {}),
        groups=fresh | dict(groups or {}),
    )
