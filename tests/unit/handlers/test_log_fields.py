"""Records say what they are about, told from the name of the work."""

from __future__ import annotations

import pytest
import structlog

from bot.clock import SystemClock
from bot.supervision import Supervisor
from handlers.log_fields import about, fields_of, one_request


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("D-1042", {"rollout": "D-1042"}),
        ("D-1042 end", {"rollout": "D-1042"}),
        ("slack A-17 card", {"alert": "A-17"}),
        ("E-3 card", {"error_group": "E-3"}),
        ("check myapp/prod:web", {"check": "myapp/prod:web"}),
        ("worker", {}),
        ("ID-1042", {}),
        ("D-0", {}),
        ("", {}),
    ],
)
def test_the_name_of_the_work_tells_what_it_is_about(name: str, fields: dict[str, str]) -> None:
    assert fields_of(name) == fields


def test_what_is_bound_ends_with_the_block() -> None:
    with about("D-1042", task="D-1042"):
        inside = structlog.contextvars.get_contextvars()

    assert inside == {"rollout": "D-1042", "task": "D-1042"}
    assert structlog.contextvars.get_contextvars() == {}


def test_a_request_that_has_an_id_keeps_it() -> None:
    with structlog.contextvars.bound_contextvars(request_id="theirs"), one_request("ours"):
        assert structlog.contextvars.get_contextvars() == {"request_id": "theirs"}


def test_a_request_without_an_id_gets_one() -> None:
    with one_request("ours"):
        assert structlog.contextvars.get_contextvars() == {"request_id": "ours"}


async def test_guarded_work_is_logged_as_what_it_is_about_and_its_bug_too() -> None:
    seen: list[dict[str, object]] = []

    async def work() -> None:
        seen.append(structlog.contextvars.get_contextvars())
        raise ValueError("a bug")

    with structlog.testing.capture_logs(
        processors=[structlog.contextvars.merge_contextvars]
    ) as logs:
        reference = await Supervisor(SystemClock())("D-1042", work)

    assert seen == [{"task": "D-1042", "rollout": "D-1042"}]
    assert [(each["rollout"], each["reference"]) for each in logs] == [("D-1042", reference)]
