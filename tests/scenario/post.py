"""An office that people also hear from by mail: real SMTP, and a clock that a test moves on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from handlers.delivery import Counter, Tempo
from handlers.mail.notices import LetterNotices, Way
from handlers.mail.sources import LetterSources
from operations.fall_back import FallBack
from operations.monitoring.alerting import Alerting
from operations.outbox import MAIL, NoticeKind
from operations.routing import Occasion, Routing
from operations.routing import Way as RoutingWay
from providers.mail import MailCourier
from providers.mail import MailServer as Address
from providers.mail.server import Guarding
from tests.mail_server import MailServer, Taken
from tests.scenario.alarms import PLATFORM, WEB, Alarm
from tests.scenario.office import Office, open_office
from tests.slack_stand_in import SlackStandIn, until
from tests.workshops import Engine, run_plainly

ALL = frozenset({Occasion.ALERT, Occasion.ROLLOUT_FAILED})
SOON = Tempo(
    at_once=2,
    idle_seconds=0.05,
    first_pause_seconds=0.05,
    longest_pause_seconds=0.2,
    refused_seconds=0.2,
)


@dataclass
class Post:
    """The office, its alarms, and the mail server."""

    office: Office
    alarm: Alarm
    mail: MailServer
    letters: LetterNotices
    back: FallBack

    async def arrived(self, words: str) -> Taken:
        """Wait for a mail whose subject has these words."""
        await until(lambda: any(words in self.subject(taken) for taken in self.mail.taken))
        return next(taken for taken in self.mail.taken if words in self.subject(taken))

    async def pass_by(self, minutes: float) -> None:
        """Time goes on, and the job looks after what fell back."""
        self.office.engine.clock.ahead += timedelta(minutes=minutes)
        await self.back.tell_elsewhere()

    async def fails_in_slack(self, subject: str, kind: NoticeKind = NoticeKind.CARD) -> None:
        """Wait until an attempt has ended in an error."""
        queue = self.office.engine.database.notice_queue

        async def has_failed() -> bool:
            return await queue.delay(subject, kind) is not None

        await until(has_failed)

    async def is_told_in_slack(self, subject: str) -> None:
        """Wait until its card is there, and known to be."""
        queue = self.office.engine.database.notice_queue

        async def is_posted() -> bool:
            return await queue.posted(subject, NoticeKind.CARD) is not None

        await until(is_posted)
        assert await queue.delay(subject, NoticeKind.CARD) is None

    def subjects(self) -> list[str]:
        """Of all that was taken."""
        return [self.subject(taken) for taken in self.mail.taken]

    @staticmethod
    def subject(taken: Taken) -> str:
        """One line, decoded."""
        return str(taken.message["Subject"])

    @staticmethod
    def text(taken: Taken) -> str:
        """The plain part."""
        body = taken.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())


@asynccontextmanager
async def open_post(
    tmp_path: Path,
    slack: SlackStandIn,
    mail: MailServer,
    *,
    on: frozenset[Occasion] = ALL,
    delivering: bool = True,
) -> AsyncIterator[Post]:
    """On the database of `tmp_path`; opened twice, it is a bot that was restarted."""
    routing = Routing((RoutingWay(MAIL, on),))
    checks = (WEB, PLATFORM)
    async with open_office(tmp_path, slack, checks=checks, routing=routing) as office:
        engine = office.engine
        post = Post(
            office=office,
            alarm=Alarm(office, checks),
            mail=mail,
            letters=_letters(engine, mail),
            back=FallBack(engine.database.fall_back_queue, routing, engine.clock),
        )
        if not delivering:
            yield post
            return
        async with asyncio.TaskGroup() as group:
            worker = group.create_task(post.letters.run())
            try:
                yield post
            finally:
                worker.cancel()


def _letters(engine: Engine, mail: MailServer) -> LetterNotices:
    sources = LetterSources(
        inquiries=engine.deployments.inquiries,
        alerting=Alerting(checks=(WEB, PLATFORM), store=engine.database.store, clock=engine.clock),
        clock=engine.clock,
        addresses={WEB.id: WEB.url},
    )
    counter = Counter(
        owner="bot-1",
        route=MAIL,
        queue=engine.database.notice_queue,
        clock=engine.clock,
        guard=run_plainly,
    )
    server = Address(host="127.0.0.1", port=mail.port, guarding=Guarding.NONE)
    courier = MailCourier(
        server, sender="hms@example.com", recipients=["ops@example.com"], seconds=2
    )
    way = Way({"A": sources.alert, "D": sources.rollout}, courier)
    return LetterNotices(counter, way, SOON)
