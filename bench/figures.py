"""A measured figure, what it is held against, and the arithmetic that both come from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum


class Topic(StrEnum):
    """What is measured together, in one go; also the words for `--only`."""

    ACKS = "acks"
    DEPLOYS = "deploys"
    KUBERNETES = "kubernetes"
    ECS = "ecs"
    STARTUP = "startup"
    DIGEST = "digest"
    CHECKS = "checks"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class Floor:
    """The least that the same work costs on the same machine, measured in the same run."""

    value: float
    what: str


@dataclass(frozen=True, slots=True)
class Limit:
    """What the figure must keep to: `value` in the figure's unit, `words` as people read it."""

    value: float
    words: str
    at_least: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row. `note` tells what a reader must know to judge it: samples, spread, circumstances."""

    topic: Topic
    name: str
    value: float
    unit: str
    limit: Limit | None = None
    floor: Floor | None = None
    note: str = ""

    @property
    def is_met(self) -> bool:
        """Whether the limit is kept, if there is one; a figure that is not a number keeps none."""
        if self.limit is None:
            return True
        if self.limit.at_least:
            return self.value >= self.limit.value
        return self.value <= self.limit.value

    @property
    def strain(self) -> float:
        """How much of the limit is used up: above 1 it is missed. Without a limit, the value itself."""
        if self.limit is None:
            return self.value
        if self.limit.at_least:
            return self.limit.value / self.value if self.value else math.inf
        return self.value / self.limit.value


def middle_run(runs: Sequence[Figure]) -> Figure:
    """The run of middling strain (of two the worse); its note tells all runs, so that the spread shows.

    Strain rather than value, because a floor moves with the machine as the value does.
    """
    ranked = sorted(runs, key=lambda figure: figure.strain)
    middle = ranked[len(ranked) // 2]
    if len(runs) == 1:
        return middle
    values = ", ".join(format_value(figure.value) for figure in runs)
    return replace(middle, note=f"{len(runs)} runs: {values}. Shown: {middle.note}")


def format_value(value: float) -> str:
    """Three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that at least `percent` of all samples do not exceed (nearest rank)."""
    if not samples:
        raise ValueError("there is no percentile of nothing")
    if not 0 < percent <= 100:
        raise ValueError("a percentile lies above 0 and at 100 at most")
    ranked = sorted(samples)
    return ranked[math.ceil(len(ranked) * percent / 100) - 1]


def median(samples: Sequence[float]) -> float:
    """The middle sample; of two middle ones the mean."""
    if not samples:
        raise ValueError("there is no median of nothing")
    ranked = sorted(samples)
    middle = len(ranked) // 2
    if len(ranked) % 2:
        return ranked[middle]
    return (ranked[middle - 1] + ranked[middle]) / 2


def at_least(value: float, words: str) -> Limit:
    """A limit from below."""
    return Limit(value, words, at_least=True)


def at_most(value: float, words: str) -> Limit:
    """A limit from above."""
    return Limit(value, words)
