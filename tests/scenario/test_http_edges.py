"""Whoever calls: known or not, too often, with the wrong words, or on a bad day of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from handlers.http.access import Component
from tests.scenario.counter import COMPONENTS, DEV, READER, Counter, open_counter

TARGETS = "/api/v1/targets"
PROBLEM = "application/problem+json"


@pytest.fixture
async def counter(tmp_path: Path) -> AsyncIterator[Counter]:
    async with open_counter(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {DEV}", f"Bearer {DEV} x", DEV, "Bearer ü"],
)
async def test_without_a_known_token_it_is_401(counter: Counter, authorization: str) -> None:
    headers = {"Authorization": authorization}
    answer = await counter.call("GET", TARGETS, token=None, headers=headers)

    assert (answer.status, answer.kind) == (401, PROBLEM)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_the_scheme_is_understood_in_any_case(counter: Counter) -> None:
    headers = {"Authorization": f"bearer {DEV}"}
    answer = await counter.call("GET", TARGETS, token=None, headers=headers)

    assert answer.status == 200


async def test_a_stranger_who_would_change_something_is_audited_a_few_times(
    counter: Counter,
) -> None:
    for _ in range(15):
        answer = await counter.call("POST", "/api/v1/rollouts", token="wrong", json={})
        assert answer.status == 401

    events = await counter.audited("anonymous")
    assert len(events) == 10
    assert events[0].detail["what"] == "POST /api/v1/rollouts"


async def test_reading_without_the_right_is_403_and_audited_once_a_minute(tmp_path: Path) -> None:
    only_events = Component(
        name="app", token_sha256=COMPONENTS[0].token_sha256, rights=frozenset({"events"})
    )
    async with open_counter(tmp_path, components=[only_events]) as counter:
        answer = await counter.call("GET", TARGETS)

        assert (answer.status, answer.kind) == (403, PROBLEM)
        assert "components.app.may" in str(answer.body["hint"])
        await counter.call("GET", "/api/v1/alerts")
        (event,) = await counter.audited("component:app")
        assert event.detail["what"] == f"GET {TARGETS}"
        counter.engine.clock.ahead += timedelta(minutes=1)
        await counter.call("GET", "/api/v1/alerts")
        assert len(await counter.audited("component:app")) == 2


async def test_a_wrong_token_is_audited_where_it_would_read_too(counter: Counter) -> None:
    for _ in range(3):
        await counter.call("GET", TARGETS, token="wrong")

    assert [event.detail["what"] for event in await counter.audited("anonymous")] == [
        f"GET {TARGETS}"
    ]


async def test_what_is_not_there_or_makes_no_sense_is_not_audited_where_it_only_reads(
    counter: Counter,
) -> None:
    for path in ("/api/v1/rollouts/D-9999", "/api/v1/alerts/x", "/api/v1/rollouts?limit=x"):
        await counter.call("GET", path)

    assert await counter.audited("component:hms-dev") == []


async def test_beyond_its_rate_a_component_waits(counter: Counter) -> None:
    statuses = [(await counter.call("GET", TARGETS, token=READER)).status for _ in range(6)]
    answer = await counter.call("GET", TARGETS, token=READER)

    assert statuses == [200] * 5 + [429]
    assert (answer.kind, answer.headers["Retry-After"]) == (PROBLEM, "12")
    assert (await counter.call("GET", TARGETS, token=DEV)).status == 200


async def test_after_the_time_it_was_told_it_may_call_again(counter: Counter) -> None:
    for _ in range(6):
        answer = await counter.call("GET", TARGETS, token=READER)
    counter.engine.clock.ahead += timedelta(seconds=int(answer.headers["Retry-After"]))

    assert (await counter.call("GET", TARGETS, token=READER)).status == 200
    assert (await counter.call("GET", TARGETS, token=READER)).status == 429


@pytest.mark.parametrize("path", ["/", "/api", "/api/v2/targets", "/hooks/sentry", "/api/v1/x%00"])
async def test_nothing_is_anywhere_else(counter: Counter, path: str) -> None:
    answer = await counter.call("GET", path)

    assert (answer.status, answer.kind, answer.body["status"]) == (404, PROBLEM, 404)


async def test_another_method_is_405_and_says_which_are_known(counter: Counter) -> None:
    answer = await counter.call("DELETE", "/api/v1/rollouts")

    assert (answer.status, answer.kind) == (405, PROBLEM)
    assert answer.headers["Allow"] == "GET,HEAD,POST"


async def test_a_sane_request_id_is_echoed(counter: Counter) -> None:
    answer = await counter.call("GET", TARGETS, headers={"X-Request-Id": "abc-123"})

    assert answer.headers["X-Request-Id"] == "abc-123"


async def test_every_log_line_of_a_request_carries_its_id(tmp_path: Path) -> None:
    seen: list[object] = []

    async def guard(name: str, work: Callable[[], Awaitable[None]]) -> str:
        seen.append(structlog.contextvars.get_contextvars().get("request_id"))
        await work()
        return ""

    async with open_counter(tmp_path, guard=guard) as counter:
        await counter.call("GET", TARGETS, headers={"X-Request-Id": "abc-123"})
        await counter.call("GET", TARGETS)

    assert seen == ["abc-123", "r-1"]


@pytest.mark.parametrize("given", ["two words", "x" * 200, "ä"])
async def test_another_one_is_made_anew(counter: Counter, given: str) -> None:
    answer = await counter.call("GET", TARGETS, headers={"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] == "r-1"


async def test_every_answer_is_private_to_who_asked(counter: Counter) -> None:
    for path in (TARGETS, "/nowhere", "/healthz"):
        headers = (await counter.call("GET", path)).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


async def test_a_bug_is_told_by_its_reference_only(tmp_path: Path) -> None:
    async def guard(name: str, work: Callable[[], Awaitable[None]]) -> str:
        try:
            await work()
        except ZeroDivisionError:
            return "c0ffee"
        return ""

    async with open_counter(tmp_path, guard=guard) as counter:
        counter.inbox.trouble = ZeroDivisionError("password=hunter2")
        event = {"project": "myapp", "environment": "prod", "level": "info", "message": "x"}
        answer = await counter.call("POST", "/api/v1/events", json=event)

    assert (answer.status, answer.kind) == (500, PROBLEM)
    assert answer.body["reference"] == "c0ffee"
    assert "hunter2" not in str(answer.body)


async def test_a_body_that_does_not_arrive_is_not_waited_for(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        counter = await stack.enter_async_context(open_counter(tmp_path, deadline_seconds=0.2))
        host, port = counter.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        stack.callback(writer.close)
        head = "POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        head += f"Authorization: Bearer {DEV}\r\nContent-Length: 100\r\n\r\n"
        writer.write(head.encode() + b"{")
        async with asyncio.timeout(5):
            line = await reader.readline()

        assert b"504" in line
        assert counter.inbox.events == []


async def test_errors_are_listed_as_they_were_asked_for(counter: Counter) -> None:
    answer = await counter.call("GET", "/api/v1/errors?project=MyApp&order=newest&limit=5&since=2h")

    assert (answer.status, answer.body) == (200, {"groups": []})
    (query,) = counter.groups.queries
    assert (query.project, query.order.value, query.limit) == ("myapp", "newest", 5)
    assert query.since is not None
    assert timedelta(hours=1.9) < counter.engine.clock.now() - query.since < timedelta(hours=2.1)


@pytest.mark.parametrize("path", ["errors", "targets"])
async def test_an_environment_alone_names_nothing(counter: Counter, path: str) -> None:
    answer = await counter.call("GET", f"/api/v1/{path}?environment=prod")

    assert answer.status == 422


@pytest.mark.parametrize("path", ["errors", "targets", "rollouts", "alerts"])
async def test_an_unknown_project_is_said(counter: Counter, path: str) -> None:
    answer = await counter.call("GET", f"/api/v1/{path}?project=mypap")

    assert (answer.status, answer.body["hint"]) == (422, "Did you mean “myapp”?")


async def test_the_description_is_open_to_all(counter: Counter) -> None:
    answer = await counter.call("GET", "/api/v1/openapi.json", token=None)

    assert (answer.status, answer.body["openapi"]) == (200, "3.1.0")
