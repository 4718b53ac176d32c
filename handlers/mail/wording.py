"""Times, people and sentences as mail says them: nobody can be mentioned, and no zone is the reader's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from handlers.cli.wording import plain
from operations.actor import Actor

Names = Mapping[str, str]
"""By a Slack user's id: what people are called."""


def called(actor: Actor, names: Names) -> str:
    """A person's name where it is known."""
    return names.get(actor.id) or actor.name or actor.id


def clock(at: datetime, now: datetime) -> str:
    """In UTC: of day when it is near, with the date when it is not."""
    if abs(now - at) < timedelta(hours=20):
        return f"{at:%H:%M} UTC"
    return f"{at.day} {at:%b %H:%M} UTC"


def said(text: str, *actors: Actor | None, names: Names) -> str:
    """A sentence of our own operations: mentions as names, commands as they are said in a terminal."""
    known = {actor.id: called(actor, names) for actor in actors if actor is not None}
    return plain(text, {**names, **known})
