"""A rollout while it is waited for: drawn over and over on a terminal, line by line elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from handlers.cli.terminal import Terminal
from handlers.cli.wording import headline, plain, step_line
from operations.deployment.progress import Step, StepState
from operations.deployment.rollout import Rollout

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live
    from rich.spinner import Spinner


class Screen(Protocol):
    """Shows a rollout as it moves."""

    def show(self, rollout: Rollout) -> None:
        """Draw what has changed."""
        ...

    def trouble(self, message: str) -> None:
        """Say what is in the way of looking, once."""
        ...

    def close(self) -> None:
        """Leave the terminal in order."""
        ...


def open_screen(terminal: Terminal) -> Screen:
    """The one that fits the terminal."""
    return LiveScreen(terminal) if terminal.is_live else PlainScreen(terminal)


class PlainScreen:
    """One line for each change."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._shown: set[str] = set()

    def show(self, rollout: Rollout) -> None:
        """The state when it is a new one, and every step that moved."""
        self._once(f"{rollout.name} {headline(rollout)}")
        for step in rollout.steps:
            if step.state is not StepState.PENDING:
                self._once(f"  {step_line(step)}")

    def trouble(self, message: str) -> None:
        """One line."""
        self._once(message)

    def close(self) -> None:
        """Nothing to put in order."""

    def _once(self, line: str) -> None:
        if line not in self._shown:
            self._shown.add(line)
            self._terminal.note([line])


class LiveScreen:
    """Steps and a progress bar, drawn in place and gone at the end."""

    def __init__(self, terminal: Terminal) -> None:
        from rich.console import Console
        from rich.live import Live
        from rich.spinner import Spinner

        self._spinner = Spinner("dots")
        self._terminal = terminal
        console = Console(file=terminal.err, markup=False, emoji=False, highlight=False)
        self._live: Live = Live(console=console, transient=True, refresh_per_second=8)
        self._live.start()

    def show(self, rollout: Rollout) -> None:
        """Draw it all anew."""
        from rich.text import Text

        self._spinner.update(text=Text(f"{headline(rollout)}  {rollout.name}", style="bold"))
        self._live.update(draw(rollout, self._spinner))

    def trouble(self, message: str) -> None:
        """Shown until the next look succeeds."""
        from rich.text import Text

        self._live.update(Text(plain(message, self._terminal.names), style="yellow"))

    def close(self) -> None:
        """Take the drawing away; the last words are printed by who waited."""
        self._live.stop()


def draw(rollout: Rollout, spinner: Spinner) -> Group:
    """State, steps with their times, and a bar for the step that counts."""
    from rich.console import Group

    return Group(spinner, *(_draw_step(step, rollout) for step in rollout.steps))


def _draw_step(step: Step, rollout: Rollout) -> Group:
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.text import Text

    since = ""
    if (
        step.at is not None
        and rollout.started_at is not None
        and step.state is not StepState.PENDING
    ):
        since = f"  +{max(0, round((step.at - rollout.started_at).total_seconds()))} s"
    line = Text(f"  {step_line(step)}", style=_STYLES[step.state])
    line.append(since, style="dim")
    if step.state is not StepState.RUNNING or step.total <= 0:
        return Group(line)
    return Group(
        line,
        ProgressBar(
            total=step.total, completed=max(step.ready, 0), width=40, complete_style="green"
        ),
    )


_STYLES = {
    StepState.PENDING: "dim",
    StepState.RUNNING: "",
    StepState.DONE: "green",
    StepState.FAILED: "red",
}
