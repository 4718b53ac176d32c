"""What Slack sends, read once and strictly: who asked, where, and with which words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from handlers.slack.boundary import Asker
from handlers.slack.ids import FORM_INPUT
from operations.actor import Actor, ActorKind
from operations.outbox import PostedMessage

Payload = Mapping[str, object]


def asker_of_command(body: Payload) -> Asker:
    """A slash command."""
    return Asker(
        actor=_actor(text(body, "user_id"), text(body, "user_name")),
        channel=text(body, "channel_id"),
        response_url=text(body, "response_url"),
        hears_ack=True,
    )


def asker_of_interaction(body: Payload, *, channel: str = "") -> Asker:
    """A click, or a form that was sent; a form brings no channel of its own."""
    user = part(body, "user")
    return Asker(
        actor=_actor(text(user, "id"), text(user, "username") or text(user, "name")),
        channel=text(part(body, "channel"), "id") or channel,
        response_url=text(body, "response_url"),
    )


def clicked_value(body: Payload) -> str:
    """The value of the button that was pressed."""
    return text(_pressed(body), "value")


def clicked_block(body: Payload) -> str:
    """The block that the button stands in, which tells whose message it is: see `ids`."""
    return text(_pressed(body), "block_id")


def _pressed(body: Payload) -> Payload:
    actions = body.get("actions")
    first = actions[0] if isinstance(actions, list) and actions else None
    return cast("Payload", first) if isinstance(first, Mapping) else {}


def clicked_message(body: Payload) -> PostedMessage | None:
    """The message that carries the button."""
    container = part(body, "container")
    channel = text(container, "channel_id") or text(part(body, "channel"), "id")
    ts = text(container, "message_ts") or text(part(body, "message"), "ts")
    return PostedMessage(channel=channel, ts=ts) if channel and ts else None


def form_value(view: Payload, block_id: str) -> str:
    """What was chosen or written in one input of a form; "" when it was left empty."""
    given = part(part(part(part(view, "state"), "values"), block_id), FORM_INPUT)
    chosen = text(part(given, "selected_option"), "value")
    return (chosen or text(given, "value")).strip()


def text(body: Payload, key: str) -> str:
    """A text of the payload; "" when there is none."""
    value = body.get(key)
    return value if isinstance(value, str) else ""


def part(body: Payload, key: str) -> Payload:
    """A part of the payload; an empty one when there is none."""
    value = body.get(key)
    return cast("Payload", value) if isinstance(value, Mapping) else {}


def _actor(user_id: str, name: str) -> Actor:
    return Actor(id=user_id, kind=ActorKind.SLACK, name=name)
