"""A version goes live that only a check finds sick: a newcomer hears of it, and takes it back."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.camera import Camera
from tests.e2e.workspace import ALICE, BOB, LATER, SOON, Workspace, buttons, shows

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),  # one demo, one worker
    pytest.mark.timeout(180),
]


async def test_a_sick_version_is_told_acknowledged_and_taken_back(
    workspace: Workspace, camera: Camera
) -> None:
    await workspace.act_as(ALICE)
    rollout = await workspace.ask("/hms deploy myapp staging 1.2-sick")
    await shows(rollout, "Live: myapp 1.2-sick → staging", within=LATER)

    alert = await workspace.newest_alert()
    await shows(alert, "Failing: web · myapp/staging", "answered 503, wanted 200")
    await shows(alert, "(1.2-sick, @Alice Anderson)")
    # The check may have failed while it was still on its way; the next miss brings the button.
    await expect(alert.get_by_role("button", name="Roll back")).to_be_visible(timeout=SOON)
    assert await buttons(alert) == ["Acknowledge", "Silence 1h", "Resolve", "Roll back"]
    await camera.take(alert, "alert")

    await workspace.act_as(BOB)
    await workspace.press(alert, "Acknowledge")
    await shows(alert, "Acknowledged by @Bob Brown")
    await workspace.press(alert, "Roll back")
    await shows(alert, "Well again: web", within=LATER)
    assert await buttons(alert) == []
    await camera.take(alert, "alert-resolved")
    listed = await workspace.say("/hms monitor list")
    await shows(
        listed, "3 checks", "web myapp/staging", "errors myapp/staging", "target myapp/prod"
    )
    await shows(await workspace.read_thread(alert), "@Bob Brown", "Well again: web")
