"""Components ask for rollouts and read about them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from handlers.http.access import Component
from handlers.http.rollouts import RolloutRequest, hash_of
from operations.deployment.rollout import HistoryQuery
from operations.errors import ProviderUnavailable
from tests.contract.test_storage_imports import old_rollout
from tests.factories import ALICE
from tests.scenario.counter import COMPONENTS, READER, Counter, digest, open_counter

ROLLOUTS = "/api/v1/rollouts"
WISH = {"project": "myapp", "environment": "staging", "version": "1.1", "reason": "ticket 7"}


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with open_counter(tmp_path) as opened:
        yield opened


async def count_rollouts(counter: Counter) -> int:
    page = await counter.engine.deployments.inquiries.history(HistoryQuery(limit=100))
    return len(page.rollouts)


async def test_a_component_asks_and_gets_the_rollout(counter: Counter) -> None:
    answer = await counter.call("POST", ROLLOUTS, json={**WISH, "external_id": "HMS-7"})

    assert (answer.status, answer.kind) == (202, "application/json")
    assert answer.body["id"] == "D-1001"
    assert answer.body["state"] == "queued"
    assert answer.body["requested_by"] == "component:hms-dev"
    assert answer.body["external_id"] == "HMS-7"


@pytest.mark.parametrize("words", ["2h", "moment", "clock"])
async def test_a_rollout_may_be_asked_for_at_a_time(counter: Counter, words: str) -> None:
    due = (counter.engine.clock.now() + timedelta(hours=2)).replace(second=0, microsecond=0)
    written = {"2h": "2h", "moment": due.isoformat(), "clock": f"{due:%H:%M}"}[words]
    answer = await counter.call("POST", ROLLOUTS, json={**WISH, "at": written})
    shown = await counter.call("GET", f"{ROLLOUTS}/D-1001")

    assert (answer.status, answer.body["state"]) == (202, "queued")
    starts = datetime.fromisoformat(str(answer.body["start_at"]))
    assert abs(starts - due) <= timedelta(minutes=1)
    assert shown.body["start_at"] == answer.body["start_at"]


@pytest.mark.parametrize(
    ("away", "said"), [(-timedelta(hours=1), "is over"), (timedelta(days=15), "is too far away")]
)
async def test_a_time_that_cannot_be_is_refused(
    counter: Counter, away: timedelta, said: str
) -> None:
    at = (counter.engine.clock.now() + away).isoformat(timespec="seconds")
    answer = await counter.call("POST", ROLLOUTS, json={**WISH, "at": at})

    assert (answer.status, await count_rollouts(counter)) == (422, 0)
    assert said in str(answer.body["detail"])
    assert "--at" not in str(answer.body)


async def test_the_same_key_with_another_time_is_a_conflict(counter: Counter) -> None:
    headers = {"Idempotency-Key": "7"}
    await counter.call("POST", ROLLOUTS, json=WISH, headers=headers)
    answer = await counter.call("POST", ROLLOUTS, json={**WISH, "at": "2h"}, headers=headers)

    assert answer.status == 409


def test_a_request_without_a_time_has_the_hash_it_had_before_times_came() -> None:
    former = '{"project":"myapp","environment":"staging","version":"1.1","reason":"x","external_id":null}'
    body = RolloutRequest(project="myapp", environment="staging", version="1.1", reason="x")

    assert hash_of(body) == hashlib.sha256(former.encode()).hexdigest()


async def test_names_are_understood_in_any_case(counter: Counter) -> None:
    answer = await counter.call("POST", ROLLOUTS, json={**WISH, "environment": "Staging"})

    assert (answer.status, answer.body["environment"]) == (202, "staging")


async def test_the_same_key_and_body_get_the_first_answer(counter: Counter) -> None:
    first = await counter.call("POST", ROLLOUTS, json=WISH, headers={"Idempotency-Key": "7"})
    await counter.engine.deployments.decisions.cancel(1001, ALICE)
    again = dict(reversed(WISH.items()))
    second = await counter.call("POST", ROLLOUTS, json=again, headers={"Idempotency-Key": "7"})

    assert second.status == 202
    assert second.body == first.body
    assert await count_rollouts(counter) == 1


async def test_the_same_key_with_another_body_is_a_conflict(counter: Counter) -> None:
    await counter.call("POST", ROLLOUTS, json=WISH, headers={"Idempotency-Key": "7"})
    other = {**WISH, "version": "1.0"}
    answer = await counter.call("POST", ROLLOUTS, json=other, headers={"Idempotency-Key": "7"})

    assert (answer.status, answer.kind) == (409, "application/problem+json")
    assert "D-1001" in str(answer.body["detail"])
    assert len(await counter.audited("component:hms-dev")) == 1
    assert await count_rollouts(counter) == 1


async def test_the_same_key_at_once_has_one_effect(counter: Counter) -> None:
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(
                counter.call("POST", ROLLOUTS, json=WISH, headers={"Idempotency-Key": "7"})
            )
            for _ in range(5)
        ]

    answers = [task.result() for task in tasks]
    assert [answer.status for answer in answers] == [202] * 5
    assert all(answer.body == answers[0].body for answer in answers)
    assert await count_rollouts(counter) == 1


async def test_a_refused_request_is_not_remembered_under_its_key(counter: Counter) -> None:
    await counter.engine.deployments.locking.lock("myapp", "staging", ALICE, reason="audit")
    refused = await counter.call("POST", ROLLOUTS, json=WISH, headers={"Idempotency-Key": "7"})
    await counter.engine.deployments.locking.unlock("myapp", "staging", ALICE)
    answer = await counter.call("POST", ROLLOUTS, json=WISH, headers={"Idempotency-Key": "7"})

    assert (refused.status, answer.status) == (409, 202)
    assert "locked by U01ALICE" in str(refused.body["detail"])
    assert refused.body["hint"]


@pytest.mark.parametrize("key", ["", "two words", "k" * 256])
async def test_a_key_that_is_no_word_is_a_fault(counter: Counter, key: str) -> None:
    answer = await counter.call("POST", ROLLOUTS, json=WISH, headers={"Idempotency-Key": key})

    assert answer.status == 422
    assert await count_rollouts(counter) == 0


async def test_deploying_elsewhere_is_refused_and_audited(counter: Counter) -> None:
    answer = await counter.call("POST", ROLLOUTS, json={**WISH, "environment": "prod"})

    assert answer.status == 403
    assert "deploy:prod" in str(answer.body["detail"])
    (event,) = await counter.audited("component:hms-dev")
    assert event.action == "request.refused"
    assert event.detail == {
        "what": "POST /api/v1/rollouts",
        "why": "hms-dev may not deploy myapp/prod 1.1: it lacks the right deploy:prod.",
    }
    assert await count_rollouts(counter) == 0


async def test_without_any_right_to_deploy_the_body_is_not_looked_at(counter: Counter) -> None:
    answer = await counter.call("POST", ROLLOUTS, token=READER, data="nonsense")

    assert answer.status == 403
    assert [event.action for event in await counter.audited("component:reader")] == [
        "request.refused"
    ]


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"version": "1.1; rm -rf /"}, "version"),
        ({"version": "$(id)"}, "version"),
        ({"version": ""}, "version"),
        ({"version": "v" * 256}, "version"),
        ({"version": 11}, "version"),
        ({"project": "no such\nproject"}, "project"),
        ({"reason": "r" * 501}, "reason"),
        ({"external_id": "a\x00b"}, "external_id"),
        ({"emergency": True}, "emergency"),
        ({"at": "tomorrow"}, "at"),
        ({"at": "2026-11-25T18:30:00"}, "at"),
        ({"at": "25:00"}, "at"),
        ({"at": 1700000000}, "at"),
    ],
)
async def test_each_fault_of_a_body_is_named(
    counter: Counter, change: dict[str, object], at: str
) -> None:
    answer = await counter.call("POST", ROLLOUTS, json={**WISH, **change})

    assert (answer.status, answer.kind) == (422, "application/problem+json")
    faults = answer.body["errors"]
    assert isinstance(faults, list)
    assert [fault["at"] for fault in faults] == [at]
    assert await count_rollouts(counter) == 0
    (event,) = await counter.audited("component:hms-dev")
    assert at in event.detail["why"]


async def test_a_key_that_is_there_twice_is_refused(counter: Counter) -> None:
    """Whoever looked at the body before us may have seen the other environment."""
    twice = '{"environment":"prod",' + json.dumps(WISH)[1:]
    answer = await counter.call(
        "POST", ROLLOUTS, data=twice, headers={"Content-Type": "application/json"}
    )

    assert (answer.status, await count_rollouts(counter)) == (422, 0)
    assert answer.body["errors"] == [{"at": "environment", "message": "is here twice"}]
    assert len(await counter.audited("component:hms-dev")) == 1


async def test_refusals_beyond_a_measure_are_not_written_down(counter: Counter) -> None:
    for _ in range(65):
        await counter.call("POST", ROLLOUTS, json={})

    assert len(await counter.audited("component:hms-dev")) == 60


async def test_a_key_is_forgotten_after_a_week(counter: Counter) -> None:
    headers = {"Idempotency-Key": "7"}
    await counter.call("POST", ROLLOUTS, json=WISH, headers=headers)
    counter.engine.clock.ahead += timedelta(days=6)
    await counter.keyed.forget_old()
    again = await counter.call("POST", ROLLOUTS, json=WISH, headers=headers)
    counter.engine.clock.ahead += timedelta(days=2)
    await counter.keyed.forget_old()
    anew = await counter.call("POST", ROLLOUTS, json=WISH, headers=headers)

    assert (again.body["id"], anew.body["id"]) == ("D-1001", "D-1002")


async def test_all_faults_are_told_at_once(counter: Counter) -> None:
    answer = await counter.call("POST", ROLLOUTS, json={"version": ";"})

    faults = answer.body["errors"]
    assert isinstance(faults, list)
    assert {fault["at"] for fault in faults} == {"project", "environment", "version", "reason"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"project": "mypap"}, "There is no project “mypap”."),
        ({"environment": "live"}, "myapp has no environment “live”."),
        ({"version": "9.9"}, "There is no version 9.9."),
        ({"version": "a..b"}, "“a..b” is not a version."),
    ],
)
async def test_what_is_not_there_is_said(
    counter: Counter, change: dict[str, str], words: str
) -> None:
    answer = await counter.call("POST", ROLLOUTS, json={**WISH, **change})

    assert (answer.status, answer.body["detail"]) == (422, words)
    assert [event.detail["why"] for event in await counter.audited("component:hms-dev")] == [words]


async def test_a_platform_that_is_away_is_503_with_a_time_to_wait(counter: Counter) -> None:
    trouble = ProviderUnavailable("The cluster does not answer.", retry_after=12.5)
    counter.engine.provider.resolve_troubles.append(trouble)
    answer = await counter.call("POST", ROLLOUTS, json=WISH)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "13")


async def test_history_comes_in_pages(counter: Counter) -> None:
    for _ in range(3):
        await counter.engine.ask()
    first = await counter.call("GET", f"{ROLLOUTS}?limit=2")
    second = await counter.call("GET", f"{ROLLOUTS}?limit=2&cursor={first.body['next']}")

    assert [ids(first.body), ids(second.body)] == [["D-1003", "D-1002"], ["D-1001"]]
    assert second.body["next"] is None


def ids(body: dict[str, object]) -> list[str]:
    rollouts = body["rollouts"]
    assert isinstance(rollouts, list)
    return [rollout["id"] for rollout in rollouts]


async def test_history_is_filtered(counter: Counter) -> None:
    await counter.engine.ask()
    await counter.call("POST", ROLLOUTS, json=WISH)
    mine = await counter.call("GET", f"{ROLLOUTS}?by=component:hms-dev&since=1h&project=myapp")
    prod = await counter.call("GET", f"{ROLLOUTS}?environment=prod")

    assert (ids(mine.body), ids(prod.body)) == (["D-1002"], [])


async def test_a_ticket_is_found_again_by_its_name(counter: Counter) -> None:
    await counter.call("POST", ROLLOUTS, json={**WISH, "external_id": "HMS-7"})
    await counter.call("POST", ROLLOUTS, json={**WISH, "external_id": "HMS-70"})
    found = await counter.call("GET", f"{ROLLOUTS}?external_id=HMS-7")
    none = await counter.call("GET", f"{ROLLOUTS}?external_id=hms-7")

    assert (ids(found.body), ids(none.body)) == (["D-1001"], [])


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "limit=201", "since=yesterday", "since=2026-01-01", "colour=red",
     "external_id=", "external_id=%00", "cursor=-1e3",
     "limit=1&limit=2", "project=%00", "cursor=99999999999999999999"],
)  # fmt: skip
async def test_a_query_that_makes_no_sense_is_refused(counter: Counter, query: str) -> None:
    answer = await counter.call("GET", f"{ROLLOUTS}?{query}")

    assert (answer.status, answer.kind) == (422, "application/problem+json")
    faults = answer.body["errors"]
    assert isinstance(faults, list)
    assert [fault["at"] for fault in faults] == [query.partition("=")[0]]


async def test_one_rollout_comes_with_its_timeline(counter: Counter) -> None:
    await counter.engine.ask()
    answer = await counter.call("GET", f"{ROLLOUTS}/D-1001")

    timeline = answer.body["timeline"]
    assert isinstance(timeline, list)
    assert [event["action"] for event in timeline] == ["rollout.requested"]


@pytest.mark.parametrize("name", ["D-9999", "nothing", "D-99999999999999", "%00", "٣"])
async def test_a_rollout_that_is_not_there_is_not_found(counter: Counter, name: str) -> None:
    answer = await counter.call("GET", f"{ROLLOUTS}/{name}")

    assert (answer.status, answer.kind) == (404, "application/problem+json")


async def test_targets_are_the_fleet(counter: Counter) -> None:
    answer = await counter.call("GET", "/api/v1/targets?project=myapp&environment=prod")

    targets = answer.body["targets"]
    assert isinstance(targets, list)
    assert [(t["environment"], t["state"], t["healthy"]) for t in targets] == [
        ("prod", "healthy", 2)
    ]


CI = "made-up-token-of-hms-ci"
NARROW = (
    *COMPONENTS,
    Component(
        name="hms-ci", token_sha256=digest(CI), rights=frozenset({"deploy:staging", "events"})
    ),
)


async def test_whoever_asked_may_follow_it_without_the_right_to_read(tmp_path: Path) -> None:
    async with open_counter(tmp_path, components=NARROW) as counter:
        await counter.call("POST", ROLLOUTS, json=WISH, token=CI)
        answer = await counter.call("GET", f"{ROLLOUTS}/D-1001", token=CI)

    assert (answer.status, answer.body["requested_by"]) == (200, "component:hms-ci")


@pytest.mark.parametrize("path", ["/D-1001", "/D-9999", "/nothing", ""])
async def test_without_the_right_to_read_nothing_else_is_told(tmp_path: Path, path: str) -> None:
    async with open_counter(tmp_path, components=NARROW) as counter:
        await counter.call("POST", ROLLOUTS, json=WISH)
        answer = await counter.call("GET", f"{ROLLOUTS}{path}", token=CI)

    assert (answer.status, answer.kind) == (403, "application/problem+json")


async def test_what_a_person_tries_again_is_still_about_the_ticket(counter: Counter) -> None:
    await counter.call("POST", ROLLOUTS, json={**WISH, "external_id": "HMS-7"})
    await counter.engine.deployments.decisions.cancel(1001, ALICE)
    again = await counter.engine.deployments.requests.repeat(1001, ALICE)

    assert (again.rollout.external_id, again.rollout.requested_by) == ("HMS-7", ALICE)


async def test_imported_rollouts_are_marked_and_stand_on_the_last_pages(counter: Counter) -> None:
    await counter.call("POST", ROLLOUTS, json=WISH)
    await counter.engine.database.imports.add([old_rollout(n) for n in range(3)])

    first = await counter.call("GET", f"{ROLLOUTS}?limit=2")
    second = await counter.call("GET", f"{ROLLOUTS}?limit=2&cursor={first.body['next']}")
    shown = await counter.call("GET", f"{ROLLOUTS}/H-1")

    assert [ids(first.body), ids(second.body)] == [["D-1001", "H-3"], ["H-2", "H-1"]]
    assert second.body["next"] is None
    assert (shown.body["id"], shown.body["kind"]) == ("H-1", "import")
