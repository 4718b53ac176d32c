"""People read what went wrong, act on it where they read it, and hear of what a rollout broke."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from operations.deployment.rollout import RolloutState
from operations.monitoring.errors.group import GroupState
from operations.outbox import Notice, NoticeKind, Urgency
from tests.central_log import CentralLog, open_log
from tests.error_groups import STACK
from tests.factories import BOB, CAROL
from tests.scenario.office import Office
from tests.slack_blocks import all_text, labels
from tests.slack_stand_in import Said, until

BUG = "TypeError: unsupported operand"


@pytest.fixture
async def log(office: Office) -> AsyncIterator[CentralLog]:
    """The central log of the office's bot."""
    engine = office.engine
    async with open_log(engine.database, engine.deployments.inquiries, engine.clock) as opened:
        yield opened


@pytest.fixture
async def three(log: CentralLog) -> CentralLog:
    """E-1 and E-2 on myapp/prod, E-3 on myapp/staging."""
    await log.fail(BUG, times=7)
    await log.fail("KeyError: 'discount'", times=5)
    await log.fail("no route to host", environment="staging")
    return log


def _answer(office: Office) -> Said:
    """The newest private answer, as something that can be pressed."""
    newest = office.slack.private[-1]
    return Said("C01GEN", "1.000001", newest.text, newest.blocks)


async def _press(office: Office, label: str, on: Said) -> str:
    """By Bob; returns what he was told."""
    before = len(office.slack.private)
    await office.press(label, on, BOB)
    await until(lambda: len(office.slack.private) > before)
    return office.told(BOB)


async def _ship(office: Office, rollout_id: int = 1001) -> Said:
    """myapp 1.1 went live on staging a moment ago."""
    await office.say("deploy myapp staging 1.1")
    await office.end(rollout_id, state=RolloutState.SUCCEEDED)
    card = await office.card("Live: myapp 1.1 → staging")
    await office.quiet()
    return card


def _replies(office: Office, card: Said) -> list[Said]:
    return [m for m in office.slack.thread(card) if "error" in m.text]


async def _reply(office: Office, card: Said, words: str) -> Said:
    await until(lambda: any(words in m.text for m in office.slack.thread(card)))
    return next(m for m in office.slack.thread(card) if words in m.text)


async def _told(office: Office, log: CentralLog, card: Said) -> Said:
    """One new error after 1.1 was told."""
    await log.fail("Bug 1", environment="staging")
    office.engine.clock.ahead += timedelta(seconds=21)
    return await _reply(office, card, "1 new error")


async def test_the_worst_errors_of_a_day(office: Office, three: CentralLog) -> None:
    """Privately, the worst first, everywhere."""
    said = await office.say("errors")

    assert office.slack.messages == []
    assert office.slack.refused == []
    assert said.index("E-1 · error · myapp/prod · 7 times") < said.index("E-2 · error")
    assert "E-3 · error · myapp/staging · once" in said
    assert "3 groups · last 24 h · worst first" in said
    assert labels(_answer(office).blocks)[:3] == ["Resolve", "Silence 1h", "What changed"]


async def test_of_one_target_the_newest_so_many(office: Office, three: CentralLog) -> None:
    """Names in any case; it says that there are more, and how to see them."""
    said = await office.say("ERRORS 1 MyApp PROD --newest --since 2h")

    assert "E-2 · error" in said
    assert "E-1 " not in said
    assert "the newest 1 group · myapp/prod · last 2 h" in said
    assert "there are more: `/hms errors 2 myapp prod --since 2h --newest`" in said


async def test_what_was_not_seen_of_late_is_left_out(office: Office, three: CentralLog) -> None:
    """Yesterday's are found by looking further back."""
    office.engine.clock.ahead = timedelta(hours=25)

    assert "No open errors in the last 24 h." in await office.say("errors")
    assert "3 groups · last 2 d" in await office.say("errors --since 2d")


async def test_nothing_went_wrong(office: Office) -> None:
    """It says what was searched."""
    assert "No open errors of myapp/prod in the last 24 h." in await office.say("errors myapp prod")


async def test_a_project_that_nobody_knows(office: Office) -> None:
    """The nearest one is named."""
    assert "Did you mean “myapp”?" in await office.say("errors myap")


async def test_one_in_full(office: Office, log: CentralLog) -> None:
    """The end of its stack, and what changed before it began."""
    await _ship(office)
    await log.fail(BUG, environment="staging", fields={"stack": STACK})
    said = await office.say("errors e1")

    assert "return sum(line.price for line in order.lines)" in said
    assert "D-1001 shipped 1.1" in said
    assert "after 1.1 · last" in said
    assert "There is no error E-99." in await office.say("errors E-99")


async def test_acting_on_a_group(office: Office, log: CentralLog) -> None:
    """Each click is answered, and nothing of the private answer is edited."""
    await log.fail(BUG)
    await office.say("errors")
    shown = _answer(office)

    assert "No changes on myapp/prod before E-1 began" in await _press(
        office, "What changed", shown
    )
    assert "E-1 is silent until" in await _press(office, "Silence 1h", shown)
    assert f"You resolved E-1: {BUG}" in await _press(office, "Resolve", shown)

    group = (await log.triage.show(1)).report.group
    assert group.state is GroupState.RESOLVED
    assert group.resolved_by is not None
    assert group.resolved_by.id == BOB.id
    assert "chat.update" not in office.slack.calls
    assert office.slack.refused == []


async def test_a_click_that_came_second(office: Office, three: CentralLog) -> None:
    """It hears what happened; a private answer cannot be brought up to date."""
    await office.say("errors 1")
    shown = _answer(office)
    await _resolve(three)

    assert "E-1 is resolved already, by <@U03CAROL>." in await _press(office, "Resolve", shown)
    assert "chat.update" not in office.slack.calls


async def _resolve(log: CentralLog) -> None:
    """Carol was first."""
    await log.triage.resolve(1, CAROL)


async def test_new_errors_are_told_once_in_the_thread_of_their_rollout(
    office: Office, log: CentralLog
) -> None:
    """Not before they had a moment to become several; the channel hears of it, with the way back."""
    card = await _ship(office)
    office.engine.clock.ahead = timedelta(minutes=4)
    await log.fail("Bug 1", environment="staging")
    await office.say("errors")  # time enough to tell of one, were it told at once
    await log.fail("Bug 2", environment="staging")
    await log.fail("Bug 3", environment="staging", times=3)
    office.engine.clock.ahead += timedelta(seconds=21)
    reply = await _reply(office, card, "3 new errors 4 minutes after 1.1 → myapp/staging")

    assert reply.broadcast
    assert labels(reply.blocks) == ["Roll back"]
    assert all(f"E-{number}" in all_text(reply.blocks) for number in (1, 2, 3))
    assert reply.history == []
    assert office.slack.refused == []


async def test_the_reply_grows_by_being_edited(office: Office, log: CentralLog) -> None:
    """One reply, however many errors follow; more of the same change nothing."""
    card = await _ship(office)
    reply = await _told(office, log, card)
    await log.fail("Bug 1", environment="staging", times=50)
    await office.quiet()
    assert reply.history == []

    await log.fail("Bug 2", environment="staging")
    await until(lambda: "2 new errors" in reply.text)
    await office.quiet()
    assert len(_replies(office, card)) == 1


async def test_what_comes_back_is_not_called_new(office: Office, log: CentralLog) -> None:
    """It had been resolved before this rollout."""
    await log.fail("Bug 1", environment="staging")
    await _resolve(log)
    office.engine.clock.ahead = timedelta(minutes=5)
    card = await _ship(office)
    await log.fail("Bug 1", environment="staging")
    office.engine.clock.ahead += timedelta(seconds=21)

    reply = await _reply(office, card, "1 error came back after 1.1 → myapp/staging")
    assert "↩️ came back" in all_text(reply.blocks)
    assert "↩️ came back after D-1001, which is live now" in await office.say("errors")


async def test_a_reply_whose_answer_was_lost_is_not_repeated(
    office: Office, log: CentralLog
) -> None:
    """Our own reply is found in the thread by its block_ids, and edited from then on."""
    card = await _ship(office)
    office.slack.lose_answers.append("chat.postMessage")
    reply = await _told(office, log, card)
    await office.quiet()
    await log.fail("Bug 2", environment="staging")
    await until(lambda: "2 new errors" in reply.text)

    assert len(_replies(office, card)) == 1


async def test_a_reply_that_somebody_deleted_stays_away(office: Office, log: CentralLog) -> None:
    """Errors that follow are told by `errors`."""
    card = await _ship(office)
    office.slack.forget(await _told(office, log, card))
    await log.fail("Bug 2", environment="staging")
    await office.quiet()

    assert _replies(office, card) == []


async def test_errors_while_it_goes_out_offer_the_way_back_once_it_is_live(
    office: Office, log: CentralLog
) -> None:
    """Before, its card has the button that stops it; the channel is not told twice."""
    await office.say("deploy myapp staging 1.1")
    await office.change(1001, state=RolloutState.RUNNING)
    card = await office.card("Rolling out")
    await log.fail("Bug 1", environment="staging")
    office.engine.clock.ahead = timedelta(seconds=21)
    reply = await _reply(office, card, "1 new error during 1.1 → myapp/staging")
    assert not reply.broadcast
    assert labels(reply.blocks) == []

    await office.end(1001, state=RolloutState.SUCCEEDED)
    await until(lambda: labels(reply.blocks) == ["Roll back"])


async def test_roll_back_from_the_reply(office: Office, log: CentralLog) -> None:
    """It is the rollout's own button; once the former release is back, the reply has it no more."""
    card = await _ship(office)
    reply = await _told(office, log, card)
    assert "D-1002" in await _press(office, "Roll back", reply)
    assert reply.text.startswith("1 new error")

    await office.end(1002, state=RolloutState.SUCCEEDED)
    await until(lambda: labels(reply.blocks) == [])
    assert labels(card.blocks) == []


async def test_roll_back_of_what_serves_no_more(office: Office, log: CentralLog) -> None:
    """It is refused, and the reply stays the reply: it does not become the rollout's card."""
    card = await _ship(office)
    reply = await _told(office, log, card)
    click = office.click_body("Roll back", reply, CAROL)
    await _ship(office, 1002)
    edits = len(reply.history)

    before = len(office.slack.private)
    assert await office.send(click) == 200
    await until(lambda: len(office.slack.private) > before)
    assert "D-1001 is not what serves any more" in office.told(CAROL)
    await until(lambda: len(reply.history) > edits)
    assert reply.text.startswith("1 new error")


async def test_errors_that_are_not_kept_any_more_are_not_told(office: Office) -> None:
    """Their notice is settled without a word."""
    card = await _ship(office)
    notice = Notice(
        subject="D-1001", kind=NoticeKind.ERRORS, channel="C01GEN", urgency=Urgency.DECISION
    )
    async with office.engine.database.store.transaction() as tx:
        await tx.notices.put(notice, office.engine.clock.now())
    office.engine.clock.ahead = timedelta(seconds=21)
    await office.quiet()

    assert _replies(office, card) == []


async def test_errors_that_are_new_with_what_serves_are_marked(
    office: Office, log: CentralLog
) -> None:
    """Those after an older rollout are not, nor those of a target that nobody knows."""
    await _ship(office)
    await log.fail("Bug 1", environment="staging")
    office.engine.clock.ahead = timedelta(minutes=2)
    await _ship(office, 1002)
    await log.fail("Bug 2", environment="staging")
    await log.fail("Bug 3", project="gone")
    said = await office.say("errors")

    assert said.count("🆕 new after D-1002, which is live now") == 1
    assert "🆕 new after D-1001" not in said
    assert "E-3 · error · gone/prod" in said


async def test_hostile_titles_mention_nobody(office: Office, log: CentralLog) -> None:
    """Somebody else's words stay words."""
    await log.fail("<!channel> *look* <https://evil|here>")
    said = await office.say("errors")

    assert "E-1" in said
    assert "<!channel>" not in said
    assert office.slack.refused == []


async def test_resolving_a_group_anywhere_redraws_the_reply_that_names_it(
    office: Office, log: CentralLog
) -> None:
    """Bob resolves it in his private answer; the thread says so."""
    card = await _ship(office)
    reply = await _told(office, log, card)
    await office.say("errors E-1")

    await _press(office, "Resolve", _answer(office))

    await until(lambda: "✅ resolved by <@U02BOB>" in all_text(reply.blocks))
    assert "all resolved" in reply.text
    await office.quiet()
    assert len(_replies(office, card)) == 1


async def test_silencing_a_group_in_the_terminal_redraws_the_reply_too(
    office: Office, log: CentralLog
) -> None:
    """Whoever acts, and wherever."""
    card = await _ship(office)
    reply = await _told(office, log, card)

    await log.triage.silence(1, CAROL, timedelta(hours=1))

    await until(lambda: "🔕 silenced until" in all_text(reply.blocks))


async def test_a_group_that_comes_back_is_taken_from_the_reply_it_was_in(
    office: Office, log: CentralLog
) -> None:
    """Long after the rollout it is no consequence of it any more; the reply still counts the other one."""
    card = await _ship(office)
    reply = await _told(office, log, card)
    await log.fail("Bug 2", environment="staging")
    await until(lambda: "2 new errors" in reply.text)
    await log.triage.resolve(2, CAROL)
    office.engine.clock.ahead += timedelta(hours=2)

    await log.fail("Bug 2", environment="staging")

    await until(lambda: "Bug 2" not in all_text(reply.blocks))
