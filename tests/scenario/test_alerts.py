"""A check fails, and people hear of it once, act on it where they read it, and hear of its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from operations.deployment.rollout import RolloutState
from operations.monitoring.check import Outcome
from operations.outbox import NoticeKind
from tests.factories import ALICE, BOB, CAROL
from tests.scenario.alarms import BRISK_WEB, CHANNEL, PLATFORM, Alarm, open_alarm
from tests.slack_blocks import all_text, labels
from tests.slack_stand_in import Said, SlackStandIn, until


@pytest.fixture
async def alarm(tmp_path: Path, slack: SlackStandIn) -> AsyncIterator[Alarm]:
    """A page and the platform of myapp/prod are watched."""
    async with open_alarm(tmp_path, slack) as opened:
        yield opened


async def _failing(alarm: Alarm) -> Said:
    await alarm.fail()
    return await alarm.card("Failing: web")


async def _live(alarm: Alarm, rollout_id: int) -> None:
    """myapp 1.1 went out to prod a moment ago."""
    await alarm.office.say("deploy myapp prod 1.1")
    await alarm.office.end(rollout_id, state=RolloutState.SUCCEEDED)
    await alarm.office.quiet()


async def test_two_misses_are_told_to_nobody(alarm: Alarm) -> None:
    """Three make it failing."""
    await alarm.fail(2)
    await alarm.recover()
    await alarm.office.quiet()

    assert alarm.office.slack.messages == []


async def test_the_life_of_an_alert(alarm: Alarm) -> None:
    """One message in the alerts channel that moves, and a reply that names who looked after it."""
    slack = alarm.office.slack
    card = await _failing(alarm)
    said = all_text(card.blocks)
    assert said.startswith("🔴 *Failing: web* · myapp/prod")
    assert "myapp.example.com/healthz> answered 503, wanted 200 · 3 times since" in said
    assert labels(card.blocks) == ["Acknowledge", "Silence 1h", "Resolve"]

    await alarm.office.press("Acknowledge", card, BOB)
    await until(lambda: "Acknowledged by <@U02BOB>" in all_text(card.blocks))
    assert labels(card.blocks) == ["Silence 1h", "Resolve"]

    await alarm.fail(2)
    await until(lambda: "5 times since" in all_text(card.blocks))

    await alarm.recover()
    await alarm.card("Well again: web")
    await alarm.office.quiet()
    assert labels(card.blocks) == []
    assert "5 times from" in all_text(card.blocks)
    [reply] = slack.thread(card)
    assert "<@U02BOB> 🟢 *Well again: web* after" in all_text(reply.blocks)
    assert not reply.broadcast
    assert len(slack.cards(CHANNEL)) == 1
    assert slack.cards() == []
    assert slack.private == []
    assert slack.refused == []


async def test_an_alert_comes_by_itself(tmp_path: Path, slack: SlackStandIn) -> None:
    """The loop asks, the third miss posts, the second good answer ends it."""
    async with open_alarm(tmp_path, slack, BRISK_WEB) as alarm:
        alarm.prober.outcome = Outcome.FAILING
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(alarm.watch.run())
            await alarm.card("Failing: web")
            alarm.prober.outcome = Outcome.OK
            await alarm.card("Well again: web")
            watching.cancel()
        await alarm.office.quiet()

        assert len(slack.cards(CHANNEL)) == 1


async def test_silence_hides_what_goes_on_and_not_the_end(alarm: Alarm) -> None:
    """Misses edit nothing, the recovery does."""
    card = await _failing(alarm)
    await alarm.office.press("Silence 1h", card, BOB)
    await until(lambda: "🔕 Silenced until" in all_text(card.blocks))
    await alarm.office.quiet()
    assert labels(card.blocks) == ["Acknowledge", "Resolve"]
    edits = len(card.history)

    await alarm.fail(4)
    await alarm.office.quiet()
    assert len(card.history) == edits

    await alarm.recover()
    await alarm.card("Well again: web")


async def test_a_silence_that_is_over_is_told_no_more(alarm: Alarm) -> None:
    """The next miss brings the message up to date, and the button back."""
    card = await _failing(alarm)
    await alarm.office.press("Silence 1h", card, BOB)
    await until(lambda: "🔕 Silenced until" in all_text(card.blocks))
    alarm.office.engine.clock.ahead = timedelta(minutes=59)
    edits = len(card.history)
    await alarm.fail(1)
    await alarm.office.quiet()
    assert len(card.history) == edits

    alarm.office.engine.clock.ahead = timedelta(minutes=61)
    await alarm.fail(1)
    await until(lambda: "🔕" not in all_text(card.blocks))

    assert "Silence 1h" in labels(card.blocks)


async def test_resolved_by_hand(alarm: Alarm) -> None:
    """It is not called well again, for nobody asked; as many misses as ever make a new alert."""
    card = await _failing(alarm)
    await alarm.office.press("Resolve", card, CAROL)
    await alarm.card("Resolved: web")
    await alarm.office.quiet()
    assert "Resolved by <@U03CAROL>" in all_text(card.blocks)
    assert labels(card.blocks) == []
    assert "by <@U03CAROL>" in all_text(alarm.office.slack.thread(card)[0].blocks)

    await alarm.fail(3)
    again = await alarm.card("Failing: web")
    assert again.ts != card.ts
    assert "A-2" in all_text(again.blocks)


async def test_flapping_is_said_once(alarm: Alarm) -> None:
    """It ends when it has been quiet, not at every good answer."""
    for _ in range(3):
        await alarm.fail()
        await alarm.recover()
    await alarm.fail()
    await alarm.card("Flapping: web")
    await alarm.recover()
    await alarm.fail()
    await alarm.office.quiet()

    flapping = [m for m in alarm.office.slack.cards(CHANNEL) if "Flapping" in m.text]
    assert len(flapping) == 1
    assert alarm.office.slack.thread(flapping[0]) == []


async def test_watching_by_words(alarm: Alarm) -> None:
    """List, stop and start; a stopped check raises no alert."""
    office = alarm.office
    assert "2 checks · 2 not asked yet" in await office.say("monitor list")
    await alarm.fail()
    listed = await office.say("monitor list myapp prod", BOB)
    assert "🔴 *web* myapp/prod failing since" in listed
    assert "answered 503, wanted 200" in listed
    assert "A-1" in listed

    assert "2 checks are stopped" in await office.say("monitor stop myapp")
    assert "⚪ *web* myapp/prod stopped by <@U01ALICE>" in await office.say("monitor list")
    await alarm.fail(3, check=PLATFORM)
    await office.quiet()
    assert len(office.slack.cards(CHANNEL)) == 1

    assert "2 checks are started." in await office.say("monitor start myapp")
    await alarm.recover()
    assert "🟢 *web* myapp/prod" in await office.say("monitor list")
    assert "No check watches site." in await office.say("monitor list site")


async def test_acting_by_words(alarm: Alarm) -> None:
    """The words do what the buttons do, and whoever comes second hears who was first."""
    card = await _failing(alarm)

    assert "You look after A-1 now: web of myapp/prod." in await alarm.office.say("ack a-1", BOB)
    await until(lambda: "Acknowledged by <@U02BOB>" in all_text(card.blocks))
    assert "<@U02BOB> looks after A-1 already." in await alarm.office.say("ack A-1", CAROL)
    assert "A-1 is silent until" in await alarm.office.say("silence A-1 2h", CAROL)
    await until(lambda: "🔕 Silenced until" in all_text(card.blocks))
    assert "There is no alert A-9." in await alarm.office.say("ack A-9")
    assert "30 days" in await alarm.office.say("silence A-1 31d")


async def test_two_people_acknowledge_at_once(alarm: Alarm) -> None:
    """One of them looks after it, the other is told who."""
    card = await _failing(alarm)
    async with asyncio.TaskGroup() as group:
        group.create_task(alarm.office.press("Acknowledge", card, BOB))
        group.create_task(alarm.office.press("Acknowledge", card, CAROL))
    await until(lambda: bool(alarm.office.slack.private))
    await alarm.office.quiet()

    assert "looks after A-1 already." in alarm.office.slack.private[0].text
    assert all_text(card.blocks).count("Acknowledged by") == 1


async def test_slack_down_then_back(alarm: Alarm) -> None:
    """The alert is told once, as it is by then."""
    slack = alarm.office.slack
    slack.is_down = True
    await alarm.fail()
    await until(lambda: "chat.postMessage" in slack.calls)
    await alarm.fail(2)
    assert slack.messages == []

    slack.is_down = False
    card = await alarm.card("Failing: web")
    await alarm.office.quiet()

    assert len(slack.cards(CHANNEL)) == 1
    assert "5 times since" in all_text(card.blocks)


async def test_an_alert_that_ended_while_slack_was_down(alarm: Alarm) -> None:
    """Both are told, once each."""
    slack = alarm.office.slack
    slack.is_down = True
    await alarm.fail()
    await alarm.recover()
    slack.is_down = False

    card = await alarm.card("Well again: web")
    await alarm.office.quiet()

    assert len(slack.cards(CHANNEL)) == 1
    assert len(slack.thread(card)) == 1


async def test_a_post_whose_answer_was_lost_is_not_repeated(alarm: Alarm) -> None:
    """Our own message is found in the channel by its block_ids and taken over."""
    alarm.office.slack.lose_answers.append("chat.postMessage")
    card = await _failing(alarm)
    await alarm.office.quiet()

    assert len(alarm.office.slack.cards(CHANNEL)) == 1
    posted = await alarm.office.engine.database.notice_queue.posted("A-1", NoticeKind.CARD)
    assert posted is not None
    assert posted.ts == card.ts


async def test_a_click_on_what_is_over(alarm: Alarm) -> None:
    """The one who pressed hears so privately, and the old message is brought up to date."""
    card = await _failing(alarm)
    old_blocks, click = list(card.blocks), alarm.office.click_body("Acknowledge", card, BOB)
    await alarm.recover()
    await alarm.card("Well again: web")
    await alarm.office.quiet()
    card.blocks = old_blocks

    assert await alarm.office.send(click) == 200
    await until(lambda: bool(alarm.office.slack.private))
    assert "A-1 is resolved already." in alarm.office.told(BOB)
    await until(lambda: labels(card.blocks) == [])


async def test_a_click_after_a_restart(tmp_path: Path, slack: SlackStandIn) -> None:
    """What a button means is in the database, not in the process."""
    async with open_alarm(tmp_path, slack) as before:
        card = await _failing(before)
        await before.office.quiet()
    async with open_alarm(tmp_path, slack) as after:
        await after.office.press("Acknowledge", card, BOB)
        await until(lambda: "Acknowledged by <@U02BOB>" in all_text(card.blocks))

    assert len(slack.cards(CHANNEL)) == 1


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        pytest.param(("1:1", "9:1"), "There is no alert A-9.", id="no such alert"),
        pytest.param(("1:1", "A-1"), "This button does nothing any more.", id="garbled"),
        pytest.param(
            ("alert.ack", "alert.hug"), "This button does nothing any more.", id="unknown"
        ),
    ],
)
async def test_a_button_that_means_nothing(alarm: Alarm, spoil: tuple[str, str], told: str) -> None:
    """It is answered, and the message stays as it is."""
    card = await _failing(alarm)
    await alarm.office.quiet()
    click = alarm.office.click_body("Acknowledge", card, BOB)
    payload = click["payload"].replace(f'"{spoil[0]}', f'"{spoil[1]}')
    assert payload != click["payload"]

    assert await alarm.office.send({"payload": payload}) == 200
    await until(lambda: bool(alarm.office.slack.private))
    assert told in alarm.office.told(BOB)
    assert labels(card.blocks) == ["Acknowledge", "Silence 1h", "Resolve"]


async def test_an_alert_after_a_rollout_offers_the_way_back(alarm: Alarm) -> None:
    """It names the rollout and who asked for it; Roll back brings the former release back."""
    await _live(alarm, 1001)
    card = await _failing(alarm)
    said = all_text(card.blocks)
    assert "after D-1001 (1.1, <@U01ALICE>) · A-1" in said
    assert labels(card.blocks) == ["Acknowledge", "Silence 1h", "Resolve", "Roll back"]

    await alarm.office.press("Roll back", card, BOB)
    await until(lambda: bool(alarm.office.slack.private))
    assert "D-1002" in alarm.office.told(BOB)
    rollback = (await alarm.office.engine.deployments.inquiries.show(1002)).rollout
    assert rollback.release.version == "1.0"
    assert rollback.requested_by.id == BOB.id


async def test_roll_back_of_what_serves_no_more(alarm: Alarm) -> None:
    """It is refused, and the alert's message stays the alert's, without the button."""
    await _live(alarm, 1001)
    card = await _failing(alarm)
    click = alarm.office.click_body("Roll back", card, BOB)
    await _live(alarm, 1002)

    before = len(alarm.office.slack.private)
    assert await alarm.office.send(click) == 200
    await until(lambda: len(alarm.office.slack.private) > before)
    assert "D-1001 is not what serves any more" in alarm.office.told(BOB)
    await until(lambda: "Roll back" not in labels(card.blocks))
    assert all_text(card.blocks).startswith("🔴 *Failing: web* · myapp/prod")


async def test_a_rollout_under_way_is_named(alarm: Alarm) -> None:
    """There is nothing to roll back yet: its own message has the button that stops it."""
    await alarm.office.say("deploy myapp prod 1.1", ALICE)
    await alarm.office.change(1001, state=RolloutState.RUNNING)
    card = await _failing(alarm)

    assert "during D-1001 (1.1, <@U01ALICE>) · A-1" in all_text(card.blocks)
    assert "Roll back" not in labels(card.blocks)


async def test_a_hostile_reason_mentions_nobody(alarm: Alarm) -> None:
    """Somebody else's words stay words."""
    await alarm.fail(detail="answered <!channel> *look* <https://evil|here>")
    card = await alarm.card("Failing: web")

    assert "<!channel>" not in all_text(card.blocks)
    assert alarm.office.slack.refused == []
