"""`/hms …`: each command is parsed, called and presented; what it means is `operations`' matter."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache

from slack_bolt.async_app import AsyncApp
from slack_bolt.context.ack.async_ack import AsyncAck

from handlers import language
from handlers.slack.boundary import Asker, Boundary, Work
from handlers.slack.cards import Cards
from handlers.slack.digest import DigestAnswers
from handlers.slack.doctor import Doctor, Examining
from handlers.slack.errors import ErrorAnswers
from handlers.slack.ids import SLASH_COMMAND
from handlers.slack.inquiries import InquiryAnswers
from handlers.slack.monitoring import Monitoring
from handlers.slack.payloads import Payload, asker_of_command, text
from handlers.slack.subjects import Subjects
from handlers.slack.views import answers, reports
from handlers.slack.views.blocks import Message
from handlers.slack.views.form import deploy_form, fits
from operations.clock import Clock
from operations.deployment.requests import DeployRequest
from operations.deployment.service import Deployments
from operations.errors import InvalidRequest
from operations.monitoring.alerting import Alerting
from operations.monitoring.digest.digests import Digests
from operations.monitoring.errors.triage import Triage


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the handlers of Slack work with."""

    deployments: Deployments
    alerting: Alerting
    triage: Triage
    boundary: Boundary
    cards: Cards
    subjects: Subjects
    clock: Clock
    digests: Digests | None = None
    examining: Examining | None = None


def register(app: AsyncApp, desk: Desk) -> None:
    """The one slash command, and an answer to any other that an old manifest may still bring."""
    commands = Commands(desk)

    @app.command(SLASH_COMMAND)
    async def hms(ack: AsyncAck, body: dict[str, object]) -> None:
        await commands.take(ack, body)

    @app.command(re.compile(".*"))
    async def other(ack: AsyncAck, body: dict[str, object]) -> None:
        await commands.take_unknown(ack, body)


class Commands:
    """Carries out what was understood."""

    def __init__(self, desk: Desk) -> None:
        self._deployments = desk.deployments
        self._boundary = desk.boundary
        self._clock = desk.clock
        self._catalog = desk.deployments.inquiries.catalog
        self._monitoring = Monitoring(desk.alerting, desk.clock)
        self._inquiries = InquiryAnswers(desk.deployments, desk.alerting, desk.cards, desk.clock)
        self._digest = DigestAnswers(desk.digests)
        self._doctor = Doctor(desk.examining)
        self._errors = ErrorAnswers(
            desk.triage, desk.deployments.inquiries.catalog, desk.cards, desk.clock
        )

    async def take(self, ack: AsyncAck, body: Payload) -> None:
        """`/hms …`."""
        asker = asker_of_command(body)
        try:
            command = language.parse(text(body, "text"), self._catalog)
        except InvalidRequest as exc:
            await self._boundary.answer(ack, asker, _refusing(exc))
            return
        if isinstance(command, language.Help):
            await self._boundary.reply(ack, asker, _help(command))
            return
        catalog = self._deployments.inquiries.catalog
        if isinstance(command, language.DeployForm) and fits(catalog):
            view = deploy_form(catalog, asker.channel)
            await self._boundary.open_form(ack, asker, text(body, "trigger_id"), view)
            return
        await self._boundary.answer(ack, asker, lambda: self._carry_out(command, asker))

    async def take_unknown(self, ack: AsyncAck, body: Payload) -> None:
        """Any other slash command."""
        unknown = InvalidRequest(f"HMS-SYS answers to {SLASH_COMMAND} only.", hint="Say `help`.")
        await self._boundary.answer(ack, asker_of_command(body), _refusing(unknown))

    async def _carry_out(self, command: language.Command, asker: Asker) -> Message:
        match command:
            case language.Deploy() | language.Rollback() | language.Promote():
                return await self._request(command, asker)
            case language.Approve() | language.Reject() | language.Cancel() | language.Review():
                return await self._decide(command, asker)
            case language.Lock() | language.Unlock():
                return await self._hold(command, asker)
            case language.Monitor() | language.Ack() | language.Silence():
                return await self._monitoring.carry_out(command, asker)
            case language.Errors():
                return await self._errors.carry_out(command)
            case language.Digest():
                return await self._digest.carry_out(command, asker)
            case language.Doctor():
                return await self._doctor.examine()
            case language.DeployForm():
                raise InvalidRequest(
                    "There is no target that a form could offer.",
                    hint="Say `deploy PROJECT ENVIRONMENT VERSION`.",
                )
            case language.Help():
                return _help(command)
            case _:
                return await self._inquiries.carry_out(command, asker)

    async def _request(
        self, command: language.Deploy | language.Rollback | language.Promote, asker: Asker
    ) -> Message:
        requests = self._deployments.requests
        match command:
            case language.Deploy():
                request = _deploy_request(command, asker)
                if command.dry_run:
                    return reports.plan(await requests.plan(request, asker.actor))
                return answers.asked(await requests.request(request, asker.actor))
            case language.Rollback():
                request = DeployRequest(
                    project=command.project,
                    environment=command.environment,
                    version=command.version,
                    reason=command.reason,
                    channel=asker.channel,
                )
                return answers.asked(await requests.rollback(request, asker.actor))
            case language.Promote():
                return await self._promote(command, asker)

    async def _promote(self, command: language.Promote, asker: Asker) -> Message:
        requests = self._deployments.requests
        found = await requests.promotion(command.project, command.source, command.destination)
        request = replace(
            found,
            reason=found.reason or f"promoted from {command.source}",
            channel=asker.channel,
        )
        return answers.asked(await requests.request(request, asker.actor))

    async def _decide(
        self,
        command: language.Approve | language.Reject | language.Cancel | language.Review,
        asker: Asker,
    ) -> Message:
        decisions = self._deployments.decisions
        match command:
            case language.Approve():
                rollout = await decisions.approve(command.rollout_id, asker.actor)
                return answers.decided(rollout, "You approved")
            case language.Reject():
                rollout = await decisions.reject(command.rollout_id, asker.actor, command.reason)
                return answers.decided(rollout, "You rejected")
            case language.Cancel():
                rollout = await decisions.cancel(command.rollout_id, asker.actor)
                return answers.decided(rollout, "You cancelled")
            case language.Review():
                reviews = self._deployments.reviews
                return answers.reviewed(
                    await reviews.review(command.rollout_id, asker.actor, command.note)
                )

    async def _hold(self, command: language.Lock | language.Unlock, asker: Asker) -> Message:
        locking = self._deployments.locking
        if isinstance(command, language.Unlock):
            return answers.unlocked(
                await locking.unlock(command.project, command.environment, asker.actor)
            )
        lock = await locking.lock(
            command.project,
            command.environment,
            asker.actor,
            reason=command.reason,
            span=command.span,
        )
        return answers.locked(lock, reports.lock_span(lock, self._clock.now()))


def _deploy_request(command: language.Deploy, asker: Asker) -> DeployRequest:
    return DeployRequest(
        project=command.project,
        environment=command.environment,
        version=command.version,
        provider=command.provider,
        reason=command.reason,
        emergency=command.emergency,
        channel=asker.channel,
        start=command.at,
    )


def _help(command: language.Help) -> Message:
    return answers.help_topic(command.topic) if command.topic else _overview()


@cache
def _overview() -> Message:
    """Put together once: it is the same for everybody, and its many lines cost more than the rest."""
    return answers.help_overview()


def _refusing(refusal: InvalidRequest) -> Work:
    async def refused() -> Message:
        raise refusal

    return refused
