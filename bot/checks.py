"""From the configuration's `checks:` to operations' checks, with every default put in.

Checks with an `error_rate` are not among them: nobody counts errors yet.
"""

from __future__ import annotations

from datetime import timedelta

from bot.config import Config
from bot.config.sections import Check as Section
from operations.monitoring.check import Check, CheckKind

_PLATFORM_PATIENCE = timedelta(seconds=15)
"""How long a platform may take to tell its view, several calls to its API included."""


def build_checks(config: Config) -> tuple[Check, ...]:
    """All checks that can be asked, in the file's order."""
    return tuple(_check(section) for section in config.checks if section.error_rate is None)


def _check(section: Section) -> Check:
    project, _, environment = section.target.partition("/")
    patience = section.timeout if section.url else _PLATFORM_PATIENCE
    return Check(
        id=f"{section.target}:{section.label}",
        name=section.label,
        project=project,
        environment=environment,
        kind=_kind(section.url),
        url=section.url or "",
        expect=section.expect,
        every=section.every,
        # One question must not overtake the next.
        timeout=min(patience, section.every),
        failures=section.failures,
        recoveries=section.recoveries,
    )


def _kind(url: str | None) -> CheckKind:
    if url is None:
        return CheckKind.TARGET
    return CheckKind.TCP if url.startswith("tcp://") else CheckKind.HTTP
