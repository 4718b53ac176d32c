"""Dual mode, put together: the targets that both tools look after, and where runs of HMS-OPS are kept."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot.config import Config
from bot.config.sections.programs import Legacy
from bot.settings import Settings
from operations.clock import Clock
from operations.deployment.ports import Provider
from operations.integration.dual.comparison import DualMode
from operations.integration.dual.environment import choose_environment, secrets_of
from storage.address import SqliteAddress, parse_address
from storage.database import Database

_FOLDER = "hms-ops-runs"


def dual_modes(config: Config) -> Mapping[str, DualMode]:
    """The targets that are in dual mode, in the order of the file."""
    return {
        f"{name}/{environment}": DualMode(placement.dual)
        for name, project in config.projects.items()
        for environment, placement in project.environments.items()
        if placement.dual is not None
    }


def wrap_dual(
    platforms: Mapping[str, Provider],
    settings: Settings,
    config: Config,
    database: Database,
    clock: Clock,
) -> Mapping[str, Provider]:
    """The platforms, with HMS-OPS beside them where the configuration says so."""
    modes = dual_modes(config)
    if config.legacy is None or not modes:
        return platforms
    from bot.settings import load_environment
    from providers.dual import DualProvider
    from providers.dual_parts import DualParts
    from providers.legacy_runs import RunFiles
    from providers.legacy_tool import HmsOps

    environ, named = load_environment(), config.legacy.environment
    secrets = (*settings.secrets(), *secrets_of(environ, named))
    files = RunFiles(state_directory(config.legacy, settings, environ), secrets)
    parts = DualParts(
        modes=modes,
        tool=HmsOps(config.legacy.command, files, choose_environment(environ, named)),
        comparisons=database.comparisons,
        clock=clock,
    )
    return {word: DualProvider(platform, parts) for word, platform in platforms.items()}


def state_directory(legacy: Legacy, settings: Settings, environ: Mapping[str, str]) -> Path:
    """Where it is kept what HMS-OPS did: never a folder for temporary files, which a restart may empty."""
    if legacy.state_directory is not None:
        return Path(legacy.state_directory).absolute()
    if given := environ.get("STATE_DIRECTORY", ""):  # systemd's, several are parted by colons
        return Path(given.partition(":")[0]) / _FOLDER
    address = parse_address(settings.database_url.get_secret_value())
    beside = address.path.parent if isinstance(address, SqliteAddress) else Path()
    return beside.absolute() / _FOLDER
