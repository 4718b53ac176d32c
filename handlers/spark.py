"""Counts by hour as one short line that can be read at a glance, in Slack and in a terminal alike."""

from __future__ import annotations

from collections.abc import Sequence

_EMPTY = "▁"
_HEIGHTS = "▂▃▄▅▆▇█"


def spark_line(counts: Sequence[int]) -> str:
    """One sign per number, by its share of the greatest; the lowest sign stands for none at all."""
    most = max(counts, default=0)
    return "".join(_sign(count, most) for count in counts)


def _sign(count: int, most: int) -> str:
    """Whatever happened at all stands above the empty hours, however little it was."""
    if count <= 0:
        return _EMPTY
    return _HEIGHTS[-(-count * len(_HEIGHTS) // most) - 1]
