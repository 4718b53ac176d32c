"""The database's counts as Prometheus' metrics. When it does not answer, they are absent, never zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from operations.deployment.rollout import RolloutState
from operations.monitoring.alert import AlertState
from operations.outbox import SLACK
from storage.gauges import Backlog, Figures

_OPEN = (AlertState.FIRING, AlertState.ACKNOWLEDGED)

Samples = Iterable[tuple[tuple[str, ...], float]]
"""Values by their labels."""


@dataclass(frozen=True, slots=True)
class _Family:
    """A metric, and how it is read from the figures of a moment."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    samples: Callable[[Figures, datetime], Samples]

    def metric(self, figures: Figures | None, now: datetime) -> GaugeMetricFamily:
        """As it is now; without a sample when nobody knows."""
        metric = GaugeMetricFamily(self.name, self.meaning, labels=self.labels)
        for labels, value in self.samples(figures, now) if figures else ():
            metric.add_metric(labels, value)
        return metric


class DatabaseFigures(Collector):
    """Serves the figures that it was shown last."""

    def __init__(self) -> None:
        self._figures: Figures | None = None
        self._now = datetime.now(UTC)

    def show(self, figures: Figures | None, now: datetime) -> None:
        """Serve these from now on; None: the database did not answer. Ages are counted to `now`."""
        self._figures, self._now = figures, now

    def collect(self) -> Iterator[Metric]:
        """Every metric, also those of which there is nothing to tell."""
        up = GaugeMetricFamily("hms_database_up", _UP)
        up.add_metric((), float(self._figures is not None))
        yield up
        for family in _FAMILIES:
            yield family.metric(self._figures, self._now)


def _age(backlog: Backlog, now: datetime) -> float:
    return max(0.0, (now - backlog.since).total_seconds()) if backlog.since else 0.0


def _routes(figures: Figures) -> Iterable[tuple[str, Backlog]]:
    """Slack is always there; another way only while something waits on it."""
    return {SLACK: Backlog(), **figures.outbox}.items()


def _each(numbers: Mapping[str, int], words: Iterable[str]) -> Samples:
    """A number for every word, so that no series begins in the midst of things."""
    return [((word,), float(numbers.get(word, 0))) for word in words]


_UP = "Whether the database answered while this was read. 0: what is counted in it is absent."
_FAMILIES = (
    _Family(
        "hms_rollouts",
        "Rollouts in the database, by state.",
        ("state",),
        lambda found, now: _each(found.rollouts, [state.value for state in RolloutState]),
    ),
    _Family(
        "hms_rollout_queue_length",
        "Rollouts that wait in the queue.",
        (),
        lambda found, now: [((), found.queue.number)],
    ),
    _Family(
        "hms_rollout_queue_oldest_seconds",
        "How long ago the oldest rollout of the queue was asked for; 0: none waits.",
        (),
        lambda found, now: [((), _age(found.queue, now))],
    ),
    _Family(
        "hms_outbox_notices",
        "Notices that people have not been told yet, by route.",
        ("route",),
        lambda found, now: [((route,), each.number) for route, each in _routes(found)],
    ),
    _Family(
        "hms_outbox_oldest_seconds",
        "How long the oldest notice of a route has been waiting; 0: none waits.",
        ("route",),
        lambda found, now: [((route,), _age(each, now)) for route, each in _routes(found)],
    ),
    _Family(
        "hms_checks_late",
        "Checks that are due and have not been asked.",
        (),
        lambda found, now: [((), found.late_checks.number)],
    ),
    _Family(
        "hms_checks_late_seconds",
        "How long the latest check has been due; 0: none is late.",
        (),
        lambda found, now: [((), _age(found.late_checks, now))],
    ),
    _Family(
        "hms_alerts_open",
        "Open alerts, by state.",
        ("state",),
        lambda found, now: _each(found.alerts, [state.value for state in _OPEN]),
    ),
)
