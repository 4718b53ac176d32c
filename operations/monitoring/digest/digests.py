"""Makes digests: the day's own when it is due, one when somebody asks, and shows them again later."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from operations.actor import SYSTEM, Actor
from operations.audit import AuditEvent
from operations.clock import Clock
from operations.errors import InvalidRequest, NotPermitted
from operations.monitoring.alert import Alert
from operations.monitoring.check import Check
from operations.monitoring.digest import making
from operations.monitoring.digest.digest import ASKED_FOR, Digest, Errors, StoredDigest
from operations.monitoring.digest.making import Counted, Watched
from operations.monitoring.digest.ports import Store, Transaction
from operations.monitoring.digest.span import Plan, Span, span_until
from operations.monitoring.errors.group import ErrorGroup
from operations.outbox import Notice, NoticeKind, Urgency

PUNCTUAL = timedelta(minutes=5)
"""A digest that is made within this is in time."""

_UTC = ZoneInfo("UTC")
_TOLD = {NoticeKind.CARD: Urgency.DECISION, NoticeKind.CHART: Urgency.PROGRESS}


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestReport:
    """A digest, and how the alerts and groups that it names stand now, by id."""

    stored: StoredDigest
    alerts: Mapping[int, Alert]
    groups: Mapping[int, ErrorGroup]

    @property
    def revision(self) -> int:
        """Rises with every change of what is shown."""
        alerts = sum(alert.revision for alert in self.alerts.values())
        groups = sum(group.revision for group in self.groups.values())
        return self.stored.revision + alerts + groups


class Digests:
    """`plan` None: none is told by itself. Anybody may look; a person may have one posted."""

    def __init__(
        self, *, plan: Plan | None, checks: Sequence[Check], store: Store, clock: Clock
    ) -> None:
        self._plan = plan
        self._checks = checks
        self._store = store
        self._clock = clock
        self._looking_since = clock.now()

    async def preview(self) -> Digest:
        """What a digest would say now, of the last 24 hours; nothing is stored or told."""
        zone = self._plan.zone if self._plan else _UTC
        async with self._store.snapshot() as tx:
            return await self._make(tx, span_until(self._clock.now()), zone)

    async def post_now(self, actor: Actor) -> StoredDigest:
        """Make one of the last 24 hours, for the digest's channel."""
        plan = self._plan
        if plan is None:
            raise InvalidRequest(
                "No channel is configured for digests.",
                hint="Say `digest` to read one here; `digest:` in hms.yaml names the channel.",
            )
        if not actor.is_person:
            raise NotPermitted(
                "This login is not mapped to a Slack user.",
                hint="An admin can add it under `access.cli` in hms.yaml.",
            )
        now = self._clock.now()
        draft = _draft(f"{ASKED_FOR}{secrets.token_hex(8)}", plan, now, await self.preview())
        stored = await self._store_and_tell(replace(draft, due_at=now), actor)
        if stored is None:
            raise AssertionError("a key of its own is never there already")
        return stored

    async def make_due(self) -> StoredDigest | None:
        """Make the newest scheduled one if it is due and nobody has; safe to call at any time, anywhere.

        Of several that were missed only the newest is told. When digests are configured for the first
        time, the days until then are no concern of ours.
        """
        if self._plan is None:
            return None
        day = self._plan.newest_due(self._clock.now())
        async with self._store.snapshot() as tx:
            newest = await tx.digests.newest_day()
        if newest >= day.isoformat():
            return None
        if newest:
            return await self._make_scheduled(self._plan, day, date.fromisoformat(newest))
        async with self._store.transaction() as tx:
            await tx.digests.begin(day.isoformat(), self._clock.now())
        return None

    async def show(self, digest_id: int) -> DigestReport:
        """One digest, with its items as they are now; raises InvalidRequest when there is none."""
        async with self._store.snapshot() as tx:
            stored = await tx.digests.get(digest_id)
            if stored is None:
                raise InvalidRequest(f"There is no digest G-{digest_id}.")
            errors = stored.digest.errors
            groups = [group.id for group in (*errors.new, *errors.worst)]
            alerts = [alert.id for alert in stored.digest.alerts.open]
            return DigestReport(
                stored=stored,
                alerts=await _alerts_now(tx, alerts),
                groups=await _groups_now(tx, groups),
            )

    async def remember_picture(self, digest_id: int, file_id: str) -> None:
        """Its chart is in this file of Slack, so its message can show it."""
        async with self._store.transaction() as tx:
            await tx.digests.save_picture(digest_id, file_id)
            await tx.notices.redraw(f"G-{digest_id}", NoticeKind.CARD, self._clock.now())

    async def _make_scheduled(self, plan: Plan, day: date, before: date) -> StoredDigest | None:
        async with self._store.snapshot() as tx:
            digest = await self._make(tx, plan.span_of(day), plan.zone)
        now = self._clock.now()
        late = now - plan.due_at(day)
        if late >= PUNCTUAL:
            digest = replace(
                digest,
                late=late,
                missed=max(0, (day - before).days - 1),
                is_of_outage=self._looking_since <= plan.due_at(day),
            )
        draft = _draft(day.isoformat(), plan, now, digest)
        return await self._store_and_tell(replace(draft, due_at=plan.due_at(day)), SYSTEM)

    async def _store_and_tell(self, draft: StoredDigest, actor: Actor) -> StoredDigest | None:
        """Of several that make the same one, the first stores it; the others find it there."""
        async with self._store.transaction() as tx:
            stored = await tx.digests.add(draft)
            if stored is not None:
                for kind, urgency in _TOLD.items():
                    notice = Notice(
                        subject=stored.label, kind=kind, channel=stored.channel, urgency=urgency
                    )
                    await tx.notices.put(notice, draft.made_at)
                await tx.audit.add(
                    AuditEvent(
                        at=stored.made_at, actor=actor, action="digest.made", subject=stored.label
                    )
                )
        return stored

    async def _make(self, tx: Transaction, span: Span, zone: ZoneInfo) -> Digest:
        sources = tx.digest_sources
        watched = Watched(
            checks=self._checks,
            records=await tx.checks.all(),
            flips=await sources.flips(span.since),
            changes=await sources.watch_changes(span.since),
        )
        known = Span(span.since, min(span.until, self._clock.now()))
        return Digest(
            span=known,
            zone=zone.key,
            errors=await _errors(tx, span, zone),
            alerts=making.alerts_of(await sources.alerts(span), await tx.alerts.open(), span),
            rollouts=making.rollouts_of(
                await sources.rollouts(span), await sources.unreviewed(limit=making.UNREVIEWED)
            ),
            uptimes=making.uptimes_of(watched, known),
        )


async def _alerts_now(tx: Transaction, alert_ids: Sequence[int]) -> Mapping[int, Alert]:
    found = [await tx.alerts.get(alert_id) for alert_id in alert_ids]
    return {alert.id: alert for alert in found if alert is not None}


async def _groups_now(tx: Transaction, group_ids: Sequence[int]) -> Mapping[int, ErrorGroup]:
    found = [await tx.groups.get(group_id) for group_id in group_ids]
    return {group.id: group for group in found if group is not None}


async def _errors(tx: Transaction, span: Span, zone: tzinfo) -> Errors:
    sources, hours = tx.digest_sources, span.hours()
    before, week = span.earlier(1, zone).hours(), span.earlier(7, zone).hours()
    counted = Counted(
        span=await sources.errors(hours),
        day_before=await sources.errors(before),
        week_before=await sources.errors(week),
    )
    new = await sources.new_groups(span, limit=making.GROUPS)
    # Some of the worst may be new ones, which are told already.
    worst = await sources.worst_groups(span, limit=2 * making.GROUPS)
    return making.errors_of(counted, hours, before, new, worst)


def _draft(key: str, plan: Plan, now: datetime, digest: Digest) -> StoredDigest:
    return StoredDigest(id=0, key=key, channel=plan.channel, due_at=now, made_at=now, digest=digest)
