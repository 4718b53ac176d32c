"""Digests on both databases: one for a day whoever makes it, from what the tables really hold."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from operations.actor import SYSTEM, Actor
from operations.deployment.rollout import Review, RolloutState
from operations.errors import InvalidRequest, NotPermitted
from operations.monitoring.alert import AlertDraft, AlertState
from operations.monitoring.alerting import Alerting
from operations.monitoring.check import CheckRecord, CheckState, Flip, Observation, Outcome
from operations.monitoring.digest.digest import StoredDigest
from operations.monitoring.digest.digests import Digests
from operations.monitoring.digest.span import Plan
from operations.monitoring.errors.group import ErrorGroup, GroupState
from storage.database import Database, open_database
from tests.contract.databases import add_rollout, save_rollout
from tests.contract.test_storage_alerts import make_draft
from tests.contract.test_storage_errors import PLAIN
from tests.factories import ALICE, NOBODY
from tests.scenario.alarms import WEB

pytest_plugins = ("tests.contract.database_fixtures",)

HOUR = timedelta(hours=1)
PLAN = Plan("C02OPS", time(9), ZoneInfo("Europe/London"))
DUE = datetime(2026, 11, 24, 9, tzinfo=UTC)
BEGAN = DUE - timedelta(days=3)
TOLD = 2
"""Notices of each: its message, and the chart in its thread."""


class SetClock:
    """Says what it was set to."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing waits here")


def make_digests(database: Database, clock: SetClock, plan: Plan | None = PLAN) -> Digests:
    return Digests(plan=plan, checks=[WEB], store=database.store, clock=clock)


async def begun(database: Database, clock: SetClock) -> Digests:
    """Configured for some days, so that digests are made."""
    now, clock.time = clock.time, BEGAN
    digests = make_digests(database, clock)
    assert await digests.make_due() is None
    clock.time = now
    return digests


async def made(digests: Digests) -> StoredDigest:
    found = await digests.make_due()
    assert found is not None
    return found


async def depth(database: Database) -> int:
    return await database.notice_queue.depth()


async def add_group(database: Database, **changes: object) -> ErrorGroup:
    plain = replace(PLAIN, first_seen=DUE - 5 * HOUR, last_seen=DUE - HOUR)
    async with database.store.transaction() as tx:
        return await tx.groups.add(replace(plain, **changes))  # type: ignore[arg-type]  # the dataclass checks


async def count(database: Database, group: ErrorGroup, *found: tuple[datetime, int]) -> None:
    async with database.store.transaction() as tx:
        await tx.counts.count({group.id: dict(found)})
        await tx.counts.count_targets({(group.project, group.environment): dict(found)})


async def test_it_is_made_when_it_is_due_and_told_in_the_same_transaction(
    database: Database,
) -> None:
    clock = SetClock(DUE - timedelta(seconds=1))
    digests = await begun(database, clock)
    clock.time = DUE - timedelta(seconds=1)
    early = await made(digests)
    assert early.key == "2026-11-23"

    clock.time = DUE + timedelta(seconds=12)
    stored = await made(digests)

    assert (stored.label, stored.key, stored.channel) == ("G-3", "2026-11-24", "C02OPS")
    assert stored.due_at == DUE
    assert stored.digest.late == timedelta(0)
    assert (await digests.show(stored.id)).stored == stored
    assert await depth(database) == 2 * TOLD


async def test_a_day_has_one_digest_whoever_makes_it(database_url: str) -> None:
    clock = SetClock(DUE)
    async with (
        await open_database(database_url) as one,
        await open_database(database_url) as other,
    ):
        await begun(one, clock)
        replicas = [make_digests(one, clock), make_digests(other, clock), make_digests(one, clock)]
        found: list[StoredDigest | None] = []

        async def make(digests: Digests) -> None:
            found.append(await digests.make_due())

        async with asyncio.TaskGroup() as group:
            for replica in replicas:
                group.create_task(make(replica))

        assert sum(each is not None for each in found) == 1
        assert await depth(one) == TOLD
        assert await replicas[1].make_due() is None


async def test_one_that_is_made_late_says_how_late_and_how_many_are_missing(
    database: Database,
) -> None:
    await begun(database, SetClock(DUE))

    stored = await made(make_digests(database, SetClock(DUE + 2 * HOUR)))

    assert stored.digest.late == 2 * HOUR
    assert stored.digest.missed == 2  # the 22nd and the 23rd; the 21st was before
    assert not stored.digest.is_of_outage
    assert stored.digest.span.until == DUE
    assert await depth(database) == TOLD


async def test_one_that_was_late_while_the_process_ran_blames_no_stop(database: Database) -> None:
    clock = SetClock(DUE)
    digests = await begun(database, clock)
    clock.time = DUE + HOUR

    assert (await made(digests)).digest.is_of_outage


async def test_days_before_digests_were_configured_are_not_made_up_for(database: Database) -> None:
    clock = SetClock(DUE + 5 * HOUR)
    digests = make_digests(database, clock)

    assert await digests.make_due() is None
    assert await digests.make_due() is None
    clock.time = DUE + 24 * HOUR

    assert (await made(digests)).digest.missed == 0


async def test_who_had_it_made_is_in_the_audit_trail(database: Database) -> None:
    digests = await begun(database, SetClock(DUE))
    asked, scheduled = await digests.post_now(ALICE), await made(digests)

    async with database.store.snapshot() as tx:
        trail = [*await tx.audit.of(asked.label), *await tx.audit.of(scheduled.label)]

    assert [(e.action, e.actor) for e in trail] == [("digest.made", ALICE), ("digest.made", SYSTEM)]


async def test_without_a_plan_none_is_made_and_each_can_be_read(database: Database) -> None:
    digests = make_digests(database, SetClock(DUE), plan=None)

    assert await digests.make_due() is None
    assert (await digests.preview()).zone == "UTC"
    with pytest.raises(InvalidRequest, match="No channel"):
        await digests.post_now(ALICE)


async def test_a_person_may_have_one_posted_besides_the_days_own(database: Database) -> None:
    clock = SetClock(DUE)
    digests = await begun(database, clock)

    asked = [await digests.post_now(ALICE), await digests.post_now(ALICE)]

    assert len({stored.id for stored in asked}) == 2
    assert not asked[0].is_scheduled
    assert (await made(digests)).key == "2026-11-24"


@pytest.mark.parametrize("actor", [NOBODY])
async def test_nobody_else_may(database: Database, actor: Actor) -> None:
    with pytest.raises(NotPermitted):
        await make_digests(database, SetClock(DUE)).post_now(actor)


async def test_errors_are_those_of_the_day_beside_the_day_and_the_week_before(
    database: Database,
) -> None:
    group = await add_group(database, first_seen=DUE - timedelta(days=9))
    day = timedelta(days=1)
    inside = [(DUE - 24 * HOUR, 1), (DUE - timedelta(seconds=1), 2)]
    outside = [(DUE, 100), (DUE - 24 * HOUR - timedelta(seconds=1), 10)]
    await count(database, group, *inside, *outside, (DUE - 7 * day - HOUR, 5))
    clock = SetClock(DUE)

    errors = (await made(await begun(database, clock))).digest.errors

    assert (errors.count, errors.day_before, errors.week_before) == (3, 10, 5)
    assert (errors.hours[0], errors.hours[-1], errors.hours_before[-1]) == (1, 2, 10)
    assert [(g.label, g.count) for g in errors.worst] == [("E-1", 3)]
    assert errors.new_count == 0


async def test_groups_are_new_or_worst_and_those_that_are_resolved_are_left_out(
    database: Database,
) -> None:
    old = DUE - timedelta(days=9)
    loud = await add_group(database, fingerprint="loud", first_seen=old, rank=1.0)
    quiet = await add_group(database, fingerprint="quiet", first_seen=old, rank=9.0)
    fresh = await add_group(database, fingerprint="fresh")
    await add_group(database, fingerprint="done", state=GroupState.RESOLVED)
    silent = await add_group(database, fingerprint="silent", last_seen=old, first_seen=old)
    at = DUE - 2 * HOUR
    await count(database, loud, (at, 50))
    await count(database, quiet, (at, 5))
    await count(database, fresh, (at, 1))
    await count(database, silent, (old, 99))

    errors = (await made(await begun(database, SetClock(DUE)))).digest.errors

    assert [g.id for g in errors.worst] == [loud.id, quiet.id]
    assert [g.id for g in errors.new] == [fresh.id]
    assert errors.new_count == 1


async def test_rollouts_that_ended_in_the_day_are_told(database: Database) -> None:
    for state, hours in (
        (RolloutState.SUCCEEDED, 1),
        (RolloutState.FAILED, 23),
        (RolloutState.FAILED, 25),
    ):
        rollout = await add_rollout(database)
        await save_rollout(database, replace(rollout, state=state, ended_at=DUE - hours * HOUR))

    rollouts = (await made(await begun(database, SetClock(DUE)))).digest.rollouts

    assert (rollouts.live, rollouts.failed, rollouts.withdrawn) == (1, 1, 0)
    assert [r.name for r in rollouts.failures] == ["D-1002"]


async def test_emergencies_are_told_until_somebody_has_looked_at_them(database: Database) -> None:
    clock = SetClock(DUE)
    ended = replace(
        await add_rollout(database, emergency=True),
        state=RolloutState.SUCCEEDED,
        started_at=DUE - 90 * HOUR,
        ended_at=DUE - 89 * HOUR,
    )
    ended = await save_rollout(database, ended)
    await save_rollout(
        database, replace(await add_rollout(database, emergency=True), state=RolloutState.REJECTED)
    )
    digests = make_digests(database, clock)

    rollouts = (await digests.preview()).rollouts
    assert [rollout.name for rollout in rollouts.unreviewed] == [ended.name]
    assert rollouts.unreviewed_count == 1

    await save_rollout(database, replace(ended, review=Review(actor=ALICE, at=DUE)))
    assert (await digests.preview()).rollouts.unreviewed_count == 0


async def test_alerts_are_counted_and_those_that_are_open_named(database: Database) -> None:
    drafts: list[AlertDraft] = [
        make_draft(fired_at=DUE - 2 * HOUR),
        make_draft(check_id="other", fired_at=DUE - 30 * HOUR),
    ]
    async with database.store.transaction() as tx:
        await tx.alerts.add(drafts[0])
        over = await tx.alerts.add(drafts[1])
        await tx.alerts.add(make_draft(check_id="led", fired_at=DUE - HOUR, led_by=1))
        await tx.alerts.save(
            replace(
                over,
                state=AlertState.RESOLVED,
                acknowledged_by=ALICE,
                acknowledged_at=DUE - 29 * HOUR,
                resolved_at=DUE - 20 * HOUR,
            )
        )

    alerts = (await made(await begun(database, SetClock(DUE)))).digest.alerts

    assert (alerts.fired, alerts.acknowledged, alerts.resolved) == (1, 0, 1)
    assert alerts.to_resolve == 10 * HOUR
    assert [alert.label for alert in alerts.open] == ["A-1"]


async def test_uptime_is_told_from_flips_and_stops(database: Database) -> None:
    seen = Observation(outcome=Outcome.OK, at=DUE)
    async with database.store.transaction() as tx:
        await tx.checks.save(CheckRecord(check_id=WEB.id, state=CheckState.OK, last=seen))
        for hours, old, new in (
            (10, CheckState.OK, CheckState.FAILING),
            (8, CheckState.FAILING, CheckState.OK),
        ):
            at = DUE - hours * HOUR
            await tx.checks.flipped(Flip(check_id=WEB.id, old=old, new=new, reason="", at=at))
    clock = SetClock(DUE - 4 * HOUR)
    alerting = Alerting(checks=[WEB], store=database.store, clock=clock)
    await alerting.stop(ALICE)
    clock.time = DUE - HOUR
    await alerting.start(ALICE)

    [line] = (await made(await begun(database, SetClock(DUE)))).digest.uptimes

    assert (line.up, line.down) == (19 * HOUR, 2 * HOUR)


async def test_what_is_shown_later_has_the_numbers_of_then_and_the_states_of_now(
    database: Database,
) -> None:
    group = await add_group(database)
    digests = await begun(database, SetClock(DUE))
    stored = await made(digests)
    before = await digests.show(stored.id)
    async with database.store.transaction() as tx:
        await tx.groups.save([replace(group, state=GroupState.RESOLVED, resolved_by=ALICE)])

    after = await digests.show(stored.id)

    assert after.stored == before.stored
    assert after.groups[group.id].state is GroupState.RESOLVED
    assert after.revision > before.revision


async def test_the_file_of_its_chart_is_remembered(database: Database) -> None:
    digests = await begun(database, SetClock(DUE))
    stored = await made(digests)

    await digests.remember_picture(stored.id, "F01")

    assert (await digests.show(stored.id)).stored.picture == "F01"


async def test_there_is_no_digest_that_nobody_made(database: Database) -> None:
    digests = await begun(database, SetClock(DUE))  # which remembers a day, as G-1

    for number in (1, 2):
        with pytest.raises(InvalidRequest, match=f"no digest G-{number}"):
            await digests.show(number)
