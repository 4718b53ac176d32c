"""Which parts of a valid configuration have no effect yet, so that nobody believes they do."""

from __future__ import annotations

from collections.abc import Iterator

from bot.config.schema import Config


def pending_parts(config: Config) -> Iterator[str]:
    """Keys that are read and checked, but not acted on by this version."""
    for index, check in enumerate(config.checks):
        if check.error_rate is not None:
            yield f"checks[{index}].error_rate"
    if config.errors.sources:
        yield "errors"
    if config.digest is not None:
        yield "digest"
    if config.email is not None:
        yield "email"
    if config.components:
        yield "components"
