"""What is shipped: a version, and the immutable artifact it was resolved to at the request."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """`version` is the people's word (a tag, a branch, a commit); `artifact` what is handed to the platform.

    `pin` is the immutable name, an image digest (`sha256:…`) or a full commit. It is empty when the
    platform could not tell: then the release is mutable, and every message says so.
    """

    version: str
    artifact: str
    pin: str = ""

    @property
    def is_pinned(self) -> bool:
        """Whether the artifact can never change under its name."""
        return bool(self.pin)


def is_same_artifact(one: Release, other: Release) -> bool:
    """Whether both are the same immutable thing, whatever people called it."""
    return one.is_pinned and one.pin == other.pin


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """A provider's answer to "what would this version be?".

    `current` is the release that serves now, None when nothing does. `changes` are one-line
    descriptions of what would be different, for `--dry-run`. `warnings` are told before approval.
    """

    release: Release
    current: Release | None
    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
