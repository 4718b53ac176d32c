"""What this process counts of itself for Prometheus, in a registry of its own; no state is global.

Labels are words of a fixed set (providers, methods, outcomes, routes, states): never an id, never the name
of a person. The database's part is in `figures`.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from bot.figures import DatabaseFigures

_CALL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LAG_SECONDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_PROVIDER = ("provider", "method")


class Metrics:
    """Everything that is counted. `render` is what Prometheus reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.database = DatabaseFigures()
        self.registry.register(self.database)
        ProcessCollector(registry=self.registry)
        self.provider_calls = self._counter(
            "hms_provider_calls",
            "Calls to platforms, by provider, method and outcome.",
            *_PROVIDER,
            "outcome",
        )
        self.provider_seconds = self._histogram(
            "hms_provider_call_duration_seconds",
            "How long calls to platforms took; without `follow`, which lasts as long as a rollout.",
            _CALL_SECONDS,
            *_PROVIDER,
        )
        self.provider_throttles = self._counter(
            "hms_provider_throttles",
            "Calls that a platform answered with a time to wait.",
            *_PROVIDER,
        )
        self.slack_calls = self._counter(
            "hms_slack_calls", "Calls to Slack, by method and outcome.", "method", "outcome"
        )
        self.slack_throttles = self._counter(
            "hms_slack_throttles", "Calls that Slack answered with 429, by method.", "method"
        )
        self.events = self._counter(
            "hms_events", "Events for the central log, by outcome: taken or refused.", "outcome"
        )
        self.loop_lag = self._histogram(
            "hms_event_loop_lag_seconds",
            "How much later than asked for the event loop came back.",
            _LAG_SECONDS,
        )
        self.loop_lag_max = self._gauge(
            "hms_event_loop_lag_max_seconds",
            "The largest lag of the event loop within the last minute.",
        )

    def watch_socket(self) -> Gauge:
        """The gauge of Socket Mode's connection; without Socket Mode there is none."""
        return self._gauge(
            "hms_slack_socket_up",
            "Whether Socket Mode's connection to Slack is alive; absent without Socket Mode.",
        )

    def render(self) -> bytes:
        """Prometheus' text format, version 0.0.4."""
        return generate_latest(_Plain(self.registry))

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        """Prometheus' library adds `_total` to the name."""
        return Counter(name, meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, registry=self.registry)

    def _histogram(
        self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(name, meaning, labels, registry=self.registry, buckets=buckets)


class _Plain(Collector):
    """Without the time at which each series began, which the library would add as a series of its own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        """Every metric of the registry."""
        for metric in self._registry.collect():
            metric.samples = [each for each in metric.samples if not each.name.endswith("_created")]
            yield metric
