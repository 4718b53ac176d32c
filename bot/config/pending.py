"""Which parts of a valid configuration have no effect yet, so that nobody believes they do."""

from __future__ import annotations

from collections.abc import Iterator

from bot.config.schema import Config


def pending_parts(config: Config) -> Iterator[str]:
    """Keys that are read and checked, but not acted on by this version."""
    for index, check in enumerate(config.checks):
        for key in ("error_rate",):
            if key in check.model_fields_set:
                yield f"checks[{index}].{key}"
    yield from _sections(config)


def _sections(config: Config) -> Iterator[str]:
    found = {
        "errors": config.errors.sources,
    }
    yield from (name for name, given in found.items() if given)
    for name, component in config.components.items():
        if component.webhook is not None:
            yield f"components.{name}.webhook"
