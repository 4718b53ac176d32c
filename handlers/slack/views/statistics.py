"""The private answer to `stats`: a section for each environment."""

from __future__ import annotations

from handlers.nothing import no_statistics
from handlers.slack.views.answers import nothing
from handlers.slack.views.blocks import (
    Block,
    Message,
    bold,
    context,
    message,
    one_line,
    said,
    section,
)
from handlers.statistic_words import MEANS, figure_lines, headline
from operations.deployment.statistics import EnvironmentFigures, Statistics

_SHOWN = 10


def statistics(found: Statistics) -> Message:
    """Environments with the most deploys first."""
    head = headline(found)
    if not found.environments:
        return nothing(no_statistics(head, found.project, found.until - found.since))
    hidden = len(found.environments) - _SHOWN
    more = f"{hidden} more environments: `hms-sys stats --json`" if hidden > 0 else ""
    return message(
        f"Statistics of {one_line(head)}",
        [
            section(f"*Statistics* · {said(head)}"),
            *(_section(each, found) for each in found.environments[:_SHOWN]),
            context(said(MEANS), said(more)),
        ],
    )


def _section(figures: EnvironmentFigures, found: Statistics) -> Block | None:
    lines = [f"{name}: {said(told)}" for name, told in figure_lines(figures, found)]
    return section(bold(figures.environment, 80), *lines)
