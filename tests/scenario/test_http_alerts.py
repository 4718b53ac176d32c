"""Components read about alerts: pages, filters, one with its timeline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from handlers.http.access import Component
from handlers.monitoring_documents import alert_document
from operations.monitoring.alert import Alert, AlertState
from operations.monitoring.journal import record
from tests.contract.test_storage_alerts import make_draft
from tests.factories import ALICE, NOON
from tests.scenario.counter import DEV, Counter, digest, open_counter

ALERTS = "/api/v1/alerts"
PROBLEM = "application/problem+json"


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with open_counter(tmp_path) as opened:
        yield opened


async def fire(counter: Counter, check_id: str = "myapp/prod:web", **changes: object) -> Alert:
    """An alert of this check, as it is by now."""
    async with counter.engine.database.store.transaction() as tx:
        added = await tx.alerts.add(make_draft(check_id=check_id))
        await record(tx, added, "alert.fired", ALICE, NOON, reason=added.reason)
        return await tx.alerts.save(replace(added, **changes))  # type: ignore[arg-type]  # checked by the dataclass


def ids(body: dict[str, object]) -> list[str]:
    alerts = body["alerts"]
    assert isinstance(alerts, list)
    return [alert["id"] for alert in alerts]


async def test_alerts_come_in_pages_newest_first(counter: Counter) -> None:
    for number in range(3):
        await fire(counter, f"check {number}")
    first = await counter.call("GET", f"{ALERTS}?limit=2")
    second = await counter.call("GET", f"{ALERTS}?limit=2&cursor={first.body['next']}")

    assert [ids(first.body), ids(second.body)] == [["A-3", "A-2"], ["A-1"]]
    assert second.body["next"] is None


async def test_an_alert_is_the_document_that_webhooks_carry(counter: Counter) -> None:
    alert = await fire(counter)
    answer = await counter.call("GET", ALERTS)

    assert answer.body["alerts"] == [alert_document(alert)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=open", ["A-3", "A-1"]),
        ("state=firing", ["A-1"]),
        ("state=acknowledged", ["A-3"]),
        ("state=resolved", ["A-2"]),
        ("project=MyApp&environment=Prod", ["A-2", "A-1"]),
        ("environment=staging&state=open", ["A-3"]),
    ],
)
async def test_alerts_are_filtered(counter: Counter, query: str, found: list[str]) -> None:
    await fire(counter)
    await fire(counter, "other", state=AlertState.RESOLVED)
    await fire(counter, "third", state=AlertState.ACKNOWLEDGED, environment="staging")
    answer = await counter.call("GET", f"{ALERTS}?{query}")

    assert (answer.status, ids(answer.body)) == (200, found)


async def test_alerts_of_a_project_that_is_configured_no_more_are_still_found(
    counter: Counter,
) -> None:
    await fire(counter, project="former")
    answer = await counter.call("GET", f"{ALERTS}?project=former")

    assert ids(answer.body) == ["A-1"]


async def test_one_alert_comes_with_its_timeline(counter: Counter) -> None:
    alert = await fire(counter)
    answer = await counter.call("GET", f"{ALERTS}/A-1")

    timeline = answer.body.pop("timeline")
    assert answer.body == dict(alert_document(alert))
    assert isinstance(timeline, list)
    assert [event["action"] for event in timeline] == ["alert.fired"]


@pytest.mark.parametrize("name", ["A-9999", "nothing", "A-99999999999999", "%00", "٣", "D-1"])
async def test_an_alert_that_is_not_there_is_not_found(counter: Counter, name: str) -> None:
    answer = await counter.call("GET", f"{ALERTS}/{name}")

    assert (answer.status, answer.kind) == (404, PROBLEM)


@pytest.mark.parametrize(
    "query", ["state=well", "limit=0", "cursor=-1", "cursor=A-17", "cursor=1e3", "since=1h"]
)
async def test_a_query_that_makes_no_sense_is_refused(counter: Counter, query: str) -> None:
    answer = await counter.call("GET", f"{ALERTS}?{query}")

    assert (answer.status, answer.kind) == (422, PROBLEM)
    faults = answer.body["errors"]
    assert isinstance(faults, list)
    assert [fault["at"] for fault in faults] == [query.partition("=")[0]]


@pytest.mark.parametrize("path", ["", "/A-1", "/A-9999"])
async def test_without_the_right_to_read_nothing_is_told(tmp_path: Path, path: str) -> None:
    narrow = Component(name="app", token_sha256=digest(DEV), rights=frozenset({"events"}))
    async with open_counter(tmp_path, components=[narrow]) as counter:
        await fire(counter)
        answer = await counter.call("GET", f"{ALERTS}{path}")

    assert (answer.status, answer.kind) == (403, PROBLEM)
