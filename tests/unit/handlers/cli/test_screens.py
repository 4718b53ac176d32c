"""What is seen while a rollout is waited for."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import timedelta

from handlers.cli.screens import LiveScreen, PlainScreen, open_screen
from handlers.cli.terminal import Terminal
from operations.deployment.progress import Step, StepState
from operations.deployment.rollout import RolloutState
from tests.factories import NOON, make_rollout


class _Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def _terminal(err: io.StringIO) -> Terminal:
    return Terminal(out=io.StringIO(), err=err)


_RUNNING = make_rollout(
    state=RolloutState.RUNNING,
    started_at=NOON,
    steps=(
        Step(name="Patched", state=StepState.DONE, at=NOON + timedelta(seconds=2)),
        Step(
            name="New pods",
            state=StepState.RUNNING,
            ready=1,
            total=2,
            at=NOON + timedelta(seconds=2),
        ),
        Step(name="Health", state=StepState.PENDING),
    ),
)


def test_a_pipe_gets_plain_lines() -> None:
    assert isinstance(open_screen(_terminal(io.StringIO())), PlainScreen)


def test_a_terminal_gets_a_drawing() -> None:
    screen = open_screen(_terminal(_Tty()))
    screen.close()
    assert isinstance(screen, LiveScreen)


def test_plain_lines_are_said_once_and_only_what_has_begun() -> None:
    err = io.StringIO()
    screen = PlainScreen(_terminal(err))
    screen.show(_RUNNING)
    screen.show(_RUNNING)
    assert err.getvalue().splitlines() == [
        "D-1042 Rolling out: myapp 1.1 → prod",
        "  ✓ Patched",
        "  … New pods  1 of 2",
    ]


def test_plain_lines_follow_what_changes() -> None:
    err = io.StringIO()
    screen = PlainScreen(_terminal(err))
    screen.show(_RUNNING)
    done = replace(_RUNNING.steps[1], state=StepState.DONE, ready=2)
    screen.show(replace(_RUNNING, steps=(_RUNNING.steps[0], done)))
    assert err.getvalue().splitlines()[3:] == ["  ✓ New pods  2 of 2"]


def test_a_drawing_shows_steps_times_and_a_bar() -> None:
    err = _Tty()
    screen = LiveScreen(_terminal(err))
    screen.show(_RUNNING)
    screen.close()
    drawn = err.getvalue()
    assert "Rolling out: myapp 1.1 → prod" in drawn
    assert "✓ Patched" in drawn
    assert "+2 s" in drawn
    assert "· Health" in drawn
    assert "━" in drawn


def test_a_drawing_says_what_is_in_the_way_of_looking() -> None:
    err = _Tty()
    screen = LiveScreen(_terminal(err))
    screen.trouble("The database is busy.")
    screen.close()
    assert "The database is busy." in err.getvalue()


def test_a_drawing_takes_outsiders_text_literally() -> None:
    err = _Tty()
    screen = LiveScreen(_terminal(err))
    step = Step(name="[red]x[/red] :fire:", state=StepState.RUNNING)
    screen.show(replace(_RUNNING, steps=(step,)))
    screen.close()
    assert "[red]x[/red] :fire:" in err.getvalue()
