"""Alerts that other systems raise: told, grouped, escalated and silenced as our own.

A sender repeats itself, and what it sends may come twice or in the wrong order. So each alert is known by
its key, and each time it fires (an episode) by when that began: an episode that ended stays so, whatever
is heard of it later. The record of a check holds which episode is the newest; `last.at` is its beginning.

An episode that a person resolved too soon is raised again when its sender still repeats it after
`_HEEDED` (Alertmanager does so every four hours): else nobody would hear of an outage that goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from operations.clock import Clock
from operations.monitoring.alert import AlertDraft
from operations.monitoring.check import CheckRecord, CheckState, Flip, Observation, Outcome
from operations.monitoring.journal import fire, progress, recover
from operations.monitoring.ports import Store, Surroundings, Transaction
from operations.redaction import clean

_HEEDED = timedelta(hours=1)
"""So long the word of whoever resolved it stands against the sender's."""

_RECENT_ROLLOUT = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorAlert:
    """`source` and `key` together are lasting; `since` is when this episode began, by the sender's clock.

    `url` is where the sender tells more.
    """

    source: str
    key: str
    name: str
    project: str
    environment: str
    is_firing: bool
    reason: str
    since: datetime
    url: str = ""

    @property
    def check_id(self) -> str:
        """What stands in the place of a check's id: no check of ours is called like a system."""
        return f"{self.source}:{self.key}"


class VendorAlerts:
    """Takes what other systems say. `channel` is where alerts go."""

    def __init__(
        self, *, store: Store, surroundings: Surroundings, clock: Clock, channel: str
    ) -> None:
        self._store = store
        self._surroundings = surroundings
        self._clock = clock
        self._channel = channel

    async def receive(self, alerts: Sequence[VendorAlert]) -> None:
        """Store what they say, each in a transaction of its own; safe to repeat after an error.

        Raises StorageError.
        """
        for alert in alerts:
            await self._receive(_cleaned(alert))

    async def _receive(self, alert: VendorAlert) -> None:
        now = self._clock.now()
        rollout = ""
        if alert.is_firing:
            rollout = await self._surroundings.rollout_at(
                alert.project, alert.environment, min(alert.since, now) - _RECENT_ROLLOUT
            )
        async with self._store.transaction() as tx:
            record = await tx.checks.get(alert.check_id, lock=True)
            if not alert.is_firing:
                await _end(tx, record, alert, now)
            elif not await _is_old(tx, record, alert, now):
                await _note(tx, record, alert, now)
                await self._go_on(tx, alert, rollout, now)

    async def _go_on(self, tx: Transaction, said: VendorAlert, rollout: str, now: datetime) -> None:
        """A repeat counts nothing: how often a system repeats itself says nothing of what it saw."""
        known = await tx.alerts.open_for(said.check_id)
        place = known or said
        await tx.alerts.hold(place.project, place.environment)
        alert = await tx.alerts.open_for(said.check_id)
        if alert is None:
            await fire(tx, self._draft(said, rollout, now), now)
        elif alert.is_well:
            again = replace(alert, well_at=None, seen=alert.seen + 1, reason=said.reason)
            await progress(tx, again, now)
        elif alert.reason != said.reason:
            await progress(tx, replace(alert, reason=said.reason), now)

    def _draft(self, said: VendorAlert, rollout: str, now: datetime) -> AlertDraft:
        return AlertDraft(
            check_id=said.check_id,
            name=said.name,
            project=said.project,
            environment=said.environment,
            channel=self._channel,
            since=min(said.since, now),
            seen=1,
            reason=said.reason,
            is_flapping=False,
            rollout=rollout,
            fired_at=now,
            source=said.source,
            url=said.url,
        )


async def _is_old(tx: Transaction, record: CheckRecord, said: VendorAlert, now: datetime) -> bool:
    """Whether it is over by now what the sender calls firing."""
    episode = record.last.at if record.last else None
    if episode is None or said.since > episode:
        return False
    if said.since < episode or record.state is CheckState.OK:
        return True
    if record.state is CheckState.FAILING:
        return False
    flips = await tx.checks.flips(record.check_id)
    return bool(flips) and now - flips[-1].at < _HEEDED


async def _end(tx: Transaction, record: CheckRecord, said: VendorAlert, now: datetime) -> None:
    """Known also when nobody heard that it fired: that may come later."""
    if record.last is not None and said.since < record.last.at:
        return
    await _note(tx, record, said, now)
    alert = await tx.alerts.open_for(said.check_id)
    if alert is None:
        return
    await tx.alerts.hold(alert.project, alert.environment)
    alert = await tx.alerts.open_for(said.check_id)
    if alert is not None:
        await recover(tx, alert, now)


async def _note(tx: Transaction, record: CheckRecord, said: VendorAlert, now: datetime) -> None:
    """The episode, and whether it goes on."""
    state = CheckState.FAILING if said.is_firing else CheckState.OK
    outcome = Outcome.FAILING if said.is_firing else Outcome.OK
    seen = Observation(outcome=outcome, at=said.since, detail=said.reason)
    await tx.checks.save(replace(record, state=state, last=seen))
    if state is not record.state:
        flip = Flip(
            check_id=record.check_id, old=record.state, new=state, reason=said.reason, at=now
        )
        await tx.checks.flipped(flip)


def _cleaned(said: VendorAlert) -> VendorAlert:
    return replace(
        said,
        key=clean(said.key, limit=200),
        name=clean(said.name, limit=120),
        reason=clean(said.reason, limit=300),
        url=clean(said.url, limit=500),
    )
