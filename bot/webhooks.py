"""Calls to components that listen: who they are, what their calls say, and what runs while the bot serves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta

from bot.bootstrap import Services
from bot.config import Config
from bot.faults import Fault, SettingsError
from bot.schedule import Job, Loop
from bot.settings import load_secrets
from handlers.documents import rollout_document
from handlers.error_documents import error_document
from handlers.monitoring_documents import alert_document
from operations.clock import Clock
from operations.errors import InvalidRequest
from operations.integration.webhooks.calling import Calling, Switchboard
from operations.integration.webhooks.feeding import Feeding
from operations.integration.webhooks.listener import Listener
from operations.integration.webhooks.ports import Caller
from operations.integration.webhooks.retention import Retention

_FORGETS_EVERY = timedelta(hours=1)
_SECRET_NEEDED = "is no secret of Standard Webhooks: write whsec_ and 24 to 64 bytes in base64"  # noqa: S105 - a sentence


@dataclass(frozen=True, slots=True)
class WebhookSide:
    """What runs while the bot serves."""

    loops: Sequence[Loop] = ()
    jobs: Sequence[Job] = ()


def open_callers(
    config: Config,
    clock: Clock,
    stack: AsyncExitStack,
    environ: Mapping[str, str] | None = None,
) -> Mapping[str, Caller]:
    """One for each component with a webhook; `stack` closes them.

    Raises SettingsError with everything that is wrong with their secrets.
    """
    listening = {name: each for name, each in config.components.items() if each.webhook}
    if not listening:
        return {}
    from providers.webhooks import Endpoint, WebhookCaller

    secrets = load_secrets([each.secret_env or "" for each in listening.values()], environ)
    callers: dict[str, Caller] = {}
    faults: list[Fault] = []
    for name, each in listening.items():
        variable = each.secret_env or ""
        endpoint = Endpoint(
            component=name,
            url=each.webhook or "",
            secret=secrets[variable].get_secret_value(),
            may_be_private=each.private,
        )
        try:
            caller = WebhookCaller(endpoint, clock)
        except InvalidRequest:
            faults.append(Fault(variable, 0, 0, _SECRET_NEEDED))
            continue
        stack.push_async_callback(caller.close)
        callers[name] = caller
    if faults:
        raise SettingsError(faults)
    return callers


def build_webhooks(
    config: Config, callers: Mapping[str, Caller], services: Services
) -> WebhookSide:
    """The loop that calls, and the job that forgets, also the calls of a component that is gone."""
    database = services.database
    retention = Retention(database.delivery_queue, services.clock)
    jobs = [Job("forget webhooks", _FORGETS_EVERY, retention.sweep)]
    if not callers:
        return WebhookSide(jobs=jobs)
    listeners = {name: Listener(name, "read" in config.components[name].may) for name in callers}
    feeding = Feeding(
        list(listeners.values()), database.store, services.clock, _Descriptions(services).describe
    )
    calling = Calling(
        Switchboard(
            feeding=feeding,
            queue=database.delivery_queue,
            listeners=listeners,
            callers=callers,
            clock=services.clock,
            guard=services.supervisor,
        )
    )
    return WebhookSide(
        loops=[Loop("webhooks", calling.run)],
        jobs=jobs,
    )


class _Descriptions:
    """Subjects as the API's documents have them."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def describe(self, subject: str) -> Mapping[str, object] | None:
        """None for one that is not kept any more."""
        letter, _, number = subject.partition("-")
        try:
            return await self._document(letter, int(number))
        except (InvalidRequest, ValueError):
            return None

    async def _document(self, letter: str, number: int) -> Mapping[str, object]:
        services = self._services
        match letter:
            case "D":
                report = await services.deployments.inquiries.show(number)
                return dict(rollout_document(report.rollout))
            case "A":
                return dict(alert_document(await services.monitoring.alerting.show(number)))
        return dict(error_document(await services.errors.triage.show(number))["groups"][0])
