"""The HTTP side, put together from the configuration and the services."""

from __future__ import annotations

import secrets

from bot.bootstrap import Services
from handlers.http.boundary import BoundarySettings


def build_boundary(services: Services) -> BoundarySettings:
    """What stands around every request."""
    return BoundarySettings(guard=services.supervisor, new_id=lambda: secrets.token_hex(8))
