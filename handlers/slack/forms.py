"""The deploy form, when it is sent: what can be told at once is told in the form, the rest privately."""

from __future__ import annotations

import re
from collections.abc import Iterator

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from handlers.slack.boundary import Asker, Boundary
from handlers.slack.commands import Desk
from handlers.slack.ids import FormBlock, ViewId, decode_channel
from handlers.slack.payloads import Payload, asker_of_interaction, form_value, part, text
from handlers.slack.views import answers
from handlers.slack.views.blocks import Message
from operations.deployment.requests import DeployRequest
from operations.deployment.service import Deployments
from operations.deployment.start_time import StartTime, parse_start
from operations.errors import InvalidRequest, UnknownTarget

_TIMES = "Write 18:30, 2h, or 2026-11-25T18:30+01:00."


def register(app: AsyncApp, desk: Desk) -> None:
    """The form by its id, and silence for views of a version that is gone."""
    forms = Forms(desk.deployments, desk.boundary)

    @app.view(ViewId.DEPLOY.value)
    async def deploy(ack: AsyncAck, body: dict[str, object]) -> None:
        await forms.submit(ack, body)

    @app.view(re.compile(".*"))
    async def other(ack: AsyncAck) -> None:
        await ack()


class Forms:
    """Turns what was filled in into a request."""

    def __init__(self, deployments: Deployments, boundary: Boundary) -> None:
        self._deployments = deployments
        self._boundary = boundary

    async def submit(self, ack: AsyncAck, body: Payload) -> None:
        """The deploy form was sent."""
        view = part(body, "view")
        asker = asker_of_interaction(body, channel=decode_channel(text(view, "private_metadata")))
        faults = dict(self._faults(view))
        if faults:
            await ack(response_action="errors", errors=faults)
            return
        request = _request(view, asker)

        async def work() -> Message:
            return answers.asked(await self._deployments.requests.request(request, asker.actor))

        await self._boundary.answer(ack, asker, work)

    def _faults(self, view: Payload) -> Iterator[tuple[str, str]]:
        """What is wrong, by the input that it stands beside."""
        project = form_value(view, FormBlock.PROJECT)
        environment = form_value(view, FormBlock.ENVIRONMENT)
        if not (project and environment):
            yield FormBlock.ENVIRONMENT.value, "Choose a project and an environment."
        else:
            try:
                self._deployments.inquiries.catalog.find(project, environment)
            except UnknownTarget as exc:
                yield FormBlock.ENVIRONMENT.value, f"{exc.message} {exc.hint}".strip()
        try:
            _start(view)
        except InvalidRequest as exc:
            yield FormBlock.START.value, f"{exc.message} {_TIMES}"


def _start(view: Payload) -> StartTime | None:
    """Raises InvalidRequest."""
    written = form_value(view, FormBlock.START)
    return parse_start(written) if written else None


def _request(view: Payload, asker: Asker) -> DeployRequest:
    return DeployRequest(
        project=form_value(view, FormBlock.PROJECT),
        environment=form_value(view, FormBlock.ENVIRONMENT),
        version=form_value(view, FormBlock.VERSION),
        reason=form_value(view, FormBlock.REASON),
        start=_start(view),
        channel=asker.channel,
    )
