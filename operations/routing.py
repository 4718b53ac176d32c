"""Which ways a notice goes beside Slack: policy, asked in the transaction that puts the notice.

So deployment and monitoring know nothing of mail: they say what happened, and whoever configured another
way hears of it exactly when Slack does, also when the process is killed between the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from operations.outbox import SLACK, Notice, NoticeKind, Urgency


class Occasion(StrEnum):
    """What other ways can be told of, in the words of the configuration's `on`."""

    ALERT = "alert"  # it fires, and it ends
    ROLLOUT_FAILED = "rollout_failed"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Way:
    """A route, and what it is there for."""

    route: str
    occasions: frozenset[Occasion]


@dataclass(frozen=True, slots=True)
class Routing:
    """All ways beside Slack, the one to fall back on first."""

    ways: tuple[Way, ...] = ()

    @property
    def routes(self) -> tuple[str, ...]:
        """Every route that somebody delivers."""
        return (SLACK, *(way.route for way in self.ways))

    @property
    def fall_back(self) -> str:
        """Where that goes which Slack does not take, whatever the way is there for; "" nowhere."""
        return self.ways[0].route if self.ways else ""

    def beside(self, notice: Notice) -> list[Notice]:
        """The same matter, on every way that is there for it."""
        occasion = occasion_of(notice)
        if occasion is None:
            return []
        return [
            replace(notice, route=way.route, channel="")
            for way in self.ways
            if occasion in way.occasions
        ]

    def is_covered(self, notice: Notice) -> bool:
        """Whether the way to fall back on tells it anyway."""
        return any(more.route == self.fall_back for more in self.beside(notice))


def occasion_of(notice: Notice) -> Occasion | None:
    """What kind of news it is; None when it is no news but to those who follow it in Slack."""
    letter = notice.subject.partition("-")[0]
    if notice.kind is NoticeKind.ENDED:
        if letter == "A":
            return Occasion.ALERT
        return Occasion.ROLLOUT_FAILED if letter == "D" and notice.is_failure else None
    if notice.kind is not NoticeKind.CARD:
        return None
    if letter == "A" and (notice.urgency is Urgency.FINAL or notice.is_failure):
        return Occasion.ALERT  # it fires, or more joins it; not every count and acknowledgement
    return Occasion.DIGEST if letter == "G" else None
