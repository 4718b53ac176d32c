"""The keys and values of checks and alerts that programs read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from handlers.monitoring_documents import alert_document, checks_document
from operations.monitoring.alert import AlertState
from operations.monitoring.alerting import CheckReport
from operations.monitoring.check import (
    Check,
    CheckKind,
    CheckRecord,
    CheckState,
    Observation,
    Outcome,
)
from tests.factories import BOB, NOON
from tests.unit.handlers.slack.views.alarms import BY_HAND, VENDORS, make_alert

CHECK = Check(
    id="myapp/prod:web",
    name="web",
    project="myapp",
    environment="prod",
    kind=CheckKind.HTTP,
    url="https://myapp.example.com/healthz",
)
SEEN = Observation(
    outcome=Outcome.FAILING,
    at=NOON,
    detail="answered 503, wanted 200",
    took=timedelta(milliseconds=45),
)


def test_an_alert() -> None:
    acknowledged = make_alert(
        state=AlertState.ACKNOWLEDGED,
        acknowledged_by=BOB,
        acknowledged_at=NOON + timedelta(minutes=2),
        rollout="D-1042",
    )
    assert alert_document(acknowledged) == {
        "id": "A-17",
        "check": "myapp/prod:web",
        "name": "web",
        "project": "myapp",
        "environment": "prod",
        "state": "acknowledged",
        "since": "2026-11-23T12:00:00Z",
        "seen": 3,
        "reason": "answered 503, wanted 200",
        "flapping": False,
        "cannot_be_asked": False,
        "rollout": "D-1042",
        "source": None,
        "told_in": None,
        "well_at": None,
        "escalated_at": None,
        "acknowledged_by": "U02BOB",
        "acknowledged_at": "2026-11-23T12:02:00Z",
        "silenced_until": None,
        "resolved_at": None,
        "resolved_by": None,
    }


def test_an_alert_that_is_over() -> None:
    document = alert_document(BY_HAND)
    assert (document["state"], document["resolved_by"]) == ("resolved", "U03CAROL")
    assert document["resolved_at"] == "2026-11-23T12:03:00Z"
    assert document["rollout"] is None


def test_an_alert_of_another_system_that_is_told_in_ours() -> None:
    document = alert_document(VENDORS)
    assert (document["source"], document["told_in"]) == ("alertmanager", "A-17")


def test_a_check_that_fails() -> None:
    record = CheckRecord(check_id=CHECK.id, state=CheckState.FAILING, bad=3, last=SEEN)
    alert = make_alert()
    document = checks_document([CheckReport(CHECK, record, alert)])
    assert document == {
        "checks": [
            {
                "id": "myapp/prod:web",
                "name": "web",
                "project": "myapp",
                "environment": "prod",
                "kind": "http",
                "url": "https://myapp.example.com/healthz",
                "every_seconds": 30.0,
                "state": "failing",
                "flapping": False,
                "stopped_by": None,
                "last": {
                    "outcome": "failing",
                    "at": "2026-11-23T12:00:00Z",
                    "detail": "answered 503, wanted 200",
                    "took_seconds": 0.045,
                },
                "alert": alert_document(alert),
            }
        ]
    }
    json.dumps(document)


def test_a_check_that_was_never_asked() -> None:
    target = replace(CHECK, kind=CheckKind.TARGET, url="")
    stopped = CheckRecord(check_id=CHECK.id, stopped_by="U02BOB")
    [document] = checks_document([CheckReport(target, stopped, None)])["checks"]
    assert (document["state"], document["stopped_by"]) == ("unknown", "U02BOB")
    assert (document["url"], document["last"], document["alert"]) == (None, None, None)


def test_a_secret_of_an_address_is_masked() -> None:
    secret = replace(CHECK, url="https://bob:hunter2@myapp.example.com/?token=abcdef")
    [document] = checks_document([CheckReport(secret, CheckRecord(check_id=CHECK.id), None)])[
        "checks"
    ]
    assert "hunter2" not in str(document)
    assert "abcdef" not in str(document)
