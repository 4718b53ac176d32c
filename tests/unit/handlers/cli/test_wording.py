"""What a terminal says of rollouts and people."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.cli.wording import (
    clock_time,
    ending,
    headline,
    plain,
    step_line,
    who,
    with_zone,
)
from operations.deployment.progress import Failure, Step, StepState
from operations.deployment.rollout import RolloutKind, RolloutState
from tests.factories import BOB, NOBODY, NOON, make_rollout


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<@U02BOB> can.", "bob can."),
        ("<@U09EVE> can.", "U09EVE can."),
        ("<!subteam^S01OPS> can.", "S01OPS can."),
        ("See `show D-1`.", "See `hms-sys show D-1`."),
        ("lift it with `unlock`.", "lift it with `hms-sys unlock`."),
        ("`locksmith` is no command", "`locksmith` is no command"),
    ],
)
def test_mentions_and_commands_are_said_as_here(text: str, shown: str) -> None:
    assert plain(text, {"U02BOB": "bob"}) == shown


def test_a_person_is_called_by_the_name_that_is_known() -> None:
    assert who(BOB, {"U02BOB": "robert"}) == "robert"
    assert who(replace(BOB, name=""), {}) == "U02BOB"
    assert who(NOBODY, {}) == "mallory"


def test_a_headline_says_state_what_and_where() -> None:
    assert headline(make_rollout()) == "Waiting for approval: myapp 1.1 → prod"
    back = make_rollout(kind=RolloutKind.ROLLBACK)
    assert headline(back) == "Waiting for approval: myapp 1.1 → prod (rollback)"


def test_the_last_words_tell_how_long_why_and_what_the_platform_showed() -> None:
    rollout = make_rollout(
        state=RolloutState.ROLLED_BACK,
        started_at=NOON,
        ended_at=NOON + timedelta(seconds=75),
        failure=Failure(summary="No image", reason="not found", evidence=("log line",)),
        outcome="1.0 is serving again.",
    )
    assert ending(rollout, {}) == [
        "Failed and rolled back: myapp 1.1 → prod (D-1042, 1 m 15 s)",
        "No image: not found. 1.0 is serving again.",
        "  log line",
    ]


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (Step(name="Told", state=StepState.DONE), "✓ Told"),
        (Step(name="Pods", state=StepState.RUNNING, ready=1, total=3), "… Pods  1 of 3"),
        (Step(name="Pods", state=StepState.FAILED, detail="no image"), "✗ Pods  no image"),
    ],
    ids=["done", "counted", "failed"],
)
def test_a_step_is_a_line(step: Step, line: str) -> None:
    assert step_line(step) == line


def test_a_time_that_is_not_there_is_a_dash() -> None:
    assert clock_time(None) == "–"


def test_a_column_of_times_says_their_zone() -> None:
    assert with_zone("When", NOON) == f"When ({NOON.astimezone().tzname()})"
    assert with_zone("When", None) == "When"
