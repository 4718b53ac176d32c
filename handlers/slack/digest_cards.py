"""Gathers what a digest's message shows, as its items stand at this moment, and hands it to the view."""

from __future__ import annotations

from dataclasses import dataclass, replace

from handlers.slack.digest_charts import DigestCharts
from handlers.slack.subjects import Reply, Subject, UnknownSubject
from handlers.slack.views.blocks import Message
from handlers.slack.views.digest import DigestCard, draw
from operations.clock import Clock
from operations.errors import InvalidRequest
from operations.monitoring.digest.digests import DigestReport, Digests
from operations.monitoring.digest.ports import Painter
from operations.outbox import NoticeKind, PostedMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestParts:
    """What Slack's side of digests is built from. `native_charts`: by Slack's own block."""

    digests: Digests
    painter: Painter
    native_charts: bool = False


class DigestCards:
    """Draws digests."""

    def __init__(self, digests: Digests, charts: DigestCharts, clock: Clock) -> None:
        self._digests = digests
        self._charts = charts
        self._clock = clock

    def subject(self, digest_id: int) -> Subject:
        """The digest as a subject of messages."""
        return _DigestSubject(self, digest_id)

    async def read(self, digest_id: int) -> DigestReport:
        """The digest, and its items as they are; raises UnknownSubject."""
        try:
            return await self._digests.show(digest_id)
        except InvalidRequest as exc:
            raise UnknownSubject(exc.message, hint=exc.hint) from exc

    async def draw(self, report: DigestReport) -> Message:
        """The digest's message, with its chart where there can be one."""
        chart = self._charts.block(report.stored)
        drawn = draw(DigestCard(report=report, now=self._clock.now(), chart=chart))
        if chart is None:
            return drawn

        async def plainer() -> Message:
            self._charts.refused(report.stored)
            return await self.draw(report)

        return replace(drawn, otherwise=plainer)

    async def illustrate(self, report: DigestReport, card: PostedMessage) -> None:
        """Put its chart into the card's thread."""
        await self._charts.share(report.stored, card)


class _DigestSubject:
    """Implements `subjects.Subject`."""

    def __init__(self, cards: DigestCards, digest_id: int) -> None:
        self._cards = cards
        self._digest_id = digest_id

    async def revision(self) -> int:
        """That of the digest and of all that it names."""
        return (await self._cards.read(self._digest_id)).revision

    async def draw(self) -> Message:
        """Its message."""
        return await self._cards.draw(await self._cards.read(self._digest_id))

    async def reply(self, kind: NoticeKind) -> Reply:
        """Nothing is told in its thread; were it asked for, it would be the same again."""
        return Reply(await self.draw())

    async def illustrate(self, card: PostedMessage) -> None:
        """With its chart."""
        await self._cards.illustrate(await self._cards.read(self._digest_id), card)

    async def overtaken(self) -> str:
        """Digests do not take each other's place."""
        return ""
