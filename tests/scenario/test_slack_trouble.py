"""Slack is slow, down, throttling or loses answers: nothing is lost and nothing is said twice."""

from __future__ import annotations

from pathlib import Path

from operations.deployment.progress import Failure
from operations.deployment.rollout import Phase, RolloutState
from operations.outbox import NoticeKind
from tests.factories import ALICE, make_catalog, make_target
from tests.scenario.office import Office, open_office
from tests.slack_stand_in import SlackStandIn, until


async def test_slack_down_then_back(office: Office) -> None:
    """Everything that was due is told once, as it is by then."""
    office.slack.is_down = True
    await office.send(office.command_body("deploy myapp staging 1.1", ALICE))
    await until(lambda: "conversations.history" in office.slack.calls)
    await office.end(1001, state=RolloutState.FAILED, failure=Failure(summary="it broke"))
    assert office.slack.messages == []

    office.slack.is_down = False
    card = await office.card("Failed")
    await office.quiet()

    assert len(office.slack.cards()) == 1
    assert len(office.slack.thread(card)) == 1


async def test_a_post_whose_answer_was_lost_is_not_repeated(office: Office) -> None:
    """Our own message is found in the channel by its block_ids and taken over."""
    office.slack.lose_answers.append("chat.postMessage")

    await office.say("deploy myapp staging 1.1")
    await office.quiet()

    assert len(office.slack.cards()) == 1
    posted = await office.engine.database.notice_queue.posted("D-1001", NoticeKind.CARD)
    assert posted is not None
    assert posted.ts == office.slack.messages[0].ts


async def test_a_reply_whose_answer_was_lost_is_not_repeated(office: Office) -> None:
    """The same in the thread."""
    await office.say("deploy myapp staging 1.1")
    card = await office.card("Queued")
    office.slack.lose_answers.append("chat.postMessage")
    await office.end(1001, state=RolloutState.SUCCEEDED)
    await office.quiet()

    assert len(office.slack.thread(card)) == 1


async def test_without_the_right_to_read_the_channel_it_is_posted_again(office: Office) -> None:
    """Told twice is better than not at all."""
    office.slack.scopes_missing.add("conversations.history")
    office.slack.lose_answers.append("chat.postMessage")

    await office.say("deploy myapp staging 1.1")
    await office.quiet()

    assert len(office.slack.cards()) == 2


async def test_an_edit_whose_answer_was_lost_is_repeated(office: Office) -> None:
    """Edits can be."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    office.slack.lose_answers.append("chat.update")
    await office.end(1001, state=RolloutState.SUCCEEDED)

    await office.card("Live")
    await office.quiet()
    assert len(office.slack.cards()) == 1


async def test_throttling_is_honoured(office: Office) -> None:
    """Retry-After is waited for, and then it is said."""
    office.slack.throttle("chat.postMessage", seconds=1)

    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")

    assert office.slack.calls.count("chat.postMessage") == 2


async def test_throttled_edits_end_with_the_truth(office: Office) -> None:
    """However many were refused on the way, the end is shown."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    office.slack.throttle("chat.update", seconds=1)
    await office.change(1001, state=RolloutState.RUNNING, phase=Phase.FOLLOWING)
    await office.end(1001, state=RolloutState.SUCCEEDED)

    await office.card("Live")


async def test_a_deleted_card_is_posted_anew(office: Office) -> None:
    """Somebody removed it; the end is told all the same."""
    await office.say("deploy myapp staging 1.1")
    card = await office.card("Queued")
    office.slack.forget(card)

    await office.end(1001, state=RolloutState.SUCCEEDED)
    await office.card("Live")
    await office.quiet()

    assert len(office.slack.cards()) == 1


async def test_blocks_that_slack_refuses_are_told_as_text(office: Office) -> None:
    """An end is never dropped because of how it is drawn."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    office.slack.break_answers.append(("chat.update", "invalid_blocks"))

    await office.end(1001, state=RolloutState.SUCCEEDED)

    live = await office.card("Live")
    assert len(live.blocks) == 1


async def test_a_channel_that_is_not_there_yet(tmp_path: Path, slack: SlackStandIn) -> None:
    """It waits, says why, and is told once the bot was invited."""
    target = make_target(channel="C03OUT", approval=None)
    async with open_office(tmp_path, slack, catalog=make_catalog(target)) as office:
        await office.say("deploy myapp prod 1.1")
        await until(lambda: len(slack.refused) >= 2)
        assert slack.messages == []

        slack.channels["C03OUT"] = "member"
        await office.card("Queued", "C03OUT")


async def test_progress_while_slack_is_slow_skips_to_the_newest(office: Office) -> None:
    """A card that changed ten times is not edited ten times."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    office.slack.latency = 0.15
    for _ in range(10):
        await office.change(1001, state=RolloutState.RUNNING, phase=Phase.FOLLOWING)
    await office.end(1001, state=RolloutState.SUCCEEDED)
    card = await office.card("Live")
    await office.quiet()

    assert len(card.history) < 8


async def test_a_bot_that_stops_in_the_middle_of_a_post(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    """Cancelled between sending and hearing: the next one finds what was posted."""
    async with open_office(tmp_path, slack) as before:
        slack.latency = 0.4
        await before.send(before.command_body("deploy myapp staging 1.1", ALICE))
        await until(lambda: "chat.postMessage" in slack.calls)
    slack.latency = 0.0
    async with open_office(tmp_path, slack) as after:
        await after.card("Queued")
        await after.quiet()

    assert len(slack.cards()) == 1
