"""A lock or a window that closes after the last vote holds a rollout back, says so, and lets it go on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from operations.deployment.rollout import Rollout, RolloutState
from operations.deployment.target import Window
from tests.factories import ALICE, BOB, CAROL, NEW, OLD, make_catalog, make_target
from tests.scenario.office import Office, open_office
from tests.scenario.test_working import working
from tests.slack_blocks import all_text
from tests.slack_stand_in import Said, SlackStandIn, until

HOUR = timedelta(hours=1)


def a_window_around_now() -> Window:
    """Two hours of every day, in the midst of which the test runs."""
    now = datetime.now(UTC)
    return Window(
        days=frozenset(range(7)),
        start=(now - HOUR).time().replace(microsecond=0),
        end=(now + HOUR).time().replace(microsecond=0),
        timezone=ZoneInfo("UTC"),
        text="from one to three",
    )


async def approved(office: Office) -> Said:
    """Alice asked, Bob agreed; nobody carries it out yet."""
    await office.say("deploy myapp prod 1.1")
    card = await office.card("Waiting for approval")
    await office.press("Approve", card, BOB)
    return await office.card("Queued")


async def newest(office: Office) -> Rollout:
    return (await office.engine.deployments.inquiries.show(1001)).rollout


async def shows(card: Said, words: str) -> None:
    await until(lambda: words in all_text(card.blocks))


async def looks_twice(office: Office) -> None:
    """Long enough for a worker to look for work, find none, and look again."""
    before = office.engine.clock.now()
    worker = office.engine.worker("worker-2")
    for _ in range(2):
        assert await worker._claim(only=None) is None
        await worker._wait()
    assert office.engine.clock.now() - before < timedelta(seconds=2)


async def test_a_lock_set_after_the_last_vote_holds_it_back_until_it_is_lifted(
    office: Office,
) -> None:
    card = await approved(office)
    await office.say("lock myapp prod --reason audit", CAROL)
    await office.engine.deployments.holding.tell()
    await shows(card, "⏸ myapp/prod is locked by <@U03CAROL>: audit.")
    assert "lift it with `/hms unlock`. Then it goes on by itself." in all_text(card.blocks)

    async with working(office):
        await looks_twice(office)
        assert (await newest(office)).state is RolloutState.QUEUED
        assert office.engine.provider.serving == OLD.artifact

        await office.say("unlock myapp prod", CAROL)
        await office.card("Live: myapp 1.1 → prod")
    assert office.engine.provider.serving == NEW.artifact


async def test_a_window_that_closes_while_it_waits_holds_it_back_until_it_opens(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    catalog = make_catalog(make_target(windows=(a_window_around_now(),)))
    async with open_office(tmp_path, slack, catalog=catalog) as office:
        card = await approved(office)
        office.engine.clock.ahead = 2 * HOUR
        await office.engine.deployments.holding.tell()
        await shows(card, "⏸ Deploys are allowed from one to three only.")

        async with working(office):
            await looks_twice(office)
            assert (await newest(office)).state is RolloutState.QUEUED

            office.engine.clock.ahead = timedelta(0)
            await office.card("Live: myapp 1.1 → prod")


async def test_who_locked_the_target_is_not_held_back_by_it(office: Office) -> None:
    await approved(office)
    await office.say("lock myapp prod", ALICE)

    async with working(office):
        await office.card("Live: myapp 1.1 → prod")


async def test_a_way_back_passes_every_lock(office: Office) -> None:
    async with working(office):
        await office.say("deploy myapp staging 1.1")
        live = await office.card("Live: myapp 1.1 → staging")
        await office.quiet()
        await office.say("lock myapp staging", CAROL)
        await office.press("Roll back", live, BOB)
        await office.card("Live: myapp 1.0 → staging")


async def test_why_says_what_holds_it_back(office: Office) -> None:
    await approved(office)
    await office.say("lock myapp prod --reason audit", CAROL)

    told = await office.say("why myapp prod", CAROL)

    assert "D-1001 waits: myapp/prod is locked by <@U03CAROL>: audit." in told


async def test_what_is_told_once_is_not_told_again(office: Office) -> None:
    await approved(office)
    await office.say("lock myapp prod", CAROL)
    await office.engine.deployments.holding.tell()
    await office.quiet()
    before = len(office.slack.calls)

    await office.engine.deployments.holding.tell()

    assert await office.engine.database.notice_queue.depth() == 0
    assert len(office.slack.calls) == before
