"""Which parts of a valid configuration have no effect yet, so that nobody believes they do."""

from __future__ import annotations

from collections.abc import Iterator

from bot.config.schema import Config


def pending_parts(config: Config) -> Iterator[str]:
    """Keys that are read and checked, but not acted on by this version."""
    yield from _sections(config)


def _sections(config: Config) -> Iterator[str]:
    found = {
        "errors": config.errors.sources,
    }
    yield from (name for name, given in found.items() if given)
