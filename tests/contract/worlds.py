"""What the one contract suite of providers needs of each platform's stand-in.

`test_provider.py` runs over every world here; each `world_<platform>.py` opens its own.
"""

from __future__ import annotations

from typing import Protocol

from operations.deployment.ports import Provider
from operations.deployment.target import Target


class World(Protocol):
    """A stand-in with one target, on which version `first` is live and healthy when it opens."""

    @property
    def provider(self) -> Provider:
        """The real adapter, talking to the stand-in over loopback."""
        ...

    @property
    def target(self) -> Target:
        """The target under test; its timeout is a few seconds."""
        ...

    @property
    def first(self) -> str:
        """The version that serves at the beginning."""
        ...

    @property
    def good(self) -> str:
        """A version that becomes healthy within a second or two."""
        ...

    @property
    def bad(self) -> str:
        """A version that resolves and then cannot run."""
        ...

    @property
    def slow(self) -> str:
        """A version that takes longer than any test waits."""
        ...

    @property
    def missing(self) -> str | None:
        """A version that the platform knows not to exist; None when it cannot know."""
        ...

    async def serving(self) -> str:
        """The version that truly serves, read from the stand-in and not through the adapter."""
        ...

    async def changes(self) -> int:
        """How many changes (patches, service updates, deployments) the platform was asked for."""
        ...

    async def break_down(self) -> None:
        """From now on every request fails, as when the platform is down."""
        ...

    async def recover(self) -> None:
        """Undo `break_down`."""
        ...
