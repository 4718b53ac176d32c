"""From the configuration's `checks:` to operations' checks, with every default put in."""

from __future__ import annotations

from datetime import timedelta

from bot.config import Config
from bot.config.sections.monitoring import Check as Section
from operations.monitoring.check import Check, CheckKind, Redirects

_PLATFORM_PATIENCE = timedelta(seconds=15)
"""How long a platform may take to tell its view, several calls to its API included."""


def build_checks(config: Config) -> tuple[Check, ...]:
    """All checks, in the file's order."""
    return tuple(_check(section) for section in config.checks)


def _check(section: Section) -> Check:
    project, _, environment = section.target.partition("/")
    patience = section.timeout if section.url else _PLATFORM_PATIENCE
    return Check(
        id=f"{section.target}:{section.label}",
        name=section.label,
        project=project,
        environment=environment,
        kind=_kind(section),
        url=section.url or "",
        expect=section.expect,
        body=section.body or "",
        slower_than=section.slower_than,
        redirects=Redirects(section.redirects),
        limit=section.error_rate.count if section.error_rate else 0,
        span=section.error_rate.span if section.error_rate else timedelta(0),
        every=section.every,
        # One question must not overtake the next.
        timeout=min(patience, section.every),
        failures=section.failures,
        recoveries=section.recoveries,
    )


def _kind(section: Section) -> CheckKind:
    if section.error_rate is not None:
        return CheckKind.ERROR_RATE
    if section.url is None:
        return CheckKind.TARGET
    return CheckKind.TCP if section.url.startswith("tcp://") else CheckKind.HTTP
