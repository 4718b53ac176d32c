"""People read what went wrong, act on it where they read it, and hear of what a rollout broke."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.clock import SystemClock
from operations.deployment.rollout import RolloutState
from operations.monitoring.errors.group import ErrorGroup, GroupState, Order
from operations.outbox import Notice, NoticeKind, Urgency
from tests.error_groups import make_change, make_group, make_sample
from tests.factories import BOB, CAROL
from tests.fakes_errors import ScriptedTriage
from tests.scenario.office import Office, open_office
from tests.slack_blocks import all_text, labels
from tests.slack_stand_in import Said, SlackStandIn, until


@pytest.fixture
def triage() -> ScriptedTriage:
    """E-12 and E-13 on myapp/prod, E-14 on myapp/staging."""
    log = ScriptedTriage(SystemClock())
    log.put([group(12), group(13, count=5, title="KeyError: 'discount'")])
    log.put([group(14, environment="staging", count=2)])
    return log


@pytest.fixture
async def office(
    tmp_path: Path, slack: SlackStandIn, triage: ScriptedTriage
) -> AsyncIterator[Office]:
    """A bot that counts errors."""
    async with open_office(tmp_path, slack, triage=triage) as opened:
        yield opened


def group(number: int, **changes: object) -> ErrorGroup:
    """Seen an hour ago for the first time, and just now."""
    now = SystemClock().now()
    made = make_group(id=number, first_seen=now - timedelta(hours=1), last_seen=now)
    return replace(made, **changes)  # type: ignore[arg-type]  # checked by the dataclass itself


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


async def _tell_errors(office: Office, rollout: str = "D-1001") -> None:
    """As the central log does when a group begins after a rollout."""
    notice = Notice(
        subject=rollout, kind=NoticeKind.ERRORS, channel="C01GEN", urgency=Urgency.DECISION
    )
    async with office.engine.database.store.transaction() as tx:
        await tx.notices.put(notice, office.engine.clock.now())


async def _reply(office: Office, card: Said, words: str) -> Said:
    await until(lambda: any(words in m.text for m in office.slack.thread(card)))
    return next(m for m in office.slack.thread(card) if words in m.text)


async def test_the_worst_errors_of_a_day(office: Office, triage: ScriptedTriage) -> None:
    """Privately, the worst first, everywhere."""
    said = await office.say("errors")

    assert office.slack.messages == []
    assert office.slack.refused == []
    assert said.index("E-12 · error · myapp/prod · 812 times") < said.index("E-13 · error")
    assert "E-14 · error · myapp/staging" in said
    assert "3 groups · last 24 h · worst first" in said
    [query] = triage.asked
    assert (query.order, query.limit) == (Order.WORST, 21)
    assert query.since is not None
    assert labels(_answer(office).blocks)[:3] == ["Resolve", "Silence 1h", "What changed"]


async def test_of_one_target_the_newest_so_many(office: Office, triage: ScriptedTriage) -> None:
    """Names in any case; it says that there are more, and how to see them."""
    said = await office.say("ERRORS 1 MyApp PROD --newest --since 2h")

    assert "E-14" not in said
    assert "the newest 1 group · myapp/prod · last 2 h" in said
    assert "there are more: `/hms errors 2 myapp prod --since 2h --newest`" in said
    assert triage.asked[0].order is Order.NEWEST


async def test_nothing_went_wrong(office: Office, triage: ScriptedTriage) -> None:
    """It says what was searched."""
    triage.groups.clear()

    assert "No open errors of myapp/prod in the last 24 h." in await office.say("errors myapp prod")


async def test_a_project_that_nobody_knows(office: Office) -> None:
    """The nearest one is named."""
    assert "Did you mean “myapp”?" in await office.say("errors myap")


async def test_one_in_full(office: Office, triage: ScriptedTriage) -> None:
    """Samples, and what changed before it began."""
    triage.samples.append(make_sample())
    triage.changes.append(make_change())
    said = await office.say("errors e12")

    assert "return sum(line.price for line in order.lines)" in said
    assert "D-1042 shipped 1.4.2" in said
    assert "There is no error group E-99." in await office.say("errors E-99")


async def test_acting_on_a_group(office: Office, triage: ScriptedTriage) -> None:
    """Each click is answered, and nothing of the private answer is edited."""
    await office.say("errors 1")
    shown = _answer(office)
    triage.changes.append(make_change())

    assert "D-1042 shipped 1.4.2" in await _press(office, "What changed", shown)
    assert "E-12 is silent until" in await _press(office, "Silence 1h", shown)
    assert "You resolved E-12: TypeError" in await _press(office, "Resolve", shown)

    assert triage.groups[12].state is GroupState.RESOLVED
    assert triage.groups[12].resolved_by is not None
    assert triage.groups[12].resolved_by.id == BOB.id
    assert "chat.update" not in office.slack.calls
    assert office.slack.refused == []


async def test_a_click_that_came_second(office: Office) -> None:
    """It hears what happened; a private answer cannot be brought up to date."""
    await office.say("errors 1")
    shown = _answer(office)
    await _press(office, "Resolve", shown)

    assert "E-12 is resolved already." in await _press(office, "Resolve", shown)
    assert "chat.update" not in office.slack.calls


async def test_new_errors_are_told_once_in_the_thread_of_their_rollout(
    office: Office, triage: ScriptedTriage
) -> None:
    """Not before they had a moment to become several; the channel hears of it, with the way back."""
    card = await _ship(office)
    triage.put([group(21, rollout="D-1001", environment="staging")])
    await _tell_errors(office)
    await office.say("errors")  # time enough to tell of one, were it told at once
    soon = office.engine.clock.now() + timedelta(minutes=4)
    triage.put(
        group(n, rollout="D-1001", environment="staging", first_seen=soon, title=f"Bug {n}")
        for n in (21, 22, 23)
    )
    await _tell_errors(office)
    office.engine.clock.ahead = timedelta(seconds=21)
    reply = await _reply(office, card, "3 new errors 4 minutes after 1.1 → myapp/staging")

    assert reply.broadcast
    assert labels(reply.blocks) == ["Roll back"]
    assert all(f"E-{n}" in all_text(reply.blocks) for n in (21, 22, 23))
    assert reply.history == []
    assert office.slack.refused == []


async def _told(office: Office, triage: ScriptedTriage, card: Said) -> Said:
    """One new error after 1.1 was told."""
    triage.put([group(21, rollout="D-1001", environment="staging", title="Bug 21")])
    await _tell_errors(office)
    office.engine.clock.ahead += timedelta(seconds=21)
    return await _reply(office, card, "1 new error")


async def test_the_reply_grows_by_being_edited(office: Office, triage: ScriptedTriage) -> None:
    """One reply, however many errors follow."""
    card = await _ship(office)
    reply = await _told(office, triage, card)
    triage.put([group(22, rollout="D-1001", environment="staging", title="Bug 22")])
    await _tell_errors(office)
    await until(lambda: "2 new errors" in reply.text)
    await office.quiet()

    assert len([m for m in office.slack.thread(card) if "error" in m.text]) == 1


async def test_a_reply_whose_answer_was_lost_is_not_repeated(
    office: Office, triage: ScriptedTriage
) -> None:
    """Our own reply is found in the thread by its block_ids, and edited from then on."""
    card = await _ship(office)
    office.slack.lose_answers.append("chat.postMessage")
    reply = await _told(office, triage, card)
    await office.quiet()
    triage.put([group(22, rollout="D-1001", environment="staging")])
    await _tell_errors(office)
    await until(lambda: "2 new errors" in reply.text)

    assert len([m for m in office.slack.thread(card) if "error" in m.text]) == 1


async def test_a_reply_that_somebody_deleted_stays_away(
    office: Office, triage: ScriptedTriage
) -> None:
    """Errors that follow are told by `errors`."""
    card = await _ship(office)
    office.slack.forget(await _told(office, triage, card))
    await _tell_errors(office)
    await office.quiet()

    assert [m for m in office.slack.thread(card) if "error" in m.text] == []


async def test_errors_while_it_goes_out_offer_the_way_back_once_it_is_live(
    office: Office, triage: ScriptedTriage
) -> None:
    """Before, its card has the button that stops it; the channel is not told twice."""
    await office.say("deploy myapp staging 1.1")
    await office.change(1001, state=RolloutState.RUNNING)
    card = await office.card("Rolling out")
    triage.put([group(21, rollout="D-1001", environment="staging")])
    await _tell_errors(office)
    office.engine.clock.ahead = timedelta(seconds=21)
    reply = await _reply(office, card, "1 new error during 1.1 → myapp/staging")
    assert not reply.broadcast
    assert labels(reply.blocks) == []

    await office.end(1001, state=RolloutState.SUCCEEDED)
    await until(lambda: labels(reply.blocks) == ["Roll back"])


async def test_roll_back_from_the_reply(office: Office, triage: ScriptedTriage) -> None:
    """It is the rollout's own button; once the former release is back, the reply has it no more."""
    card = await _ship(office)
    reply = await _told(office, triage, card)
    assert "D-1002" in await _press(office, "Roll back", reply)
    assert reply.text.startswith("1 new error")

    await office.end(1002, state=RolloutState.SUCCEEDED)
    await until(lambda: labels(reply.blocks) == [])
    assert labels(card.blocks) == []


async def test_roll_back_of_what_serves_no_more(office: Office, triage: ScriptedTriage) -> None:
    """It is refused, and the reply stays the reply: it does not become the rollout's card."""
    card = await _ship(office)
    reply = await _told(office, triage, card)
    click = office.click_body("Roll back", reply, CAROL)
    await _ship(office, 1002)
    edits = len(reply.history)

    before = len(office.slack.private)
    assert await office.send(click) == 200
    await until(lambda: len(office.slack.private) > before)
    assert "D-1001 is not what serves any more" in office.told(CAROL)
    await until(lambda: len(reply.history) > edits)
    assert reply.text.startswith("1 new error")


async def test_what_was_resolved_before_it_could_be_told(
    office: Office, triage: ScriptedTriage
) -> None:
    """Nothing is left to tell."""
    card = await _ship(office)
    await _tell_errors(office)
    office.engine.clock.ahead = timedelta(seconds=21)
    await office.quiet()

    assert [m for m in office.slack.thread(card) if "error" in m.text] == []


async def test_hostile_titles_mention_nobody(office: Office, triage: ScriptedTriage) -> None:
    """Somebody else's words stay words."""
    triage.put([group(12, title="<!channel> *look* <https://evil|here>")])
    said = await office.say("errors")

    assert "<!channel>" not in said
    assert office.slack.refused == []


async def test_errors_that_are_new_with_what_serves_are_marked(
    office: Office, triage: ScriptedTriage
) -> None:
    """Those after an older rollout are not, nor those of a target that nobody knows any more."""
    await _ship(office)
    await _ship(office, 1002)
    triage.put(
        [
            group(21, rollout="D-1001", environment="staging"),
            group(22, rollout="D-1002", environment="staging"),
            group(23, rollout="D-7", project="gone"),
        ]
    )
    said = await office.say("errors")

    assert said.count("🆕 new after D-1002, which is live now") == 1
    assert "🆕 new after D-1001" not in said
    assert "E-23" in said
