"""What nobody looks after is told elsewhere, and what fails together is told as one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from operations.deployment.rollout import RolloutState
from operations.monitoring.escalation import Escalation, EscalationRule
from operations.monitoring.vendors import VendorAlert, VendorAlerts
from tests.factories import ALICE, BOB, CAROL
from tests.scenario.alarms import CHANNEL, PLATFORM, WEB, Alarm, open_alarm
from tests.slack_blocks import all_text, labels
from tests.slack_stand_in import Said, SlackStandIn, until

SECOND_CHANNEL = "C01GEN"
CAROLS = "D03CAROL"
"""Her direct messages."""

AFTER = timedelta(minutes=10)
PAGE = replace(WEB, id="myapp/prod:page", name="page")


@pytest.fixture
async def alarm(tmp_path: Path, slack: SlackStandIn) -> AsyncIterator[Alarm]:
    """Two pages and the platform of myapp/prod are watched."""
    async with open_alarm(tmp_path, slack, WEB, PLATFORM, PAGE) as opened:
        yield opened


async def _failing(alarm: Alarm) -> Said:
    await alarm.fail()
    card = await alarm.card("Failing: web")
    await alarm.office.quiet()
    return card


async def _escalate(alarm: Alarm) -> tuple[Said, Said]:
    """Ten minutes later: what the second channel and Carol get."""
    engine = alarm.office.engine
    engine.clock.ahead += AFTER
    rule = EscalationRule(AFTER, (SECOND_CHANNEL, CAROL.id))
    await Escalation(rule=rule, store=engine.database.store, clock=engine.clock).escalate_due()
    words = "looks after A-1"
    there = await alarm.office.card(words, SECOND_CHANNEL)
    return there, await alarm.office.card(words, CAROLS)


async def test_a_second_channel_and_a_person_hear_that_nobody_looks_after_it(alarm: Alarm) -> None:
    """Each once, with buttons that work from there; the first card names them."""
    card = await _failing(alarm)
    there, carols = await _escalate(alarm)
    await alarm.office.quiet()

    for said in (there, carols):
        assert all_text(said.blocks).startswith("🔴 *Nobody looks after A-1: web* · myapp/prod")
        assert labels(said.blocks) == ["Acknowledge", "Silence 1h", "Resolve"]
    assert "📣 Escalated to <#C01GEN>, <@U03CAROL>" in all_text(card.blocks)
    slack = alarm.office.slack
    assert [len(slack.cards(c)) for c in (CHANNEL, SECOND_CHANNEL, CAROLS)] == [1, 1, 1]
    assert slack.refused == []


async def test_acknowledged_from_a_direct_message(alarm: Alarm) -> None:
    """All three messages say who looks after it."""
    card = await _failing(alarm)
    there, carols = await _escalate(alarm)
    await alarm.office.quiet()

    await alarm.office.press("Acknowledge", carols, CAROL)
    await until(lambda: "Acknowledged by <@U03CAROL>" in all_text(card.blocks))
    await alarm.office.quiet()

    for said in (there, carols):
        assert said.text.startswith("carol looks after A-1")
        assert labels(said.blocks) == ["Silence 1h", "Resolve"]


async def test_what_is_over_has_no_buttons_anywhere(alarm: Alarm) -> None:
    """And says how it ended."""
    await _failing(alarm)
    there, carols = await _escalate(alarm)
    await alarm.office.quiet()

    await alarm.recover()
    await alarm.card("Well again: web")
    await alarm.office.quiet()

    for said in (there, carols):
        assert said.text.startswith("Well again: web")
        assert labels(said.blocks) == []


async def test_a_late_click_elsewhere_brings_that_message_up_to_date(alarm: Alarm) -> None:
    """It stays what it is: the escalation, not the alert's card."""
    await _failing(alarm)
    there, _ = await _escalate(alarm)
    await alarm.office.quiet()
    old_blocks, click = list(there.blocks), alarm.office.click_body("Resolve", there, BOB)
    await alarm.recover()
    await alarm.card("Well again: web")
    await alarm.office.quiet()
    there.blocks = old_blocks

    assert await alarm.office.send(click) == 200
    await until(lambda: labels(there.blocks) == [])

    assert "A-1 is resolved already." in alarm.office.told(BOB)
    ids = {str(block["block_id"]) for block in there.blocks}
    assert all(block_id.startswith("A-1.escalated.") for block_id in ids)


async def test_told_late_it_tells_what_is_true_by_then(alarm: Alarm) -> None:
    """Slack was down, and somebody acknowledged meanwhile."""
    await _failing(alarm)
    alarm.office.slack.is_down = True
    engine = alarm.office.engine
    engine.clock.ahead += AFTER
    rule = EscalationRule(AFTER, (SECOND_CHANNEL,))
    await Escalation(rule=rule, store=engine.database.store, clock=engine.clock).escalate_due()
    await alarm.alerting.acknowledge(1, BOB)
    alarm.office.slack.is_down = False

    there = await alarm.office.card("looks after A-1", SECOND_CHANNEL)

    assert there.text.startswith("bob looks after A-1")


async def test_what_fails_together_is_one_message(alarm: Alarm) -> None:
    """It goes on until all of it is well, and its end names what had failed."""
    slack = alarm.office.slack
    card = await _failing(alarm)
    await alarm.fail(check=PAGE, detail="no answer within 5 s")
    await until(lambda: "Failing: web, page" in card.text)
    assert "• *page*" in all_text(card.blocks)

    await alarm.recover()
    await until(lambda: "Failing: page" in card.text)
    await alarm.office.press("Acknowledge", card, BOB)
    await until(lambda: "Acknowledged by" in all_text(card.blocks))
    assert "<@U02BOB> looks after A-1 already." in await alarm.office.say("ack A-2", CAROL)
    await alarm.recover(check=PAGE)
    await alarm.card("Well again: web, page")
    await alarm.office.quiet()

    [reply] = slack.thread(card)
    assert "*Well again: web, page*" in all_text(reply.blocks)
    assert len(slack.cards(CHANNEL)) == 1
    assert slack.refused == []


async def test_what_fails_together_after_a_rollout_offers_the_way_back(alarm: Alarm) -> None:
    """Once, whichever of them failed first."""
    await alarm.office.say("deploy myapp prod 1.1")
    await alarm.office.end(1001, state=RolloutState.SUCCEEDED)
    await alarm.office.quiet()
    card = await _failing(alarm)
    await alarm.fail(check=PAGE)
    await until(lambda: "Failing: web, page" in card.text)

    assert "after D-1001 (1.1, <@U01ALICE>) · A-1" in all_text(card.blocks)
    assert labels(card.blocks) == ["Acknowledge", "Silence 1h", "Resolve", "Roll back"]


async def test_another_systems_alert_is_told_as_ours(alarm: Alarm) -> None:
    """With a link to where that system tells more; people act on it as on any other."""
    engine = alarm.office.engine
    vendors = VendorAlerts(
        store=engine.database.store,
        surroundings=alarm.surroundings,
        clock=engine.clock,
        channel=CHANNEL,
    )
    said = VendorAlert(
        source="alertmanager",
        key="b58c7c9d",
        name="HighLatency",
        project="myapp",
        environment="prod",
        is_firing=True,
        reason="p99 over 2 s <!channel>",
        since=engine.clock.now(),
        url="https://prometheus.example.com/graph",
    )
    await vendors.receive([said])
    card = await alarm.card("Failing: HighLatency")
    assert "from <https://prometheus.example.com/graph|Alertmanager>" in all_text(card.blocks)

    await alarm.office.press("Acknowledge", card, ALICE)
    await until(lambda: "Acknowledged by <@U01ALICE>" in all_text(card.blocks))
    await vendors.receive([replace(said, is_firing=False)])
    await alarm.card("Well again: HighLatency")
    await alarm.office.quiet()

    assert len(alarm.office.slack.cards(CHANNEL)) == 1
    assert alarm.office.slack.refused == []
