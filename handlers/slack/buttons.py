"""Buttons, and what those of a rollout do. What a click means is decided by the operations as they are now.

A click on something that is over gets a private answer that says what happened, and the message it was
made on is brought up to date.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from handlers.log_fields import about
from handlers.slack.boundary import Asker
from handlers.slack.commands import Desk
from handlers.slack.ids import ActionId, decode_button, kind_of_block, subject_of_block
from handlers.slack.outlet import Outlet
from handlers.slack.payloads import (
    Payload,
    asker_of_interaction,
    clicked_block,
    clicked_message,
    clicked_value,
)
from handlers.slack.views import answers
from handlers.slack.views.blocks import Message
from operations.errors import InvalidRequest

Deed = Callable[[int, Asker], Awaitable[Message | None]]
"""One button: acts on a rollout, an alert or an error group by its number.

The message answers the one who pressed, None: the card itself answers.
"""

_UNTOLD = frozenset({ActionId.ERROR_RESOLVE, ActionId.ERROR_SILENCE})
"""What these do puts no notice for the message that they stand on."""

_GATHERS = "G-"
"""A digest's message shows what has messages elsewhere: nobody makes it due when one of these changes."""


class Buttons:
    """Hands a click to its deed, and a late one's message to be brought up to date."""

    def __init__(self, desk: Desk, outlet: Outlet) -> None:
        self._boundary = desk.boundary
        self._subjects = desk.subjects
        self._outlet = outlet

    def register(self, app: AsyncApp, deeds: Mapping[ActionId, Deed]) -> None:
        """Every button by its id, and one answer for buttons of a version that is gone."""
        for action_id, deed in deeds.items():
            self._listen(app, action_id, deed)

        @app.action(re.compile(".*"))
        async def other(ack: AsyncAck, body: dict[str, object]) -> None:
            await self._press_unknown(ack, body)

    def _listen(self, app: AsyncApp, action_id: ActionId, deed: Deed) -> None:
        @app.action(action_id.value)
        async def pressed(ack: AsyncAck, body: dict[str, object]) -> None:
            await self._press(ack, body, deed, moves=action_id in _UNTOLD)

    async def _press(self, ack: AsyncAck, body: Payload, deed: Deed, *, moves: bool) -> None:
        """A button of ours was pressed. `moves`: what it does is seen on the message only if we redraw it."""
        asker = asker_of_interaction(body)
        value = decode_button(clicked_value(body))

        async def work() -> Message | None:
            if value is None:
                raise InvalidRequest(
                    "This button does nothing any more.", hint="See `status` and `history`."
                )
            return await deed(value.number, asker)

        async def refresh(refused: bool) -> None:
            posted, block = clicked_message(body), clicked_block(body)
            subject = subject_of_block(block)
            if value is None or posted is None or not subject:
                return
            if refused or moves or subject.startswith(_GATHERS):
                await self._subjects.refresh(self._outlet, posted, subject, kind_of_block(block))

        with about(subject_of_block(clicked_block(body))):
            await self._boundary.answer(ack, asker, work, afterwards=refresh)

    async def _press_unknown(self, ack: AsyncAck, body: Payload) -> None:
        """A button that this version does not know."""

        async def work() -> Message:
            return answers.gone_button()

        await self._boundary.answer(ack, asker_of_interaction(body), work)


class RolloutButtons:
    """Approve, Reject, Cancel, Roll back, Retry."""

    def __init__(self, desk: Desk) -> None:
        self._deployments = desk.deployments

    def deeds(self) -> dict[ActionId, Deed]:
        """What each button does."""
        return {
            ActionId.APPROVE: self._approve,
            ActionId.REJECT: self._reject,
            ActionId.CANCEL: self._cancel,
            ActionId.ROLL_BACK: self._roll_back,
            ActionId.RETRY: self._retry,
        }

    async def _approve(self, rollout_id: int, asker: Asker) -> None:
        await self._deployments.decisions.approve(rollout_id, asker.actor)

    async def _reject(self, rollout_id: int, asker: Asker) -> None:
        await self._deployments.decisions.reject(rollout_id, asker.actor)

    async def _cancel(self, rollout_id: int, asker: Asker) -> None:
        await self._deployments.decisions.cancel(rollout_id, asker.actor)

    async def _roll_back(self, rollout_id: int, asker: Asker) -> Message:
        return answers.asked(await self._deployments.requests.take_back(rollout_id, asker.actor))

    async def _retry(self, rollout_id: int, asker: Asker) -> Message:
        return answers.asked(await self._deployments.requests.repeat(rollout_id, asker.actor))
