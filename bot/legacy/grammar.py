"""Whether HMS-SYS would take a call's words: parsed by its own grammar, compared with hms.yaml, never run."""

from __future__ import annotations

from collections.abc import Sequence

from bot.config import load_config
from bot.settings import load_settings
from handlers.cli.switches import SWITCHES
from handlers.language import (
    Command,
    Deploy,
    Errors,
    History,
    Logs,
    Monitor,
    Rollback,
    Status,
    parse_argv,
)
from handlers.language.verbs import COMMAND_LINE_ONLY
from operations.deployment.target import Catalog
from operations.errors import OperationError, UnknownTarget
from operations.integration.legacy.references import ANY_WORDS, Refuses

_EVERYTHING = frozenset({"all", "everything", "everywhere", "*"})


def configured_targets() -> Catalog | None:
    """Those of hms.yaml; None where there is none that can be read yet."""
    try:
        return load_config(load_settings().config_path).catalog()
    except OperationError:
        return None


def refusals(catalog: Catalog | None) -> Refuses:
    """What HMS-SYS says against words; without a `catalog` it cannot tell which targets there are."""

    def refuses(words: Sequence[str]) -> str:
        if list(words[1:]) == ["--help"] and words[0] in COMMAND_LINE_ONLY:
            return ""
        try:
            command, _ = parse_argv(words, SWITCHES)
            return _trouble(command, catalog)
        except UnknownTarget as exc:
            return f"{exc.message.rstrip('.')} in hms.yaml"
        except OperationError as exc:
            return exc.message.rstrip(".")

    return refuses


def _trouble(command: Command, catalog: Catalog | None) -> str:
    """Raises UnknownTarget for names that hms.yaml does not have."""
    if not isinstance(command, Deploy | Errors | History | Logs | Monitor | Rollback | Status):
        return ""
    project, environment = command.project, command.environment
    if isinstance(command, Deploy) and project.lower() in _EVERYTHING:
        return "HMS-SYS deploys one target at a time"
    if catalog is None or project in ANY_WORDS:
        return ""
    found = catalog.select(project, "" if environment in ANY_WORDS else environment)
    provider = command.provider if isinstance(command, Deploy | Status) else ""
    if provider and provider not in {target.provider for target in found}:
        right = ", ".join(sorted({target.provider for target in found}))
        return (
            f"{'/'.join(filter(None, [project, environment]))} is deployed by {right} in hms.yaml"
        )
    return ""
