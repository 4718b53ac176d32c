"""A bot as people meet it: signed requests over HTTP, an embedded database, a strict Slack."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.scenario.office import Office, open_office
from tests.slack_stand_in import SlackStandIn, open_slack

OpenOffice = Callable[..., Awaitable[Office]]


@pytest.fixture
async def slack() -> AsyncIterator[SlackStandIn]:
    """The workspace."""
    async with open_slack() as stand_in:
        yield stand_in


@pytest.fixture
async def office(tmp_path: Path, slack: SlackStandIn) -> AsyncIterator[Office]:
    """A bot with myapp/prod (one vote) and myapp/staging (none), and nobody carrying rollouts out."""
    async with open_office(tmp_path, slack) as opened:
        yield opened
