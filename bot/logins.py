"""Who somebody at a terminal counts as."""

from __future__ import annotations

import getpass
from collections.abc import Mapping

from operations.actor import Actor, ActorKind


def actor_of_login(users: Mapping[str, str]) -> Actor:
    """The Slack user to whom `access.cli` maps the login; else nobody whose vote counts."""
    login = getpass.getuser()
    return Actor(id=users.get(login) or f"cli:{login}", kind=ActorKind.CLI, name=login)
