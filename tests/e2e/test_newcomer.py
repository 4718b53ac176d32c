"""What the demo's greeting proposes, done by a newcomer in a browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.camera import Camera
from tests.e2e.demo import Demo
from tests.e2e.workspace import (
    ALICE,
    BOB,
    CAROL,
    LATER,
    SOON,
    Workspace,
    buttons,
    rollout_of,
    shows,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),  # one demo, one worker
    pytest.mark.timeout(180),
]


async def test_alice_asks_bob_approves_and_it_goes_live(
    workspace: Workspace, camera: Camera
) -> None:
    await workspace.act_as(ALICE)
    card = await workspace.ask("/hms deploy myapp prod 1.1 --reason 'Faster checkout'")
    await shows(card, "Waiting for approval: myapp 1.1 → prod", "1.0", "AWS ECS main/myapp")
    await shows(card, "@Alice Anderson", "“Faster checkout”", "pinned to sha256:")
    await expect(card).to_contain_text(re.compile(r"expires \d\d:\d\d · D-"))
    assert await buttons(card) == ["Approve", "Reject"]
    await camera.take(card, "approval")

    await workspace.act_as(BOB)
    await camera.take(workspace.page, "page")
    await workspace.press(card, "Approve")
    moving = r"Rolling out: myapp 1\.1 → prod.*Approved by @Bob Brown.*Cancel"
    await expect(card).to_contain_text(re.compile(moving, re.DOTALL), timeout=SOON)
    await shows(card, "Live: myapp 1.1 → prod", "approved by @Bob Brown", within=LATER)
    assert await buttons(card) == ["Roll back"]
    await camera.take(card, "live")
    await shows(await workspace.read_thread(card), "@Alice Anderson", "1 reply")


async def test_nobody_approves_their_own_request(workspace: Workspace) -> None:
    await workspace.act_as(ALICE)
    card = await workspace.ask("/hms deploy mkt prod 1.1")
    await workspace.press(card, "Approve")
    answer = workspace.messages.last
    await shows(answer, "only visible to you", "somebody else has to decide")
    assert await buttons(card) == ["Approve", "Reject"]
    await workspace.act_as(CAROL)
    await workspace.press(card, "Reject")
    await shows(card, "Rejected: mkt 1.1 → prod", "@Carol Clark")
    assert await buttons(card) == []


async def test_a_bad_version_says_why_and_the_former_one_is_back(
    workspace: Workspace, camera: Camera
) -> None:
    await workspace.act_as(BOB)
    card = await workspace.ask("/hms deploy myapp staging 1.2-bad")
    await shows(card, "Failed and rolled back: myapp 1.2-bad → staging", within=LATER)
    await shows(card, "1.0 is serving again", "cannot pull the image")
    await expect(card.locator("pre, code").last).to_contain_text("ImagePullBackOff")
    assert await buttons(card) == ["Retry"]
    await shows(card, "2 replies")
    await camera.take(card, "failed")
    thread = await workspace.read_thread(card)
    await shows(thread, "Events and logs of myapp 1.2-bad → staging", "@Bob Brown")


async def test_a_slow_one_is_cancelled(workspace: Workspace) -> None:
    await workspace.act_as(BOB)
    card = await workspace.ask("/hms deploy myapp staging 1.2-slow")
    await shows(card, "Rolling out: myapp 1.2-slow → staging")
    await workspace.press(card, "Cancel")
    await shows(card, "Cancelled: myapp 1.2-slow → staging", within=LATER)
    await shows(card, "Cancelled by @Bob Brown", "1.0 is serving again")
    assert "Cancel" not in await buttons(card)


async def test_the_form_asks_for_what_the_command_left_out(
    workspace: Workspace, camera: Camera
) -> None:
    await workspace.act_as(CAROL)
    await workspace.type("/hms deploy")
    await expect(workspace.form.locator(".modal-title")).to_have_text("Deploy")
    await workspace.choose("mkt", "prod")
    await workspace.fill_in("1.2", "Spring campaign")
    await camera.take(workspace.form, "form")

    await workspace.choose("mkt", "staging")
    await workspace.send_in_vain()
    await shows(workspace.form, "mkt has no environment “staging”")

    await workspace.choose("mkt", "prod")
    card = workspace.card(await rollout_of(await workspace.send()))
    await expect(workspace.form).to_have_count(0)
    await shows(card, "Waiting for approval: mkt 1.2 → prod", "@Carol Clark: “Spring campaign”")

    await workspace.act_as(BOB)
    await workspace.press(card, "Approve")
    if camera.is_on:
        await shows(card, "Rolling out: mkt 1.2 → prod", "1 of 2")
        await camera.take(card, "rolling-out")
    await shows(card, "Live: mkt 1.2 → prod", within=LATER)


async def test_a_step_of_the_tour_is_written_by_a_click(workspace: Workspace) -> None:
    page = workspace.page
    await page.locator(".tour-try", has_text="/hms history").click()
    await expect(page.locator(".composer-input")).to_have_value("/hms history")
    answer = await workspace.answer_to_enter()
    await shows(answer, "newest first")


async def test_help_and_status_answer_privately(workspace: Workspace, camera: Camera) -> None:
    told = await workspace.say("/hms help")
    await shows(told, "/hms deploy", "Ship a version to an environment", "/hms rollback")
    await camera.take(told, "help")
    fleet = await workspace.say("/hms status")
    await shows(fleet, "4 targets", "myapp staging", "mkt prod", "site prod", "Forge")
    await camera.take(fleet, "fleet")
    examined = await workspace.say("/hms doctor")
    await shows(examined, "Doctor: 1 doubtful", "well")  # the local Slack names no scopes
    await camera.take(examined, "doctor")


async def test_ctrl_c_stops_all_of_it_while_the_page_is_open(
    workspace: Workspace, local_slack: Path, tmp_path: Path
) -> None:
    demo = Demo(local_slack, tmp_path / "state", pace=0.3)
    try:
        await workspace.open(demo.wait_for_greeting())
        assert demo.interrupt() == 0
        assert "Stopping" in demo.said
    finally:
        demo.kill()
