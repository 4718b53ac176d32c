"""A version goes live and fails at requests: a newcomer hears of it in its thread, looks, and acts."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.camera import Camera
from tests.e2e.workspace import ALICE, BOB, LATER, Workspace, buttons, shows

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),  # one demo, one worker
    pytest.mark.timeout(180),
]


async def test_new_errors_are_told_read_and_resolved(workspace: Workspace, camera: Camera) -> None:
    await workspace.act_as(ALICE)
    card = await workspace.ask("/hms deploy myapp staging 1.2-errors")
    await shows(card, "Live: myapp 1.2-errors → staging", within=LATER)
    reply = await _new_errors(workspace, card)
    await shows(reply, "1.2-errors → myapp/staging", "AttributeError", "@Alice Anderson")
    assert "Roll back" in await buttons(reply)
    await camera.take(reply, "new-errors")
    await workspace.close_thread()

    await workspace.act_as(BOB)
    listed = await workspace.say("/hms errors myapp staging")
    await shows(listed, "myapp/staging", "AttributeError", "which is live now")
    assert (await buttons(listed))[:3] == ["Resolve", "Silence 1h", "What changed"]
    await camera.take(listed, "errors")
    changed = await workspace.answer_to(listed, "What changed")
    await shows(changed, "What changed before", "1.2-errors")
    one = await workspace.say(f"/hms errors {await _group_of(listed)}")
    await shows(one, "line 41, in pay", "What changed before")
    await camera.take(one, "error")
    resolved = await workspace.answer_to(listed, "Resolve")
    await shows(resolved, "You resolved E-")
    await workspace.say("/hms rollback myapp staging")  # the tests after this one find 1.0
    back = workspace.messages.filter(has_text="Live: myapp 1.0 → staging")
    await expect(back.filter(has_text="1.2-errors")).to_have_count(1, timeout=LATER)


async def _new_errors(workspace: Workspace, card: Locator) -> Locator:
    """The reply in the rollout's thread; the way back in it needs the rollout to be live."""
    await shows(card, "replies", within=LATER)
    thread = await workspace.read_thread(card)
    reply = thread.locator(".msg").filter(has_text=re.compile(r"\d new errors?"))
    await expect(reply).to_have_count(1, timeout=LATER)
    return reply


async def _group_of(listed: Locator) -> str:
    found = re.search(r"E-\d+", await listed.inner_text())
    assert found is not None
    return found[0]
