"""The keys and values of error groups that programs read."""

from __future__ import annotations

import json
from datetime import timedelta

from handlers.error_documents import error_document, errors_document
from operations.monitoring.errors.event import Level
from operations.monitoring.errors.group import GroupState
from tests.error_groups import HOURS, STACK, make_detail, make_report
from tests.factories import BOB, NOON


def test_a_group() -> None:
    document = errors_document([make_report(rollout="D-1042")])
    assert document == {
        "groups": [
            {
                "id": "E-12",
                "project": "myapp",
                "environment": "prod",
                "title": "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'",
                "level": "error",
                "state": "open",
                "count": 812,
                "imported": 0,
                "hours": list(HOURS),
                "first_seen": "2026-11-23T09:00:00Z",
                "last_seen": "2026-11-23T11:58:00Z",
                "first_release": "1.4.2",
                "release": "1.4.2",
                "rollout": "D-1042",
                "silenced_until": None,
                "resolved_at": None,
                "resolved_by": None,
                "formerly_resolved_at": None,
                "formerly_resolved_by": None,
            }
        ]
    }
    json.dumps(document)


def test_how_many_were_imported_is_told() -> None:
    [group] = errors_document([make_report(imported=12)])["groups"]
    assert (group["count"], group["imported"]) == (812, 12)


def test_no_groups() -> None:
    assert errors_document([]) == {"groups": []}


def test_what_nobody_knows_is_null() -> None:
    [group] = errors_document([make_report(first_release="", last_release="")])["groups"]
    assert (group["first_release"], group["release"], group["rollout"]) == (None, None, None)


def test_the_release_is_the_one_of_the_last_event() -> None:
    [group] = errors_document([make_report(last_release="1.5")])["groups"]
    assert (group["first_release"], group["release"]) == ("1.4.2", "1.5")


def test_one_that_came_back_is_not_resolved_but_was() -> None:
    [group] = errors_document([make_report(resolved_by=BOB, resolved_at=NOON)])["groups"]
    assert (group["state"], group["resolved_at"], group["resolved_by"]) == ("open", None, None)
    assert group["formerly_resolved_at"] == "2026-11-23T12:00:00Z"
    assert group["formerly_resolved_by"] == BOB.id


def test_one_that_was_silenced_and_one_that_was_resolved() -> None:
    silenced = make_report(silenced_by=BOB, silenced_until=NOON + timedelta(hours=1))
    resolved = make_report(
        state=GroupState.RESOLVED, resolved_by=BOB, resolved_at=NOON, level=Level.CRITICAL
    )
    first, second = errors_document([silenced, resolved])["groups"]
    assert first["silenced_until"] == "2026-11-23T13:00:00Z"
    assert (second["state"], second["level"]) == ("resolved", "critical")
    assert (second["resolved_by"], second["resolved_at"]) == ("U02BOB", "2026-11-23T12:00:00Z")


def test_one_group_in_full_has_the_same_keys_and_more() -> None:
    document = error_document(make_detail())
    [group] = document["groups"]
    assert set(errors_document([make_report()])["groups"][0]) < set(group)
    assert group["samples"] == [
        {
            "at": "2026-11-23T11:58:00Z",
            "message": "unsupported operand type(s) for +: 'int' and 'NoneType'",
            "release": "1.4.2",
            "source": "pods",
            "fields": {"stack": STACK, "type": "TypeError", "order": "4711"},
        }
    ]
    assert group["changes"] == [
        {"at": "2026-11-23T08:56:00Z", "subject": "D-1042", "text": "D-1042 shipped 1.4.2"}
    ]
    json.dumps(document)
