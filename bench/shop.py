"""`python -m bench.shop`: the bot as it runs in production, over a platform that answers at once.

Everything else is real: settings, configuration, HTTP, Slack's side, the worker, the schedule, the database.
So what is measured is ours, and no platform's network.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from bot.bootstrap import Services, open_services
from bot.clock import SystemClock
from bot.config import load_config
from bot.doctor import examine_running
from bot.http import build_http
from bot.logs import start_logging
from bot.metrics import Metrics
from bot.runtime import Bot
from bot.schedule import Loop
from bot.settings import load_settings
from handlers.slack.app import client_session, web_client
from handlers.slack.groups import SlackMembers
from operations.deployment.ports import Members
from operations.deployment.worker import Worker, Workshop
from providers.probe import HttpProbe
from tests.fakes_deployment import ScriptedProvider
from tests.workshops import make_deployments


async def serve() -> None:
    """Until SIGTERM. The environment is the bot's own."""
    settings = load_settings()
    start_logging(settings, settings.log_level)
    config = load_config(settings.config_path)
    token = settings.slack_bot_token
    async with client_session() as session:
        client = web_client(
            token.get_secret_value() if token else "", settings.slack_api_url, session
        )
        members = SlackMembers(client, SystemClock())
        async with open_services(settings, config, members) as services:
            scripted = _on_scripts(services, members)
            http = build_http(config, scripted)
            examining = partial(examine_running, settings, config, scripted, client)
            await Bot(settings, scripted, client, Metrics(), http, examining).run()


def _on_scripts(services: Services, members: Members) -> Services:
    """The same services over the scripted platform, which is nobody's network."""
    provider, probe = ScriptedProvider(), HttpProbe()
    shop = Workshop(
        catalog=services.catalog,
        providers={"k8s": provider},
        store=services.database.store,
        queue=services.database.rollout_queue,
        probe=probe,
        clock=services.clock,
    )
    worker = Worker(services.owner, shop, services.supervisor)
    return replace(
        services,
        providers={"k8s": provider},
        loops=[
            Loop("worker", worker.run) if loop.name == "worker" else loop for loop in services.loops
        ],
        deployments=make_deployments(
            services.catalog, provider, services.database, members, services.clock
        ),
        worker=worker,
    )


if __name__ == "__main__":
    asyncio.run(serve())
