"""Slack's limits are kept by waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from handlers.slack.pace import Limits, Pace
from operations.outbox import Urgency
from tests.factories import NOON


def test_one_post_a_second_and_channel() -> None:
    """Other channels are not held up."""
    pace = Pace()

    assert pace.post("C1", NOON) == 0
    assert pace.post("C1", NOON) == 1.0
    assert pace.post("C2", NOON) == 0
    assert pace.post("C1", NOON + timedelta(seconds=1)) == 0


def test_progress_of_one_message_is_spaced() -> None:
    """An end of the same message is not."""
    pace = Pace()
    pace.edit("D-1", Urgency.PROGRESS, NOON)

    assert pace.edit("D-1", Urgency.PROGRESS, NOON + timedelta(seconds=1)) == 2.0
    assert pace.edit("D-1", Urgency.FINAL, NOON + timedelta(seconds=1)) == 0


def test_progress_leaves_a_reserve_for_ends() -> None:
    """However many rollouts move at once."""
    pace = Pace(Limits(burst=5, reserve=3))

    progress = [pace.edit(f"D-{n}", Urgency.PROGRESS, NOON) for n in range(5)]
    ends = [pace.edit(f"D-{n}", Urgency.FINAL, NOON) for n in range(5)]

    assert [wait == 0 for wait in progress] == [True, True, False, False, False]
    assert [wait == 0 for wait in ends] == [True, True, True, False, False]


@pytest.mark.parametrize("urgency", Urgency)
def test_no_minute_has_more_edits_than_slack_takes(urgency: Urgency) -> None:
    """Whoever asks a hundred times a second: after the first burst, at most 50 in any minute."""
    pace = Pace()
    given = [
        step
        for step in range(24_000)
        if pace.edit(f"D-{step}", urgency, NOON + timedelta(milliseconds=10 * step)) == 0
    ]

    last_minutes = [len([g for g in given if end - 6_000 <= g < end]) for end in (12_000, 24_000)]
    assert all(40 <= count <= 50 for count in last_minutes)


def test_retry_after_blocks_the_call() -> None:
    """Only that one."""
    pace = Pace()
    pace.block("edit", NOON, 30)

    assert pace.edit("D-1", Urgency.FINAL, NOON) == 30
    assert pace.post("C1", NOON) == 0
    assert pace.edit("D-1", Urgency.FINAL, NOON + timedelta(seconds=30)) == 0
