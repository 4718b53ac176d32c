"""`hms-sys serve` as a program: settings, logs, exit codes. What runs is in `runtime`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

import structlog

from bot.config import Config, load_config
from bot.faults import SettingsError
from bot.logs import mask, start_logging
from bot.lookups import BotLoop
from bot.routes import Couriers, open_couriers
from bot.runtime import serve
from bot.settings import Settings, load_secrets, load_settings
from bot.undecided import undecided
from bot.variables import missing_variables
from operations.errors import OperationError, ProviderUnauthorized

_LOG = structlog.get_logger("hms.serving")
_USAGE = 2
_UNREACHABLE = 4


def run_serve() -> int:
    """The exit code; what is wrong with settings and configuration is raised all at once."""
    settings = load_settings()
    start_logging(settings, settings.log_level)
    config = load_config(settings.config_path)
    couriers = _open_all(settings, config)
    _warn(settings, config)
    try:
        with asyncio.Runner(loop_factory=BotLoop) as runner:
            runner.run(serve(settings, config, couriers))
    except (OperationError, OSError) as problem:
        return _tell([problem])
    except BaseExceptionGroup as problems:
        if problems.split((OperationError, OSError))[1] is not None:
            raise
        return _tell(_leaves(problems))
    return 0


def _open_all(settings: Settings, config: Config) -> Couriers:
    """What needs the environment's secrets, masked first; raises SettingsError with every fault of them."""
    missing = missing_variables(settings, config)
    faults = [each.fault for each in missing] if any(each.needed for each in missing) else []
    faults += undecided(config)
    couriers: Couriers = {}
    try:
        mask(_named_secrets(config))
    except SettingsError as exc:
        faults += exc.faults
    try:
        couriers = open_couriers(settings, config)
    except SettingsError as exc:
        told = {fault.path for fault in faults}
        faults += [fault for fault in exc.faults if fault.path not in told]
    if faults:
        raise SettingsError(faults)
    return couriers


def _named_secrets(config: Config) -> Iterator[str]:
    """What is no variable of ours and must stand in no log. Whoever needs one that is missing says so."""
    names = [each.url_env for each in config.notify]
    names += [each.secret_env for each in config.components.values() if each.secret_env]
    if config.hooks.sentry and config.hooks.sentry.secret_env:
        names.append(config.hooks.sentry.secret_env)
    for name in names:
        with suppress(SettingsError):
            yield from (secret.get_secret_value() for secret in load_secrets([name]).values())
    if config.heartbeat:
        yield config.heartbeat.url


def _warn(settings: Settings, config: Config) -> None:
    """What starts all the same, and would surprise later."""
    for missing in missing_variables(settings, config):
        _LOG.warning(f"{missing.fault.path} {missing.fault.message}. {missing.advice}".strip())


def _tell(problems: Sequence[BaseException]) -> int:
    """Every problem as a sentence, each once; what a person has to mend is bad usage."""
    for text in dict.fromkeys(_sentence(problem) for problem in problems):
        sys.stderr.write(f"{text}\n")
    kinds = ProviderUnauthorized | SettingsError | OSError
    mendable = any(isinstance(problem, kinds) for problem in problems)
    return _USAGE if mendable else _UNREACHABLE


def _leaves(problems: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for problem in problems.exceptions:
        found += _leaves(problem) if isinstance(problem, BaseExceptionGroup) else [problem]
    return found


def _sentence(problem: BaseException) -> str:
    if isinstance(problem, OperationError):
        return f"{problem.message} {problem.hint}".strip()
    return f"HMS_HOST and HMS_PORT cannot be listened on: {problem}"
