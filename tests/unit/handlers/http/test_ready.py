"""`/readyz` says which of the two it waits for, and what that said."""

from __future__ import annotations

import json

from aiohttp.test_utils import make_mocked_request

from handlers.http.health import Health
from operations.errors import StorageUnavailable


async def always() -> bool:
    return True


async def answers() -> None:
    """The database is there."""


async def fails() -> None:
    raise StorageUnavailable("gone")


async def ready(health: Health) -> tuple[int, dict[str, str]]:
    answer = await health.answer_ready(make_mocked_request("GET", "/readyz"))
    assert isinstance(answer.body, bytes)
    return answer.status, json.loads(answer.body)


async def test_ready_when_both_answer() -> None:
    health = Health(is_alive=always, ping=answers, is_accepted=lambda: True)

    assert await ready(health) == (200, {"status": "ok"})


async def test_slacks_own_words_are_passed_on() -> None:
    health = Health(
        is_alive=always,
        ping=answers,
        is_accepted=lambda: False,
        why_not=lambda: "Slack cannot be reached.",
    )

    assert await ready(health) == (503, {"status": "trouble", "slack": "Slack cannot be reached."})


async def test_a_database_that_is_away_is_named() -> None:
    health = Health(is_alive=always, ping=fails, is_accepted=lambda: True)

    assert await ready(health) == (503, {"status": "trouble", "database": "no answer"})
