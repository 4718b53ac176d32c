"""Reads rollouts and alerts for letters, as they are at this moment, and hands them to the views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from handlers.mail import alerts, rollouts
from handlers.mail.alerts import AlertPage
from handlers.mail.pages import Page
from handlers.mail.rollouts import RolloutPage
from handlers.mail.subjects import Subject
from handlers.mail.wording import Names
from handlers.subjects import UnknownSubject
from handlers.tickets import Tickets
from operations.clock import Clock
from operations.deployment.inquiries import Inquiries
from operations.deployment.rollout import Rollout, parse_rollout_id, rollout_name
from operations.errors import InvalidRequest, UnknownRollout, UnknownTarget
from operations.monitoring.alerting import Alerting
from operations.outbox import NoticeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterSources:
    """Where pages come from. `addresses` by check's id: what is asked; `names` of people by their ids."""

    inquiries: Inquiries
    alerting: Alerting
    clock: Clock
    addresses: Mapping[str, str] = field(default_factory=dict)
    names: Names = field(default_factory=dict)
    tickets: Tickets = field(default_factory=Tickets)

    def alert(self, alert_id: int) -> Subject:
        """An alert as a subject of letters."""
        return _AlertSubject(self, alert_id)

    def rollout(self, rollout_id: int) -> Subject:
        """A rollout as a subject of letters."""
        return _RolloutSubject(self, rollout_id)

    async def find_rollout(self, rollout_id: int | None) -> Rollout | None:
        """None when there is none, or not any more."""
        if rollout_id is None:
            return None
        try:
            return (await self.inquiries.show(rollout_id)).rollout
        except UnknownRollout:
            return None

    def title_of(self, rollout: Rollout) -> str:
        """Platform and object for people."""
        try:
            return self.inquiries.catalog.find(rollout.project, rollout.environment).spec.title
        except UnknownTarget:
            return f"{rollout.provider}, not configured any more"


class _AlertSubject:
    """Implements `subjects.Subject`."""

    def __init__(self, sources: LetterSources, alert_id: int) -> None:
        self._sources = sources
        self._alert_id = alert_id

    async def page(self, kind: NoticeKind) -> Page | None:
        """The alert with all that share its cause."""
        sources = self._sources
        try:
            group = await sources.alerting.group(self._alert_id)
        except InvalidRequest as exc:
            raise UnknownSubject(exc.message, hint=exc.hint) from exc
        shown = AlertPage(
            group=group,
            now=sources.clock.now(),
            addresses=sources.addresses,
            rollout=await sources.find_rollout(parse_rollout_id(group.leader.rollout)),
            names=sources.names,
        )
        return alerts.draw(shown, kind)


class _RolloutSubject:
    """Implements `subjects.Subject`."""

    def __init__(self, sources: LetterSources, rollout_id: int) -> None:
        self._sources = sources
        self._rollout_id = rollout_id

    async def page(self, kind: NoticeKind) -> Page | None:
        """The rollout."""
        rollout = await self._sources.find_rollout(self._rollout_id)
        if rollout is None:
            raise UnknownSubject(f"There is no rollout {rollout_name(self._rollout_id)}.")
        shown = RolloutPage(
            rollout=rollout,
            now=self._sources.clock.now(),
            title=self._sources.title_of(rollout),
            names=self._sources.names,
            ticket=self._sources.tickets.of(rollout),
        )
        return rollouts.draw(shown, kind)
