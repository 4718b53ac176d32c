"""Reads a target's log through the platform that it runs on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from operations.deployment.target import Catalog, Target
from operations.errors import ProviderRejected
from operations.monitoring.errors.log_ports import LogPage, LogSource


@runtime_checkable
class TargetLog(Protocol):
    """What a provider can beside deployments, when it keeps logs."""

    async def read_log(self, source: LogSource, target: Target, cursor: str, limit: int) -> LogPage:
        """See `operations.monitoring.errors.log_ports.LogReader.read`."""
        ...


class PlatformLogs:
    """The port `LogReader`. `providers` are those of deployments, by word."""

    def __init__(self, providers: Mapping[str, object], catalog: Catalog) -> None:
        self._providers = providers
        self._catalog = catalog

    async def read(self, source: LogSource, cursor: str, *, limit: int) -> LogPage:
        """What came after the cursor."""
        target = self._catalog.find(source.project, source.environment)
        log = log_of(self._providers[target.provider])
        return await log.read_log(source, target, cursor, limit)


def log_of(provider: object) -> TargetLog:
    """The provider as a keeper of logs. Raises ProviderRejected when it is none."""
    if not isinstance(provider, TargetLog):
        raise ProviderRejected("This platform's logs cannot be read.")
    return provider
