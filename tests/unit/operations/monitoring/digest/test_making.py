"""A digest's numbers from what the database tells, and the document that keeps them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from operations.errors import StorageError
from operations.monitoring.digest.digest import (
    Alerts,
    Digest,
    EndedRollout,
    Errors,
    GroupLine,
    OpenAlert,
    Rollouts,
    Uptime,
)
from operations.monitoring.digest.document import read_document, write_document
from operations.monitoring.digest.making import (
    ALERTS,
    FAILURES,
    Counted,
    Watched,
    alerts_of,
    errors_of,
    rollouts_of,
    uptimes_of,
)
from operations.monitoring.digest.ports import AlertTimes, HourCount
from operations.monitoring.digest.span import Span
from tests.unit.handlers.slack.views.alarms import make_alert
from tests.unit.operations.monitoring.digest.test_uptime import (
    DAY,
    END,
    FAILING,
    HOUR,
    WEB,
    flip,
    record,
)
from tests.unit.operations.monitoring.digest.test_uptime import OK as WELL

BEFORE = Span(DAY.since - 24 * HOUR, DAY.until - 24 * HOUR)
MINUTE = timedelta(minutes=1)


def counts(span: Span, *found: tuple[str, int, int]) -> list[HourCount]:
    return [HourCount(project=p, hour=span.since + h * HOUR, count=n) for p, h, n in found]


def group(number: int, count: int = 1) -> GroupLine:
    return GroupLine(id=number, project="myapp", environment="prod", title="boom", count=count)


def ended(state: str, number: int = 1042) -> EndedRollout:
    return EndedRollout(
        name=f"D-{number}",
        project="myapp",
        environment="prod",
        version="1.1",
        state=state,
        ended_at=END,
    )


def test_errors_are_counted_by_project_the_loudest_first_and_by_hour() -> None:
    counted = Counted(
        span=counts(DAY, ("site", 0, 2), ("myapp", 1, 5), ("myapp", 23, 4)),
        day_before=counts(BEFORE, ("site", 3, 7)),
        week_before=counts(DAY, ("old", 3, 1)),
    )

    errors = errors_of(counted, DAY, BEFORE, ([], 0), [])

    assert [(p.project, p.count, p.day_before, p.week_before) for p in errors.projects] == [
        ("myapp", 9, 0, 0),
        ("site", 2, 7, 0),
        ("old", 0, 0, 1),
    ]
    assert (errors.hours[0], errors.hours[1], errors.hours[23]) == (2, 5, 4)
    assert sum(errors.hours) == errors.count == 11
    assert errors.hours_before[3] == errors.day_before == 7


def test_a_new_group_is_not_told_twice() -> None:
    errors = errors_of(
        Counted(span=[], day_before=[], week_before=[]),
        DAY,
        BEFORE,
        ([group(2)], 7),
        [group(1), group(2)],
    )

    assert [g.id for g in errors.new] == [2]
    assert [g.id for g in errors.worst] == [1]
    assert errors.new_count == 7


def test_alerts_are_counted_by_what_happened_to_them_in_the_span() -> None:
    old, now = DAY.since - HOUR, DAY.since + HOUR
    found = [
        AlertTimes(fired_at=old, acknowledged_at=now, resolved_at=END + HOUR),
        AlertTimes(fired_at=now, acknowledged_at=now + 2 * MINUTE),
        AlertTimes(fired_at=now, resolved_at=now + 30 * MINUTE),
    ]

    alerts = alerts_of(found, [make_alert()], DAY)

    assert (alerts.fired, alerts.acknowledged, alerts.resolved) == (2, 2, 1)
    assert alerts.to_acknowledge == (2 * HOUR + 2 * MINUTE) / 2
    assert alerts.to_resolve == 30 * MINUTE
    assert [alert.label for alert in alerts.open] == ["A-17"]


def test_an_alert_that_is_told_in_anothers_message_is_no_second_one() -> None:
    alerts = alerts_of([], [make_alert(), make_alert(id=18, led_by=17)], DAY)

    assert alerts.open_count == 1


def test_a_median_of_nothing_is_none() -> None:
    alerts = alerts_of([], [], DAY)

    assert (alerts.to_acknowledge, alerts.to_resolve) == (None, None)


def test_of_very_many_open_alerts_some_are_named_and_all_counted() -> None:
    alerts = alerts_of([], [make_alert(id=number) for number in range(1, 51)], DAY)

    assert (len(alerts.open), alerts.open_count) == (ALERTS, 50)


def test_rollouts_are_live_failed_or_never_carried_out() -> None:
    states = ["succeeded", "succeeded", "failed", "rolled_back", "unknown", "cancelled", "expired"]

    rollouts = rollouts_of([ended(state) for state in states])

    assert (rollouts.live, rollouts.failed, rollouts.withdrawn) == (2, 3, 2)
    assert [r.state for r in rollouts.failures] == ["failed", "rolled_back", "unknown"]
    assert len(rollouts.marks) == 5


def test_of_very_many_failures_the_newest_are_named() -> None:
    rollouts = rollouts_of([ended("failed", number) for number in range(1, 100)])

    assert rollouts.failed == 99
    assert len(rollouts.failures) == FAILURES
    assert rollouts.failures[-1].name == "D-99"


def test_the_worst_check_comes_first_and_one_that_nobody_knows_last() -> None:
    checks = [replace(WEB, id=name, name=name) for name in ("unheard", "well", "sick")]
    flips = [replace(flip(23, WELL, FAILING), check_id="sick")]
    records = [replace(record(WELL), check_id=name) for name in ("well", "sick")]

    found = uptimes_of(Watched(checks=checks, records=records, flips=flips, changes=[]), DAY)

    assert [line.name for line in found] == ["sick", "well", "unheard"]


FULL = Digest(
    span=DAY,
    zone="Europe/London",
    errors=Errors(
        hours=(1,) * 24, hours_before=(0,) * 24, new=(group(1),), new_count=1, worst=(group(2),)
    ),
    alerts=Alerts(
        fired=1,
        to_resolve=HOUR / 7,
        open=(OpenAlert(id=17, name="web", project="myapp", environment="prod", since=END),),
        open_count=1,
    ),
    rollouts=Rollouts(failed=1, failures=(ended("failed"),), marks=(ended("failed"),)),
    uptimes=(
        Uptime(check_id="c", name="c", project="p", environment="e", up=23 * HOUR, down=HOUR),
    ),
    late=2 * HOUR,
    missed=3,
)


def test_a_document_reads_back_as_it_was_written() -> None:
    assert read_document(write_document(FULL)) == FULL


def test_a_document_of_a_newer_version_is_read_as_far_as_it_is_known() -> None:
    document = json.loads(write_document(FULL))
    document["version"] = 2
    document["digest"]["weather"] = {"rain": True}
    document["digest"]["errors"]["worst"][0]["mood"] = "bad"

    assert read_document(json.dumps(document)) == FULL


def test_a_document_of_an_older_version_gets_the_defaults() -> None:
    document = json.loads(write_document(FULL))
    for name in ("missed", "is_of_outage", "late", "uptimes"):
        del document["digest"][name]

    assert read_document(json.dumps(document)).missed == 0


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"digest": {}}', '{"digest": {"span": 7, "zone": 1}}']
)
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(StorageError):
        read_document(text)
