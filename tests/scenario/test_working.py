"""With a worker: from the words in Slack to what truly serves, told as it happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.factories import BOB, NEW, OLD
from tests.fakes_deployment import FAILURE
from tests.scenario.office import Office
from tests.slack_blocks import all_text, labels
from tests.slack_stand_in import until


@asynccontextmanager
async def working(office: Office) -> AsyncIterator[None]:
    """Carry rollouts out meanwhile."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(office.engine.worker().run())
        try:
            yield
        finally:
            task.cancel()


async def test_from_the_words_to_what_serves(office: Office) -> None:
    """Asked, approved, carried out, live, and back again by the button."""
    async with working(office):
        await office.say("deploy myapp prod 1.1")
        await office.press("Approve", await office.card("Waiting for approval"), BOB)
        live = await office.card("Live")
        assert office.engine.provider.serving == NEW.artifact
        assert "2 of 2 new pods ready on `sha256:bbb…`" in all_text(live.blocks)

        await office.press("Roll back", live, BOB)
        await office.card("Live: myapp 1.0 → prod")
        assert office.engine.provider.serving == OLD.artifact
        await office.quiet()
        await until(lambda: labels(live.blocks) == [])

    assert len(office.slack.cards()) == 2
    assert [len(office.slack.thread(card)) for card in office.slack.cards()] == [1, 1]


async def test_a_failure_comes_back_by_itself(office: Office) -> None:
    """The platform's reason is in the card, what serves now beside it, and the channel hears of it."""
    office.engine.provider.scripts[NEW.artifact] = FAILURE
    async with working(office):
        await office.say("deploy myapp staging 1.1")
        card = await office.card("Failed and rolled back")
        await office.quiet()

    shown = all_text(card.blocks)
    assert "*Why* · 2 pods cannot pull the image\n`ImagePullBackOff: not found`" in shown
    assert "`1.0` is serving again" in shown
    assert office.engine.provider.serving == OLD.artifact
    assert [reply.broadcast for reply in office.slack.thread(card)].count(True) == 1
    assert labels(card.blocks) == ["Retry"]


async def test_cancel_stops_what_runs(office: Office) -> None:
    """The button asks the worker, which brings the former release back."""
    office.engine.provider.release_followers.clear()
    async with working(office):
        await office.say("deploy myapp staging 1.1")
        await office.engine.provider.is_followed.wait()
        running = await office.card("Rolling out")
        await office.press("Cancel", running, BOB)
        cancelled = await office.card("Cancelled")
        await office.quiet()

    assert "Cancelled by <@U02BOB>" in all_text(cancelled.blocks)
    assert office.engine.provider.serving == OLD.artifact
