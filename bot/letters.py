"""What delivers on the ways beside Slack, put together, and what is done about ways that are closed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.bootstrap import Services
from bot.config import Config
from bot.routes import Couriers, build_routing
from bot.schedule import Job, Loop
from handlers.delivery import Counter
from handlers.mail.digest import DigestLetters
from handlers.mail.notices import LetterNotices, Way
from handlers.mail.sources import LetterSources
from handlers.mail.subjects import Kinds
from operations.fall_back import FallBack

_FALLS_BACK_EVERY = timedelta(seconds=15)
_GIVES_UP_EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Letters:
    """What runs while the process serves."""

    loops: Sequence[Loop]
    jobs: Sequence[Job]


def build_letters(config: Config, couriers: Couriers, services: Services) -> Letters:
    """A worker for each way, and what is done about ways that are closed."""
    kinds = _kinds(config, services)
    back = FallBack(services.database.fall_back_queue, build_routing(config), services.clock)
    return Letters(
        loops=[
            Loop(route, _worker(route, Way(kinds, courier), services).run)
            for route, courier in couriers.items()
        ],
        jobs=[
            Job("fall back", _FALLS_BACK_EVERY, back.tell_elsewhere),
            Job("gone routes", _GIVES_UP_EVERY, back.give_up_routes),
        ],
    )


def _worker(route: str, way: Way, services: Services) -> LetterNotices:
    counter = Counter(
        owner=services.owner,
        route=route,
        queue=services.database.notice_queue,
        clock=services.clock,
        guard=services.supervisor,
    )
    return LetterNotices(counter, way)


def _kinds(config: Config, services: Services) -> Kinds:
    """What letters may be about, by the letter that names begin with."""
    sources = LetterSources(
        inquiries=services.deployments.inquiries,
        alerting=services.monitoring.alerting,
        clock=services.clock,
        addresses={check.id: check.url for check in services.monitoring.checks},
        names={user: login for login, user in config.access.cli.items()},
        tickets=services.tickets,
    )
    digests = DigestLetters(services.digests.digests, services.digests.painter)
    return {"A": sources.alert, "D": sources.rollout, "G": digests.subject}
