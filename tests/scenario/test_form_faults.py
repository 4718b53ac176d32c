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
    faults = await submit(office, project, environment)

    assert list(faults) == ["deploy.environment"]
    assert faults["deploy.environment"].startswith(said)
    assert office.slack.messages == []


async def test_a_time_that_is_none_is_said_beside_it(office: Office) -> None:
    faults = await submit(office, "myapp", "staging", "soon")

    said = "“soon” is no time to start at. Write 18:30, 2h, or 2026-11-25T18:30+01:00."
    assert faults == {"deploy.start": said}
    assert office.slack.messages == []


async def test_all_faults_of_a_form_are_told_at_once(office: Office) -> None:
    assert set(await submit(office, "", "", "25:00")) == {"deploy.environment", "deploy.start"}


async def submit(office: Office, project: str, environment: str, start: str = "") -> dict[str, str]:
    """The faults that are told in the form, by the input."""

    def chosen(value: str) -> dict[str, object]:
        return {"value": {"selected_option": {"value": value} if value else None}}

    values = {
        "deploy.project": chosen(project),
        "deploy.environment": chosen(environment),
        "deploy.start": {"value": {"value": start}},
    }
    body: dict[str, object] = {
        "user": {"id": "U01ALICE", "username": "alice"},
        "view": {"state": {"values": values}, "private_metadata": "C01GEN"},
    }
    ack = AsyncAck()  # type: ignore[no-untyped-call]  # Bolt left it untyped
    await Forms(office.engine.deployments, office.side.boundary).submit(ack, body)
    assert ack.response is not None
    faults: dict[str, str] = json.loads(ack.response.body)["errors"]
    return faults
