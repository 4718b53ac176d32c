"""Two checks fail of one cause and nobody comes: one message, one call, one end.

Last of all, as it leaves a group of errors that others would find known.
"""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.camera import Camera
from tests.e2e.workspace import ALICE, BOB, LATER, MINUTES, Workspace, shows

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),  # one demo, one worker
    pytest.mark.timeout(300),
]


async def test_two_checks_share_an_alert_that_nobody_looks_after(
    workspace: Workspace, camera: Camera
) -> None:
    if not camera.is_on:
        pytest.skip("two minutes of waiting for pictures: `make screenshots` runs it")
    await workspace.act_as(ALICE)
    rollout = await workspace.ask("/hms deploy myapp staging 1.2-sick-errors")
    await shows(rollout, "Live: myapp 1.2-sick-errors → staging", within=LATER)
    alert = await workspace.newest_alert()
    await shows(alert, "Escalated to #deploys, @Bob Brown", within=MINUTES)
    await camera.take(alert, "alert-escalated")
    both = re.compile(r"Failing: (web, errors|errors, web) · myapp/staging")
    await expect(alert).to_contain_text(both, timeout=MINUTES)
    await camera.take(alert, "alert-grouped")
    label = await _label_of(alert)
    fleet = await workspace.say("/hms status")
    await shows(fleet, "4 targets · 1 needs attention", "failing since", "/hms ack A-")
    await camera.take(fleet, "fleet-alert")

    await workspace.go_to("deploys")
    call = workspace.messages.filter(has_text=re.compile(rf"{label}(?!\d)")).last
    await shows(call, f"Nobody looks after {label}", "myapp/staging")
    await camera.take(call, "escalation")
    await workspace.act_as(BOB)
    await workspace.press(call, "Acknowledge")
    await shows(call, f"bob looks after {label}")
    await workspace.say("/hms rollback myapp staging")
    await shows(call, "Well again", within=MINUTES)  # the errors of a minute are counted


async def _label_of(alert: Locator) -> str:
    found = re.search(r"A-\d+", await alert.inner_text())
    assert found is not None
    return found[0]
