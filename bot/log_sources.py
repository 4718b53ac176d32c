"""From the configuration's `errors.sources:` to the loop that reads them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.config import Config
from bot.config.sections.monitoring import ErrorSource
from bot.schedule import Loop
from operations.clock import Clock
from operations.deployment.target import Catalog
from operations.guard import Guard
from operations.monitoring.errors.log_ports import LogKind, LogSource
from operations.monitoring.errors.tailing import EventIntake, LogWorkshop, Tailer
from providers.log_readers import PlatformLogs
from providers.patterns import TooSlow, is_found
from storage.database import Database

_EVERY = {
    LogKind.CLOUDWATCH: timedelta(seconds=10),
    LogKind.PODS: timedelta(seconds=5),
    # Each reading costs one of the sixty requests a minute, and brings the whole file.
    LogKind.SITE: timedelta(seconds=60),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogParts:
    """What reading logs is built from. `providers` are the platforms, by word."""

    config: Config
    database: Database
    catalog: Catalog
    providers: Mapping[str, object]
    intake: EventIntake
    clock: Clock
    guard: Guard


def build_log_loops(parts: LogParts) -> Sequence[Loop]:
    """One loop for all logs; none when there is nothing to read."""
    sources = build_sources(parts.config.errors.sources)
    if not sources:
        return []
    tailer = Tailer(
        LogWorkshop(
            sources=sources,
            reader=PlatformLogs(parts.providers, parts.catalog),
            intake=parts.intake,
            store=parts.database.store,
            queue=parts.database.log_queue,
            clock=parts.clock,
            guard=parts.guard,
            matches=is_in_line,
        )
    )
    return [Loop("log sources", tailer.run)]


def build_sources(sections: Sequence[ErrorSource]) -> Sequence[LogSource]:
    """All of them, in the file's order. A log that is named twice is read twice, each time for itself."""
    seen: Counter[str] = Counter()
    sources = []
    for section in sections:
        source = _source(section)
        seen[source.id] += 1
        number = seen[source.id]
        sources.append(_source(section, f"#{number}") if number > 1 else source)
    return sources


def is_in_line(pattern: str, line: str) -> bool:
    """A line for which the pattern takes too long counts as none of its own."""
    try:
        return is_found(pattern, line)
    except TooSlow:
        return False


def _source(section: ErrorSource, mark: str = "") -> LogSource:
    project, _, environment = section.target.partition("/")
    kind = _kind(section)
    name = ":".join(filter(None, (kind.value, section.target, section.cloudwatch)))
    return LogSource(
        id=name + mark,
        kind=kind,
        project=project,
        environment=environment,
        every=_EVERY[kind],
        group=section.cloudwatch or "",
        pattern=section.pattern,
    )


def _kind(section: ErrorSource) -> LogKind:
    if section.cloudwatch is not None:
        return LogKind.CLOUDWATCH
    return LogKind.PODS if section.pods else LogKind.SITE
