"""Applications hand in what they have to say: all of it is taken, or nothing, and it is said why."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from handlers.http.access import Component
from operations.errors import Overloaded, Refused, StorageUnavailable
from operations.monitoring.errors.event import Level
from tests.scenario.counter import COMPONENTS, READER, Answer, Counter, digest, open_counter

EVENTS = "/api/v1/events"
EVENT: dict[str, object] = {
    "project": "myapp",
    "environment": "prod",
    "level": "error",
    "message": "no answer from the database",
}
JSON = {"Content-Type": "application/json"}
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with open_counter(tmp_path) as opened:
        yield opened


def faults_of(answer: Answer) -> list[dict[str, object]]:
    faults = answer.body["errors"]
    assert isinstance(faults, list)
    return faults


async def test_one_object_is_taken(counter: Counter) -> None:
    answer = await counter.call("POST", EVENTS, json=EVENT)

    assert (answer.status, answer.body) == (202, {"accepted": 1})
    (event,) = counter.inbox.events
    assert (event.target_name, event.level, event.source) == (
        "myapp/prod",
        Level.ERROR,
        "api:hms-dev",
    )


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps([EVENT, EVENT]), JSON),
        (f"{json.dumps(EVENT)}\n{json.dumps(EVENT)}\n", NDJSON),
        (f"{json.dumps(EVENT)}\r\n\r\n{json.dumps(EVENT)}", NDJSON),
        (f"{json.dumps(EVENT)}\n{json.dumps(EVENT)}\n", JSON),
        (f"\ufeff{json.dumps([EVENT, EVENT])}", JSON),
    ],
    ids=["array", "lines", "blank lines", "lines by their looks", "byte order mark"],
)
async def test_many_are_taken(counter: Counter, body: str, headers: dict[str, str]) -> None:
    answer = await counter.call("POST", EVENTS, data=body.encode(), headers=headers)

    assert (answer.status, answer.body) == (202, {"accepted": 2})
    assert len(counter.inbox.events) == 2


async def test_an_object_over_several_lines_is_one(counter: Counter) -> None:
    body = json.dumps(EVENT, indent=2)
    answer = await counter.call("POST", EVENTS, data=body, headers=JSON)

    assert answer.body == {"accepted": 1}


async def test_a_large_batch_is_taken(counter: Counter) -> None:
    body = "\n".join([json.dumps(EVENT)] * 5000)
    answer = await counter.call("POST", EVENTS, data=body, headers=NDJSON)

    assert (answer.status, answer.body) == (202, {"accepted": 5000})


@pytest.mark.parametrize(
    ("word", "level"),
    [
        ("warn", Level.WARNING),
        ("ERR", Level.ERROR),
        ("fatal", Level.CRITICAL),
        ("Info", Level.INFO),
    ],
)
async def test_levels_have_other_names(counter: Counter, word: str, level: Level) -> None:
    await counter.call("POST", EVENTS, json={**EVENT, "level": word})

    assert counter.inbox.events[0].level is level


async def test_times_are_texts_or_seconds(counter: Counter) -> None:
    now = counter.engine.clock.now().replace(microsecond=0) - timedelta(hours=1)
    for time in (now.isoformat(), now.timestamp()):
        await counter.call("POST", EVENTS, json={**EVENT, "time": time})

    assert [event.at for event in counter.inbox.events] == [now, now]


@pytest.mark.parametrize("time", ["2026-01-01T00:00:00", "soon", True, 1e300])
async def test_what_is_no_time_is_a_fault(counter: Counter, time: object) -> None:
    answer = await counter.call("POST", EVENTS, json={**EVENT, "time": time})

    assert (answer.status, faults_of(answer)[0]["at"]) == (422, "time")


async def test_fields_become_text(counter: Counter) -> None:
    fields = {"user": 7, "ok": True, "none": None, "deep": {"a": [1, 2.5]}, "release": "1.4.2"}
    await counter.call("POST", EVENTS, json={**EVENT, "fields": fields})

    assert counter.inbox.events[0].fields == {
        "user": "7",
        "ok": "true",
        "deep": '{"a":[1,2.5]}',
        "release": "1.4.2",
    }


async def test_an_unlikely_time_is_handed_on(counter: Counter) -> None:
    answer = await counter.call("POST", EVENTS, json={**EVENT, "time": "0001-01-01T00:00:00+23:59"})

    assert answer.status == 202
    assert counter.inbox.events[0].at.year == 1


async def test_a_line_of_nearly_a_megabyte_is_handed_on(counter: Counter) -> None:
    answer = await counter.call("POST", EVENTS, json={**EVENT, "message": "x" * 1_000_000})

    assert answer.status == 202


async def test_each_fault_carries_the_number_of_its_event(counter: Counter) -> None:
    body = [EVENT, {**EVENT, "level": "loud"}, {**EVENT, "project": "mypap"}]
    answer = await counter.call("POST", EVENTS, json=body)

    assert answer.status == 422
    assert [(f["index"], f["at"]) for f in faults_of(answer)] == [(1, "level"), (2, "project")]
    assert "Did you mean “myapp”?" in str(faults_of(answer)[1]["message"])
    assert counter.inbox.events == []


async def test_a_line_that_is_no_json_is_named(counter: Counter) -> None:
    body = f"{json.dumps(EVENT)}\n{{broken\n[]\n"
    answer = await counter.call("POST", EVENTS, data=body, headers=NDJSON)

    assert answer.status == 422
    assert [fault["index"] for fault in faults_of(answer)] == [1, 2]
    assert counter.inbox.events == []


@pytest.mark.parametrize("body", ["", " ", "null", "7", '"text"', "{", "[", "[7]", "{}", '{"a":1}'])
async def test_what_holds_no_event_is_refused(counter: Counter, body: str) -> None:
    answer = await counter.call("POST", EVENTS, data=body, headers=JSON)

    assert (answer.status, answer.kind) == (422, "application/problem+json")
    assert faults_of(answer)


@pytest.mark.parametrize(
    "body",
    [
        "[" * 500_000,
        '{"a":' * 100_000,
        "[" + "0," * 400_000 + "0]",
        json.dumps({f"k{i}": 0 for i in range(50_000)}),
        "1" * 1_000_000,
        json.dumps({**EVENT, "fields": {f"k{i}": 0 for i in range(20_000)}}),
        "7\n" * 400_000,
    ],
    ids=["brackets", "nested", "numbers", "keys", "digits", "fields", "lines"],
)
async def test_bombs_are_refused_with_few_words(counter: Counter, body: str) -> None:
    answer = await counter.call("POST", EVENTS, data=body, headers=JSON)

    assert answer.status == 422
    assert len(json.dumps(answer.body)) < 10_000


async def test_bytes_that_are_no_text_are_400(counter: Counter) -> None:
    body = json.dumps(EVENT).encode().replace(b"database", b"data\xffbase")
    answer = await counter.call("POST", EVENTS, data=body, headers=JSON)

    assert (answer.status, answer.kind) == (400, "application/problem+json")


async def test_what_is_compressed_is_refused_unread(counter: Counter) -> None:
    body = gzip.compress(json.dumps(EVENT).encode())
    answer = await counter.call(
        "POST", EVENTS, data=body, headers={**JSON, "Content-Encoding": "gzip"}
    )

    assert (answer.status, answer.kind) == (415, "application/problem+json")
    assert counter.inbox.events == []


async def test_another_kind_of_body_is_refused(counter: Counter) -> None:
    answer = await counter.call("POST", EVENTS, data="a=b", headers={"Content-Type": "text/plain"})

    assert answer.status == 415
    assert "application/json" in str(answer.body["hint"])


async def test_more_than_a_mebibyte_is_413(counter: Counter) -> None:
    answer = await counter.call("POST", EVENTS, data=b" " * (1024 * 1024 + 1), headers=JSON)

    assert (answer.status, answer.kind) == (413, "application/problem+json")
    (event,) = await counter.audited("component:hms-dev")
    assert event.detail == {"what": "POST /api/v1/events", "why": "the body is too large"}


async def test_a_mebibyte_is_not_too_much(counter: Counter) -> None:
    body = json.dumps(EVENT).encode().ljust(1024 * 1024)
    answer = await counter.call("POST", EVENTS, data=body, headers=JSON)

    assert answer.status == 202


async def test_too_much_at_once_is_429(counter: Counter) -> None:
    counter.inbox.trouble = Overloaded("Too much is waiting.", retry_after=2.5)
    answer = await counter.call("POST", EVENTS, json=EVENT)

    assert (answer.status, answer.headers["Retry-After"]) == (429, "3")


OTHER = "made-up-token-of-another"
ANOTHER = Component(name="another", token_sha256=digest(OTHER), rights=frozenset({"events"}))


async def test_more_bodies_at_once_than_can_be_held_are_429_and_leave_room_for_others(
    tmp_path: Path,
) -> None:
    rest = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"["
        await rest.wait()
        yield json.dumps(EVENT).encode() + b"]"

    async with open_counter(tmp_path, components=[*COMPONENTS, ANOTHER]) as counter:
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            calls = [
                group.create_task(counter.call("POST", EVENTS, data=slow(), headers=JSON))
                for _ in range(2)
            ]
            while (refused := await counter.call("POST", EVENTS, json=EVENT)).status != 429:
                assert refused.status == 202
            others = await counter.call("POST", EVENTS, token=OTHER, json=EVENT)
            rest.set()

        assert (refused.headers["Retry-After"], others.status) == ("1", 202)
        assert [call.result().status for call in calls] == [202] * 2
        assert (await counter.call("POST", EVENTS, json=EVENT)).status == 202


async def test_a_database_that_is_away_is_503(counter: Counter) -> None:
    counter.inbox.trouble = StorageUnavailable("The database is too busy.")
    answer = await counter.call("POST", EVENTS, json=EVENT)

    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


async def test_without_the_right_nothing_is_taken(counter: Counter) -> None:
    answer = await counter.call("POST", EVENTS, token=READER, json=EVENT)

    assert answer.status == 403
    assert counter.inbox.events == []
    assert len(await counter.audited("component:reader")) == 1


async def test_a_batch_that_comes_again_under_its_key_is_answered_and_counts_once(
    counter: Counter,
) -> None:
    headers = {**NDJSON, "Idempotency-Key": "batch-7"}
    body = "\n".join([json.dumps(EVENT)] * 1000)

    first = await counter.call("POST", EVENTS, data=body, headers=headers)
    again = await counter.call("POST", EVENTS, data=body, headers=headers)
    other = await counter.call("POST", EVENTS, data=f"{body}\n{json.dumps(EVENT)}", headers=headers)

    assert (first.status, first.body) == (again.status, again.body) == (202, {"accepted": 1000})
    assert len(counter.inbox.events) == 2001
    assert counter.inbox.keys[0] == counter.inbox.keys[1] != counter.inbox.keys[2]
    assert counter.inbox.keys[0].sender == "api:hms-dev"
    assert other.status == 202


async def test_a_key_that_came_with_other_events_is_a_conflict(counter: Counter) -> None:
    counter.inbox.trouble = Refused("This Idempotency-Key came with other events before.")

    answer = await counter.call(
        "POST", EVENTS, json=EVENT, headers={**JSON, "Idempotency-Key": "batch-7"}
    )

    assert answer.status == 409


async def test_a_key_that_is_no_word_is_a_fault(counter: Counter) -> None:
    answer = await counter.call(
        "POST", EVENTS, json=EVENT, headers={**JSON, "Idempotency-Key": "two words"}
    )

    assert answer.status == 422
    assert counter.inbox.events == []
