from __future__ import annotations

import re
from pathlib import Path

import pytest

import operations.deployment
from handlers.timeline import _WORDS, say_event
from operations.audit import AuditEvent
from tests.factories import ALICE, NOON


def event(action: str, **detail: str) -> AuditEvent:
    return AuditEvent(at=NOON, actor=ALICE, action=action, subject="D-1042", detail=detail)


@pytest.mark.parametrize(
    ("happened", "said"),
    [
        (event("rollout.requested", version="1.1", reason="fix"), "asked for 1.1: “fix”"),
        (event("rollout.requested", version="1.0", kind="rollback"), "asked to roll back to 1.0"),
        (event("rollout.approved"), "approved"),
        (event("rollout.rejected", reason="not today"), "rejected: not today"),
        (
            event("rollout.following", what="Task definition myapp:2"),
            "told the platform: Task definition myapp:2",
        ),
        (event("rollout.ended", outcome="1.0 serves again."), "ended: 1.0 serves again."),
        (event("rollout.invented"), "rollout.invented"),
    ],
)
def test_events_are_told_in_words(happened: AuditEvent, said: str) -> None:
    assert say_event(happened) == said


def test_every_action_that_operations_record_has_words() -> None:
    folder = Path(operations.deployment.__file__).parent
    recorded = {
        action
        for module in folder.glob("*.py")
        for action in re.findall(r'"(rollout\.[a-z_]+)"', module.read_text(encoding="utf-8"))
    }

    assert recorded <= _WORDS.keys()
