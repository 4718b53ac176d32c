"""The command line: reads arguments, calls one operation, shows the answer, ends with the right exit code.

Here live the Typer app, what a terminal shows, and waiting for a rollout. Not here: the grammar
(`handlers.language`), rules (`operations`), and how services are made: `bot.cli` passes them in as
`Hooks`. Rich is imported where something is drawn, never at the start.
"""

from __future__ import annotations

from handlers.cli.app import build_app
from handlers.cli.services import CliServices, Hooks

__all__ = ["CliServices", "Hooks", "build_app"]
