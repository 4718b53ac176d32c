"""What people read of how deploying goes, and that empty figures read well."""

from __future__ import annotations

from datetime import timedelta

from handlers.slack.views.statistics import statistics
from handlers.statistic_words import figure_lines, headline
from operations.deployment.rollout import RolloutState
from operations.deployment.statistics import EnvironmentFigures, Middle, Statistics
from tests.factories import NOON
from tests.slack_blocks import message_faults

MINUTE = timedelta(minutes=1)
NONE = EnvironmentFigures(
    environment="prod",
    outcomes={RolloutState.EXPIRED: 1},
    rollbacks=0,
    live=0,
    days=0,
    changes=0,
    failures=0,
    unrestored=0,
    restore=Middle(),
    lead=Middle(),
    duration=Middle(),
    wait=Middle(),
)
BUSY = EnvironmentFigures(
    environment="prod",
    outcomes={RolloutState.FAILED: 2, RolloutState.SUCCEEDED: 13},
    rollbacks=1,
    live=12,
    days=9,
    changes=14,
    failures=3,
    unrestored=1,
    restore=Middle(2, 6 * MINUTE),
    lead=Middle(1, 300 * MINUTE),
    duration=Middle(12, timedelta(seconds=48)),
    wait=Middle(10, 4 * MINUTE),
)


def over(*environments: EnvironmentFigures, days: int = 30) -> Statistics:
    return Statistics(
        project="", since=NOON - timedelta(days=days), until=NOON, environments=environments
    )


def lines(figures: EnvironmentFigures, days: int = 30) -> dict[str, str]:
    return dict(figure_lines(figures, over(figures, days=days)))


def test_a_busy_month() -> None:
    assert lines(BUSY) == {
        "Went live": "12 times, 2.8 a week, on 9 days",
        "Failed": "3 of 14 changes (21 %)",
        "Good again after": "6 m (2 failures), 1 not yet",
        "Commit to live": "5 h (1 commit known)",
        "Took": "48 s (12 deploys)",
        "Waited for approval": "4 m (10 rollouts)",
        "Ended": "13 live, 2 failed, 1 of them a rollback asked for",
    }


def test_where_nothing_went_live() -> None:
    assert lines(NONE) == {
        "Went live": "never",
        "Failed": "no changes",
        "Good again after": "–",
        "Commit to live": "not known",
        "Took": "–",
        "Waited for approval": "–",
        "Ended": "1 expired",
    }


def test_a_week_is_not_made_of_a_day() -> None:
    assert lines(BUSY, days=1)["Went live"] == "12 times, on 9 days"


def test_nothing_at_all_is_said_in_a_sentence() -> None:
    assert headline(over()) == "All projects: nothing was shipped in the last 30 d"


def test_slack_takes_it_however_many_environments_there_are() -> None:
    assert message_faults(statistics(over(*[BUSY] * 60)).blocks) == []
    assert message_faults(statistics(over()).blocks) == []
