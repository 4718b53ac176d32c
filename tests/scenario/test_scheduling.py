"""A deploy for later: agreed to as ever, started at its time, never silently late."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from operations.deployment.rollout import Rollout, RolloutState
from operations.deployment.start_time import LATEST
from operations.deployment.target import ApprovalRule
from tests.factories import ALICE, BOB, CAROL, NEW, OLD, make_catalog, make_target
from tests.scenario.office import Office, open_office
from tests.scenario.test_holding import a_window_around_now, looks_twice, shows
from tests.scenario.test_working import working
from tests.slack_blocks import all_text
from tests.slack_stand_in import Said, SlackStandIn, until

HOUR = timedelta(hours=1)


async def scheduled(office: Office, words: str = "--at 2h") -> Said:
    """Alice asked for it, and Bob agreed."""
    await office.say(f"deploy myapp prod 1.1 {words}")
    card = await office.card("Waiting for approval")
    await office.press("Approve", card, BOB)
    return await office.card("Scheduled: myapp 1.1 → prod")


async def newest(office: Office) -> Rollout:
    return (await office.engine.deployments.inquiries.show(1001)).rollout


async def test_it_waits_for_its_time_and_then_goes_by_itself(office: Office) -> None:
    card = await scheduled(office)
    assert "⏰ Starts" in all_text(card.blocks)
    assert "<@U01ALICE> or anybody who may deploy there can cancel it." in all_text(card.blocks)

    async with working(office):
        await looks_twice(office)
        assert (await newest(office)).state is RolloutState.QUEUED
        assert office.engine.provider.serving == OLD.artifact

        office.engine.clock.ahead = 2 * HOUR
        await office.card("Live: myapp 1.1 → prod")
    assert office.engine.provider.serving == NEW.artifact


async def test_the_answer_says_the_time_by_the_clocks_that_count(office: Office) -> None:
    told = await office.say("deploy myapp staging 1.1 --at 18:30")

    assert "⏰ To start at" in told
    assert "18:30 (UTC)" in told
    assert "starts by itself at its time" in told


async def test_the_card_that_asks_says_when_it_would_start(office: Office) -> None:
    await office.say("deploy myapp prod 1.1 --at 30m")

    card = await office.card("Waiting for approval")

    assert "starts <!date" in all_text(card.blocks)


async def test_a_time_outside_the_hours_of_the_target_is_refused_at_once(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    catalog = make_catalog(make_target(windows=(a_window_around_now(),)))
    async with open_office(tmp_path, slack, catalog=catalog) as office:
        told = await office.say("deploy myapp prod 1.1 --at 3h")
        assert "Deploys are allowed from one to three only." in told

        office.engine.clock.ahead = 12 * HOUR
        assert "waits for approval" in await office.say("deploy myapp prod 1.1 --at 12h")


async def test_a_lock_that_stands_at_its_time_holds_it_back(office: Office) -> None:
    card = await scheduled(office)
    await office.say("lock myapp prod --reason audit", CAROL)
    await office.engine.deployments.holding.tell()
    await office.quiet()
    assert "⏰ Starts" in all_text(card.blocks)

    office.engine.clock.ahead = 2 * HOUR
    await office.engine.deployments.holding.tell()
    await shows(card, "⏸ myapp/prod is locked by <@U03CAROL>: audit.")

    async with working(office):
        await looks_twice(office)
        await office.say("unlock myapp prod", CAROL)
        await office.card("Live: myapp 1.1 → prod")


async def test_a_bot_that_was_down_does_not_catch_up_hours_later(office: Office) -> None:
    await scheduled(office)
    office.engine.clock.ahead = 2 * HOUR + LATEST

    async with working(office):
        await looks_twice(office)
        await office.engine.deployments.decisions.expire_due()
        card = await office.card("Expired: myapp 1.1 → prod")

    why = "HMS-SYS was not running, or what held it back ended only lately. Ask for it again"
    assert f"and did not within 1 h: {why}" in all_text(card.blocks)
    assert "Retry" in all_text(card.blocks)
    assert office.engine.provider.changes == []


async def test_one_that_was_held_back_for_too_long_says_by_what(office: Office) -> None:
    await scheduled(office)
    await office.say("lock myapp prod --reason audit", CAROL)
    office.engine.clock.ahead = 2 * HOUR + LATEST

    await office.engine.deployments.decisions.expire_due()

    card = await office.card("Expired: myapp 1.1 → prod")
    assert "myapp/prod is locked by <@U03CAROL>: audit." in all_text(card.blocks)


async def test_one_that_starts_late_says_so(office: Office) -> None:
    await scheduled(office)
    office.engine.clock.ahead = 2 * HOUR + timedelta(minutes=30)

    async with working(office):
        await office.card("Live: myapp 1.1 → prod")

    assert "started, 30 m" in await office.say("show D-1001")


async def test_who_asked_can_cancel_it(office: Office) -> None:
    card = await scheduled(office)

    await office.press("Cancel", card, ALICE)

    await office.card("Cancelled: myapp 1.1 → prod")


async def test_a_newer_deploy_takes_its_place(office: Office) -> None:
    await scheduled(office)

    told = await office.say("deploy myapp prod 1.0")

    assert "Gives way to it: D-1001" in told
    assert (await newest(office)).state is RolloutState.CANCELLED


async def test_a_vote_an_hour_after_its_time_comes_too_late(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    rule = ApprovalRule(required=1, expires=timedelta(days=1))
    catalog = make_catalog(make_target(approval=rule))
    async with open_office(tmp_path, slack, catalog=catalog) as office:
        await office.say("deploy myapp prod 1.1 --at 1m")
        card = await office.card("Waiting for approval")
        office.engine.clock.ahead = timedelta(minutes=62)

        await office.press("Approve", card, BOB)

        await until(lambda: any(p.user == BOB.id for p in office.slack.private))
        assert "The request D-1001 has expired." in office.told(BOB)


async def test_an_emergency_does_not_wait(tmp_path: Path, slack: SlackStandIn) -> None:
    catalog = make_catalog(make_target(admins=frozenset({BOB.id})))
    async with open_office(tmp_path, slack, catalog=catalog) as office:
        told = await office.say("deploy myapp prod 1.1 --emergency --reason fire --at 2h")

    assert "An emergency does not wait." in told


async def test_why_tells_of_it(office: Office) -> None:
    await scheduled(office)

    told = await office.say("why myapp prod", CAROL)

    assert "D-1001 (myapp 1.1 → prod, scheduled) would give way" in told
