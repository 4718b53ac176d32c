"""Who may knock at `/slack/events`: Slack, with a fresh signature, and nobody else."""

from __future__ import annotations

import io
import time

import pytest
from slack_sdk.signature import SignatureVerifier

from tests.factories import ALICE
from tests.scenario.office import SECRET, Office


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"X-Slack-Signature": "v0=0000"}, id="wrong signature"),
        pytest.param({"X-Slack-Signature": ""}, id="no signature"),
        pytest.param({"X-Slack-Request-Timestamp": "yesterday"}, id="timestamp in words"),
        pytest.param({"X-Slack-Request-Timestamp": ""}, id="no timestamp"),
        pytest.param({"X-Slack-Request-Timestamp": "-1"}, id="negative timestamp"),
        pytest.param({"X-Slack-Request-Timestamp": "9" * 400}, id="endless timestamp"),
    ],
)
async def test_a_forged_request_is_refused(office: Office, headers: dict[str, str]) -> None:
    """401, and nothing happens."""
    status = await office.send(office.command_body("help", ALICE), headers=headers)

    assert status == 401
    assert office.slack.calls == []


async def test_a_replayed_request_is_refused(office: Office) -> None:
    """The signature is right and older than five minutes."""
    stamp = str(int(time.time()) - 301)
    body = "command=%2Fhms&text=help"
    signature = SignatureVerifier(SECRET).generate_signature(timestamp=stamp, body=body)
    headers = {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature or ""}

    async with office.session.post(f"{office.url}/slack/events", data=body, headers=headers) as got:
        assert got.status == 401


async def test_a_huge_body_is_refused(office: Office) -> None:
    """Before it is read into memory, and before its signature is computed."""
    headers = {"X-Slack-Request-Timestamp": str(int(time.time()))}
    body = io.BytesIO(b"x" * (1024 * 1024 + 1))

    async with office.session.post(f"{office.url}/slack/events", data=body, headers=headers) as got:
        assert got.status == 413


async def test_a_body_that_is_no_text_is_refused(office: Office) -> None:
    """Nothing that Slack sends is like that."""
    headers = {"X-Slack-Request-Timestamp": str(int(time.time()))}

    async with office.session.post(
        f"{office.url}/slack/events", data=b"\xff\xfe", headers=headers
    ) as got:
        assert got.status == 401


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param({"type": "shortcut", "callback_id": "x", "trigger_id": "T"}, id="shortcut"),
        pytest.param(
            {"type": "view_submission", "view": {"type": "modal", "callback_id": "old.form"}},
            id="view of another version",
        ),
        pytest.param(
            {"type": "view_closed", "view": {"type": "modal", "callback_id": "old.form"}},
            id="closed view",
        ),
    ],
)
async def test_what_nobody_listens_to_is_acknowledged(
    office: Office, payload: dict[str, object]
) -> None:
    """Else people see an error, and Slack sends events again."""
    assert await office.send(office.interaction(payload, ALICE)) == 200


async def test_another_slash_command_is_answered(office: Office) -> None:
    """An old manifest may still bring it."""
    body = {**office.command_body("help", ALICE), "command": "/hms-ops"}

    assert await office.send(body) == 200
