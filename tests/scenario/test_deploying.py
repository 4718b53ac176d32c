"""From `/hms deploy` to the end, as people in a channel see it."""

from __future__ import annotations

import asyncio

from operations.deployment.progress import Failure, Step, StepState
from operations.deployment.rollout import Phase, RolloutState
from tests.factories import ALICE, BOB, CAROL
from tests.scenario.office import Office
from tests.slack_blocks import all_text, labels
from tests.slack_stand_in import until


async def test_deploy_asks_for_approval_in_the_channel(office: Office) -> None:
    """The card names what, where, who, why and how it is pinned; the asker is told where it is."""
    answer = await office.say("deploy myapp prod 1.1 --reason “rounding fix”")
    card = await office.card("Waiting for approval")

    assert "D-1001" in answer
    assert "<#C01GEN>" in answer
    shown = all_text(card.blocks)
    assert "🟡 *Waiting for approval: myapp 1.1 → prod*" in shown
    assert "Now running `1.0` · Kubernetes default/web · <@U01ALICE>: “rounding fix”" in shown
    assert "pinned to `sha256:bbb…`" in shown
    assert labels(card.blocks) == ["Approve", "Reject"]


async def test_approval_moves_the_same_message(office: Office) -> None:
    """One message per matter: approving edits it, and its old buttons go."""
    await office.say("deploy myapp prod 1.1")
    card = await office.card("Waiting for approval")

    await office.press("Approve", card, BOB)
    queued = await office.card("Queued")

    assert queued.ts == card.ts
    assert labels(queued.blocks) == ["Cancel"]
    assert "<@U02BOB> approved" in all_text(queued.blocks)


async def test_a_rollout_that_goes_live_is_told_once_in_the_thread(office: Office) -> None:
    """Progress, the end, and one reply that names the requester."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    step = Step(name="New pods", state=StepState.RUNNING, ready=1, total=2, detail="1 of 2 ready")
    await office.change(1001, state=RolloutState.RUNNING, phase=Phase.FOLLOWING, steps=(step,))
    running = await office.card("Rolling out")
    assert "`████░░░░` 1 of 2 ready" in all_text(running.blocks)
    assert labels(running.blocks) == ["Cancel"]

    await office.end(1001, state=RolloutState.SUCCEEDED, outcome="2 of 2 pods")
    live = await office.card("Live")
    await office.quiet()

    assert "🟢 *Live: myapp 1.1 → staging* in 48 s" in all_text(live.blocks)
    assert labels(live.blocks) == ["Roll back"]
    replies = office.slack.thread(live)
    assert len(replies) == 1
    assert "<@U01ALICE>" in all_text(replies[0].blocks)
    assert not replies[0].broadcast


async def test_a_failure_is_broadcast_with_its_evidence_in_the_thread(office: Office) -> None:
    """The reason stands in the card, everything else below it."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    failure = Failure(
        summary="2 pods cannot pull the image",
        reason="ImagePullBackOff: not found",
        evidence=("Warning <Failed>: not found", "last log line"),
    )
    await office.end(1001, state=RolloutState.FAILED, failure=failure, outcome="Left as it is.")
    failed = await office.card("Failed")
    await office.quiet()

    assert "*Why* · 2 pods cannot pull the image\n`ImagePullBackOff: not found`" in all_text(
        failed.blocks
    )
    assert labels(failed.blocks) == ["Retry"]
    ended, evidence = sorted(office.slack.thread(failed), key=lambda m: "Events" in m.text)
    assert ended.broadcast
    assert "Warning &lt;Failed&gt;: not found\nlast log line" in all_text(evidence.blocks)


async def test_retry_asks_again_with_all_rules_applied_anew(office: Office) -> None:
    """The button makes a new rollout, which is announced like any other."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    await office.end(1001, state=RolloutState.FAILED, failure=Failure(summary="it broke"))
    failed = await office.card("Failed")

    await office.press("Retry", failed, CAROL)
    again = await office.card("Queued")

    assert "D-1002" in again.text
    assert "D-1002" in office.told(CAROL)


async def test_roll_back_brings_the_former_release(office: Office) -> None:
    """No vote is needed, and the card says which way it goes."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    await office.end(1001, state=RolloutState.SUCCEEDED)
    live = await office.card("Live")

    await office.press("Roll back", live, BOB)
    queued = await office.card("Queued")

    assert "myapp 1.0 → staging" in queued.text


async def test_what_is_live_no_longer_loses_its_button(office: Office) -> None:
    """Rolling back from an old message would take something newer back."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    await office.end(1001, state=RolloutState.SUCCEEDED)
    first = await office.card("Live")
    before = office.click_body("Roll back", first, BOB)
    office.engine.provider.serving = "acme/myapp@sha256:bbb"
    await office.say("deploy myapp staging 1.0")
    await until(lambda: any("D-1002" in m.text for m in office.slack.cards()))
    await office.end(1002, state=RolloutState.SUCCEEDED)
    await until(lambda: labels(first.blocks) == [])

    assert await office.send(before) == 200
    await until(lambda: bool(office.slack.private) and office.slack.private[-1].user == BOB.id)

    assert "D-1001 is not what serves any more" in office.told(BOB)
    assert not any("D-1003" in m.text for m in office.slack.cards())


async def test_an_older_card_rolls_nothing_back_after_a_failure_that_was_left(
    office: Office,
) -> None:
    """What it shipped is what should come back then, and the answer says how."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    await office.end(1001, state=RolloutState.SUCCEEDED)
    live = await office.card("Live")
    await office.say("deploy myapp staging 1.0")
    await until(lambda: any("D-1002" in m.text for m in office.slack.cards()))
    await office.end(1002, state=RolloutState.FAILED, handle={"name": "web"})

    await office.press("Roll back", live, BOB)
    await until(lambda: any(private.user == BOB.id for private in office.slack.private))

    assert "D-1002 went out after D-1001 and was left as it is" in office.told(BOB)
    assert "rollback myapp staging` brings 1.1 back" in office.told(BOB)
    assert not any("D-1003" in m.text for m in office.slack.cards())


async def test_a_newer_request_supersedes_one_that_waits(office: Office) -> None:
    """The old card says so and has no buttons; the asker hears it too."""
    await office.say("deploy myapp prod 1.1")
    old = await office.card("Waiting for approval")
    answer = await office.say("deploy myapp prod 1.0", CAROL)
    await office.quiet()

    assert "Gives way to it: D-1001" in answer
    assert "Superseded by D-1002" in all_text(old.blocks)
    assert labels(old.blocks) == []


async def test_a_queued_rollout_names_what_goes_first(office: Office) -> None:
    """Only one at a time on a target."""
    await office.say("deploy myapp staging 1.1")
    await office.card("Queued")
    await office.change(1001, state=RolloutState.RUNNING, phase=Phase.FOLLOWING)
    answer = await office.say("deploy myapp staging 1.0")

    card = await office.card("Queued behind D-1001")
    assert "First goes D-1001" in answer
    assert "D-1002" in card.text


async def test_the_form_deploys(office: Office) -> None:
    """`/hms deploy` alone opens it; what is sent becomes a rollout, and the answer is private."""
    assert await office.send(office.command_body("deploy", ALICE)) == 200
    await until(lambda: len(office.slack.views) == 1)
    view = office.slack.views[0]
    assert view["callback_id"] == "deploy.form"

    await office.send(_filled(office, view, "staging"))
    card = await office.card("Queued")

    assert "“from a form”" in all_text(card.blocks)
    await until(lambda: bool(office.slack.private))
    assert "D-1001" in office.told(ALICE)


async def test_the_form_names_an_environment_that_the_project_lacks(office: Office) -> None:
    """The fault stands in the form, and nothing is asked for."""
    await office.send(office.command_body("deploy", ALICE))
    await until(lambda: len(office.slack.views) == 1)

    await office.send(_filled(office, office.slack.views[0], "moon"))
    await asyncio.sleep(0)

    assert office.slack.messages == []


async def test_the_form_takes_a_time(office: Office) -> None:
    await office.send(office.command_body("deploy", ALICE))
    await until(lambda: len(office.slack.views) == 1)

    await office.send(_filled(office, office.slack.views[0], "staging", start="2h"))

    card = await office.card("Scheduled: myapp 1.1 → staging")
    assert "⏰ Starts" in all_text(card.blocks)


def _filled(office: Office, view: object, environment: str, start: str = "") -> dict[str, str]:
    assert isinstance(view, dict)
    values = {
        "deploy.project": {"value": {"selected_option": {"value": "myapp"}}},
        "deploy.environment": {"value": {"selected_option": {"value": environment}}},
        "deploy.version": {"value": {"value": "1.1"}},
        "deploy.reason": {"value": {"value": "from a form"}},
        "deploy.start": {"value": {"value": start}},
    }
    sent = {**view, "id": "V1", "state": {"values": values}}
    return office.interaction({"type": "view_submission", "view": sent}, ALICE)
