"""What HMS-OPS shipped and what went wrong under it, asked for in Slack."""

from __future__ import annotations

from datetime import timedelta

import pytest

from operations.monitoring.errors.past import PastErrors, reach_of
from tests.contract.test_storage_imports import old_error, old_rollout
from tests.scenario.office import Office


@pytest.fixture
async def past(office: Office) -> None:
    """H-1 to H-3 on myapp/prod, and two old errors there."""
    database, now = office.engine.database, office.engine.clock.now()
    await database.imports.add([old_rollout(n) for n in range(3)])
    reach = reach_of(now, *(timedelta(days=days) for days in (7, 30, 365)))
    errors = PastErrors(database.store, reach)
    await errors.add([old_error(n, now - timedelta(hours=2)) for n in range(2)])


@pytest.mark.usefixtures("past")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("history", "`H-3` myapp 1.2 → prod · Went live · imported"),
        ("show H-2", "Went live: myapp 1.1 → prod* · H-2"),
        ("show h-1", "imported · "),
        ("show H-4", "There is no rollout H-4."),
        ("approve H-1", "H-1 has gone live already."),
        ("cancel H-1", "H-1 has gone live already."),
        ("rollback myapp prod", "knows no former release"),
        ("rollback myapp prod 1.1", "1.1"),
        ("errors", "2 times · imported"),
        ("errors E-1", "hms-ops"),
        ("stats", "nothing was shipped in the last 30 d"),
    ],
)
async def test_the_past_is_shown_and_begins_nothing(
    office: Office, words: str, expected: str
) -> None:
    answer = await office.say(words)

    assert expected in answer
    assert "D--" not in answer
    assert office.slack.messages == []
    assert office.slack.refused == []
