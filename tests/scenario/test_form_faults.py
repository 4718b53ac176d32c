"""What is wrong with a form is said in the form."""

from __future__ import annotations

import json

import pytest
from slack_bolt.context.ack.async_ack import AsyncAck

from handlers.slack.forms import Forms
from tests.scenario.office import Office


@pytest.mark.parametrize(
    ("project", "environment", "said"),
    [
        ("", "", "Choose a project and an environment."),
        ("myapp", "", "Choose a project and an environment."),
        ("myapp", "moon", "myapp has no environment “moon”."),
    ],
)
async def test_a_form_that_names_no_target_says_so_beside_the_choice(
    office: Office, project: str, environment: str, said: str
) -> None:
    def chosen(value: str) -> dict[str, object]:
        return {"value": {"selected_option": {"value": value} if value else None}}

    values = {"deploy.project": chosen(project), "deploy.environment": chosen(environment)}
    body: dict[str, object] = {
        "user": {"id": "U01ALICE", "username": "alice"},
        "view": {"state": {"values": values}, "private_metadata": "C01GEN"},
    }
    ack = AsyncAck()  # type: ignore[no-untyped-call]  # Bolt left it untyped

    await Forms(office.engine.deployments, office.side.boundary).submit(ack, body)

    assert ack.response is not None
    (told,) = json.loads(ack.response.body)["errors"].values()
    assert told.startswith(said)
    assert office.slack.messages == []
