"""Every command and click gets an answer, and it says what to do next."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from operations.deployment.progress import Failure
from operations.deployment.rollout import RolloutState
from operations.deployment.target import ApprovalRule
from operations.errors import ProviderUnavailable
from tests.factories import ALICE, BOB, CAROL, make_catalog, make_target
from tests.scenario.office import Office, open_office
from tests.slack_blocks import all_text, labels
from tests.slack_stand_in import SlackStandIn, until


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param("", "/hms deploy", id="nothing"),
        pytest.param("help", "/hms rollback", id="help"),
        pytest.param("help deploy", "--reason TEXT", id="help of one"),
        pytest.param("depoly myapp prod 1.1", "`/hms deploy myapp prod 1.1`", id="typo of a verb"),
        pytest.param("deploy myap prod 1.1", "Did you mean “myapp”?", id="typo of a project"),
        pytest.param("deploy myapp prd 1.1", "Did you mean “prod”?", id="typo of an environment"),
        pytest.param("deploy aws myapp prod 1.1", "deployed by k8s, not aws", id="wrong provider"),
        pytest.param(
            "status aws myapp prod", "deployed by k8s, not aws", id="wrong provider asked"
        ),
        pytest.param("deploy myapp prod 9.9", "There is no version 9.9.", id="unknown version"),
        pytest.param("deploy myapp prod <!channel>", "is not a version", id="hostile version"),
        pytest.param("show D-9", "There is no rollout D-9.", id="unknown rollout"),
        pytest.param("history", "Nothing was shipped yet.", id="empty history"),
        pytest.param("history --by me", "that <@U01ALICE> asked for", id="none of mine"),
        pytest.param("status forge", "Everything here is deployed by k8s", id="no such provider"),
        pytest.param("status", "🟢 *myapp* prod `acme/myapp@sha256:aaa` 2/2", id="fleet"),
        pytest.param("logs myapp prod", "GET / 200", id="logs"),
        pytest.param("why myapp prod", "you can deploy, with one vote", id="why"),
        pytest.param("deploy myapp prod 1.1 —dry-run", "Nothing was changed.", id="dry run"),
        pytest.param("rollback myapp prod", "knows no former release", id="nothing to go back to"),
        pytest.param("unlock myapp prod", "is not locked", id="nothing to unlock"),
        pytest.param("stats", "nothing was shipped in the last 30 d", id="stats of nothing"),
        pytest.param("doctor", "Nothing can be examined here.", id="no doctor"),
    ],
)
async def test_a_command_is_answered_privately(office: Office, words: str, expected: str) -> None:
    """What was understood, what stands in the way, and the exact command to say next."""
    answer = await office.say(words)

    assert expected in answer
    assert office.slack.messages == []
    assert office.slack.refused == []


async def test_typographic_signs_are_understood(office: Office) -> None:
    """Slack's editors produce them."""
    await office.say("DEPLOY myapp staging version=1.1 —reason “login & <fix>”")

    card = await office.card("Queued")
    assert "“login &amp; &lt;fix&gt;”" in all_text(card.blocks)


async def test_a_reason_cannot_mention_the_channel(office: Office) -> None:
    """Somebody else's words stay words."""
    await office.say('deploy myapp staging 1.1 --reason "&lt;!channel&gt; look"')

    card = await office.card("Queued")
    assert "<!channel>" not in all_text(card.blocks)
    assert office.slack.refused == []


async def test_lock_and_unlock(office: Office) -> None:
    """A lock holds others back and tells them whose it is."""
    assert "locked until" in await office.say("lock myapp prod quarter end --for 2h")

    refused = await office.say("deploy myapp prod 1.1", BOB)
    assert "is locked by <@U01ALICE>" in refused
    assert "“quarter end”" in await office.say("status", BOB)
    assert "not locked any more" in await office.say("unlock myapp prod")


async def test_vote_by_command(office: Office) -> None:
    """The words work as the button does."""
    await office.say("deploy myapp prod 1.1")

    assert "You approved D-1001" in await office.say("approve d-1001", BOB)
    assert "is approved and waits" in await office.say("reject D-1001 no", CAROL)
    assert "You cancelled D-1001" in await office.say("cancel 1001")
    shown = await office.say("show D-1001")
    assert "Cancelled by <@U01ALICE> before it began." in shown
    assert "D-1001" in await office.say("history")


async def test_own_request_cannot_be_approved(office: Office) -> None:
    """Self-approval is refused, and the card keeps its buttons for others."""
    await office.say("deploy myapp prod 1.1")
    card = await office.card("Waiting for approval")

    await office.press("Approve", card, ALICE)
    await until(lambda: "You asked for D-1001 yourself" in office.told(ALICE))

    assert labels(card.blocks) == ["Approve", "Reject"]


async def test_two_people_press_at_once(office: Office) -> None:
    """One effect; the second hears what happened, and by whom."""
    await office.say("deploy myapp prod 1.1")
    card = await office.card("Waiting for approval")
    async with asyncio.TaskGroup() as group:
        group.create_task(office.press("Approve", card, BOB))
        group.create_task(office.press("Approve", card, CAROL))
    await office.card("Queued")
    await until(lambda: any(p.user in {BOB.id, CAROL.id} for p in office.slack.private))

    late = next(p for p in office.slack.private if p.user in {BOB.id, CAROL.id})
    assert "D-1001 is approved and waits in the queue (by <@U0" in late.text
    rollout = (await office.engine.deployments.inquiries.show(1001)).rollout
    assert len(rollout.votes) == 1


async def test_a_click_on_something_finished_brings_the_card_up_to_date(office: Office) -> None:
    """The person sees an old card; the answer says what became of it and the card is drawn anew."""
    await office.say("deploy myapp prod 1.1")
    card = await office.card("Waiting for approval")
    old_blocks, click = list(card.blocks), office.click_body("Approve", card, BOB)
    await office.end(1001, state=RolloutState.CANCELLED, outcome="Cancelled by hand.")
    await office.card("Cancelled")
    card.blocks = old_blocks

    assert await office.send(click) == 200
    await until(lambda: "was cancelled" in office.told(BOB) if office.slack.private else False)
    await until(lambda: labels(card.blocks) == [] or labels(card.blocks) == ["Retry"])


async def test_an_expired_request_says_so(office: Office) -> None:
    """The answer has the command that asks again."""
    await office.say("deploy myapp prod 1.1")
    card = await office.card("Waiting for approval")
    office.engine.clock.ahead = timedelta(hours=2)

    await office.press("Approve", card, BOB)
    await until(lambda: any(p.user == BOB.id for p in office.slack.private))

    told = office.told(BOB)
    assert "The request D-1001 has expired." in told
    assert "`/hms deploy myapp prod 1.1`" in told


async def test_a_click_after_a_restart(tmp_path: Path, slack: SlackStandIn) -> None:
    """What a button means is in the database, not in the process."""
    async with open_office(tmp_path, slack) as before:
        await before.say("deploy myapp prod 1.1")
        card = await before.card("Waiting for approval")
    async with open_office(tmp_path, slack) as after:
        await after.press("Approve", card, BOB)
        queued = await after.card("Queued")

        assert queued.ts == card.ts


async def test_a_button_of_another_version(office: Office) -> None:
    """Unknown actions and garbled values are answered, not left to time out."""
    await office.say("deploy myapp prod 1.1")
    card = await office.card("Waiting for approval")
    click = office.click_body("Approve", card, BOB)

    for garbled in (
        click["payload"].replace("rollout.approve", "rollout.launch"),
        click["payload"].replace("1001:1", "1001; drop table"),
        click["payload"].replace("1001:1", "9999:1"),
    ):
        before = len(office.slack.private)
        assert await office.send({"payload": garbled}) == 200
        await until(lambda seen=before: len(office.slack.private) > seen)


async def test_whoever_may_not_deploy_hears_who_may(tmp_path: Path, slack: SlackStandIn) -> None:
    """Groups are asked of Slack."""
    target = make_target(deployers=frozenset({"S01OPS"}))
    async with open_office(tmp_path, slack, catalog=make_catalog(target)) as office:
        refused = await office.say("deploy myapp prod 1.1", ALICE)
        assert "You may not deploy to myapp/prod." in refused
        assert "<!subteam^S01OPS> may." in refused
        assert "waits for approval" in await office.say("deploy myapp prod 1.1", BOB)


async def test_votes_are_counted_from_those_who_may_vote(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    """Two of a group: the card says how many are missing and from whom."""
    rule = ApprovalRule(required=2, voters=frozenset({"S01OPS"}))
    slack.groups["S01OPS"] = {"U02BOB", "U03CAROL"}
    async with open_office(
        tmp_path, slack, catalog=make_catalog(make_target(approval=rule))
    ) as office:
        await office.say("deploy myapp prod 1.1")
        card = await office.card("Waiting for approval")
        assert "needs 2 votes from <!subteam^S01OPS>" in all_text(card.blocks)

        await office.press("Approve", card, BOB)
        await until(lambda: "1 of 2, one more from <!subteam^S01OPS>" in all_text(card.blocks))
        await office.press("Approve", card, CAROL)
        await office.card("Queued")


async def test_groups_that_cannot_be_read_decide_nothing(
    tmp_path: Path, slack: SlackStandIn
) -> None:
    """When Slack does not tell who is in a group, nobody is let through."""
    slack.scopes_missing.add("usergroups.users.list")
    target = make_target(deployers=frozenset({"S01OPS"}))
    async with open_office(tmp_path, slack, catalog=make_catalog(target)) as office:
        answer = await office.say("deploy myapp prod 1.1", BOB)

    assert "nothing was decided" in answer
    assert "usergroups:read" in answer


async def test_a_platform_in_trouble_is_named(office: Office) -> None:
    """The provider's own words, and that nothing was changed."""
    office.engine.provider.resolve_troubles.append(
        ProviderUnavailable("Kubernetes does not answer.", hint="Nothing was changed.")
    )

    answer = await office.say("deploy myapp prod 1.1")

    assert "⚠️ Kubernetes does not answer." in answer


async def test_a_bug_shows_its_reference_only(office: Office) -> None:
    """No detail of ours leaks; the log has the rest."""
    office.engine.provider.resolve_troubles.append(KeyError("secret detail"))

    answer = await office.say("deploy myapp prod 1.1")

    assert "Something broke in HMS-SYS" in answer
    assert "secret detail" not in answer


async def test_a_command_during_shutdown(office: Office) -> None:
    """It is told so, and nothing is begun."""
    assert await office.side.boundary.drain(1.0) == 0

    answer = await office.say("deploy myapp staging 1.1")

    assert "HMS-SYS is restarting" in answer
    assert "D-1001" not in answer


async def test_a_quick_command_is_answered_in_its_acknowledgement(office: Office) -> None:
    """Nothing more has to be sent, and nothing can get lost in between."""
    body = office.command_body("help", ALICE)
    office.slack.expire_response_urls()

    await office.send(body)

    assert "deploy" in office.told(ALICE)
    assert office.side.boundary.in_flight == 0


async def test_unknown_rollout_in_a_reply_does_not_stop_the_worker(office: Office) -> None:
    """A failed rollout's card offers Retry, and a superseded one's offers nothing."""
    await office.say("deploy myapp staging 1.1")
    await office.end(1001, state=RolloutState.ROLLED_BACK, failure=Failure(summary="it broke"))
    card = await office.card("Failed and rolled back")

    assert "`1.0` is serving again" in all_text(card.blocks)
    assert labels(card.blocks) == ["Retry"]
