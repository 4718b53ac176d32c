"""Forge, Alertmanager and Sentry call: what they say becomes events and alerts, once."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from handlers.http.hooks.alertmanager import Alertmanager
from handlers.http.hooks.door import Hook
from handlers.http.hooks.forge import Forge
from handlers.http.hooks.places import Places
from handlers.http.hooks.sentry import Sentry
from handlers.http.hooks.signatures import Signature
from operations.errors import Overloaded
from operations.monitoring.errors.event import Level
from operations.monitoring.vendors import VendorAlert
from tests.scenario.counter import Answer, Counter, Inbox, digest, open_counter
from tests.workshops import Engine

TOKEN = "made-up-token-of-a-hook"
PLACES = {"shop": "myapp/staging"}

FIRING: dict[str, object] = {
    "status": "firing",
    "labels": {"alertname": "HighLatency", "project": "myapp", "environment": "prod"},
    "annotations": {"summary": "p99 over 2 s", "description": "more"},
    "startsAt": "2026-11-24T12:00:00.123Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example/graph?g0",
    "fingerprint": "f3a1c2",
}
SENTRY: dict[str, object] = {
    "action": "triggered",
    "installation": {"uuid": "a"},
    "data": {
        "event": {
            "event_id": "e1",
            "issue_id": "1170820242",
            "title": "TimeoutError: no answer",
            "culprit": "shop.orders in pay",
            "level": "fatal",
            "project": 1,
            "release": "1.4.2",
            "environment": "prod",
            "datetime": "2019-08-19T21:06:17.276000Z",
            "metadata": {"type": "TimeoutError", "value": "no answer"},
            "url": "https://sentry.example/api/0/projects/acme/myapp/events/e1/",
            "web_url": "https://sentry.example/organizations/acme/issues/1170820242/",
        },
        "triggered_rule": "all",
    },
}
FORGE: dict[str, object] = {
    "status": "failed",
    "server": {"id": 123, "name": "web"},
    "site": {"id": 456, "name": "acme.example"},
    "commit_hash": "382b0f5185773fa0f67a8ed8056c7759",
    "commit_author": "Alice",
    "commit_message": "Change prices",
}


@dataclass
class Siren:
    """Stands for what becomes of alerts."""

    alerts: list[VendorAlert] = field(default_factory=list)

    async def receive(self, alerts: Sequence[VendorAlert]) -> None:
        """Keep them."""
        self.alerts += alerts


@dataclass
class Gate:
    """`send` is what the other systems do."""

    counter: Counter
    siren: Siren
    inbox: Inbox

    async def send(
        self, system: str, payload: object, token: str = TOKEN, signature: str | None = None
    ) -> Answer:
        """One delivery."""
        headers = {"Content-Type": "application/json"}
        if signature is not None:
            headers["Sentry-Hook-Signature"] = signature
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        return await self.counter.call(
            "POST", f"/hooks/{system}/{token}", token=None, data=body, headers=headers
        )


@asynccontextmanager
async def open_gate(tmp_path: Path, default: str = "", secret: str = "") -> AsyncIterator[Gate]:
    siren, inbox = Siren(), Inbox()

    def hooks(engine: Engine) -> dict[str, Hook]:
        places = Places(catalog=engine.catalog, targets=PLACES, default=default)
        clock = engine.clock
        sites = {(123, 456): "myapp/prod"}
        takers = {
            "alertmanager": Alertmanager(siren, places).receive,
            "sentry": Sentry(inbox, places, clock).receive,
            "forge": Forge(inbox, places, sites, clock).receive,
        }
        signed = {"sentry": Signature("Sentry-Hook-Signature", secret)} if secret else {}
        return {
            system: Hook(digest(TOKEN), take, signed.get(system)) for system, take in takers.items()
        }

    async with open_counter(tmp_path, hooks=hooks) as counter:
        yield Gate(counter, siren, inbox)


@pytest.fixture
async def gate(tmp_path: Path) -> AsyncIterator[Gate]:
    async with open_gate(tmp_path) as opened:
        yield opened


@pytest.mark.parametrize(
    ("system", "token"), [("sentry", "wrong"), ("jira", TOKEN), ("sentry", "%00")]
)
async def test_a_stranger_hears_what_everybody_hears_nowhere(
    gate: Gate, system: str, token: str
) -> None:
    nowhere = await gate.counter.call("POST", "/nowhere", token=None, json={})
    answer = await gate.send(system, SENTRY, token)

    assert (answer.status, answer.body) == (nowhere.status, nowhere.body)
    assert gate.inbox.events == []
    assert len(await gate.counter.audited("anonymous")) == 1


async def test_an_alert_fires_where_its_labels_say(gate: Gate) -> None:
    answer = await gate.send("alertmanager", {"version": "4", "alerts": [FIRING]})

    assert (answer.status, answer.body) == (202, {"accepted": 1})
    assert gate.siren.alerts == [
        VendorAlert(
            source="alertmanager",
            key="f3a1c2",
            name="HighLatency",
            project="myapp",
            environment="prod",
            is_firing=True,
            reason="p99 over 2 s",
            since=datetime(2026, 11, 24, 12, 0, 0, 123000, tzinfo=UTC),
            url="http://prometheus.example/graph?g0",
        )
    ]


async def test_an_alert_ends(gate: Gate) -> None:
    await gate.send("alertmanager", {"alerts": [{**FIRING, "status": "resolved"}]})

    assert [alert.is_firing for alert in gate.siren.alerts] == [False]


async def test_labels_may_use_the_sender_s_own_names(gate: Gate) -> None:
    labels = {"alertname": "Down", "job": "shop"}
    await gate.send("alertmanager", {"alerts": [{**FIRING, "labels": labels}]})

    assert gate.siren.alerts[0].environment == "staging"


async def test_an_alert_without_a_target_is_named_and_the_others_are_taken(gate: Gate) -> None:
    lost = {**FIRING, "labels": {"alertname": "Disk"}, "fingerprint": "b"}
    answer = await gate.send("alertmanager", {"alerts": [lost, FIRING]})

    assert answer.status == 422
    assert "Disk names no target" in str(answer.body["errors"])
    (event,) = await gate.counter.audited("hook:alertmanager")
    assert "Disk names no target" in event.detail["why"]
    assert [alert.name for alert in gate.siren.alerts] == ["HighLatency"]


async def test_what_names_no_target_goes_to_the_default(tmp_path: Path) -> None:
    async with open_gate(tmp_path, default="myapp/prod") as gate:
        lost = {**FIRING, "labels": {"alertname": "Disk"}}
        answer = await gate.send("alertmanager", {"alerts": [lost]})

        assert answer.status == 202
        assert gate.siren.alerts[0].project == "myapp"


@pytest.mark.parametrize("system", ["alertmanager", "sentry", "forge"])
@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        {},
        {"alerts": 7, "data": 7, "status": 7},
        {"alerts": [{}], "data": {}},
    ],
)
async def test_what_is_not_understood_is_422(gate: Gate, system: str, payload: object) -> None:
    answer = await gate.send(system, payload)

    assert (answer.status, answer.kind) == (422, "application/problem+json")
    assert gate.siren.alerts == []
    assert gate.inbox.events == []


async def test_sentry_s_issue_is_the_fingerprint(gate: Gate) -> None:
    answer = await gate.send("sentry", SENTRY)

    assert (answer.status, answer.body) == (202, {"accepted": 1})
    (event,) = gate.inbox.events
    assert (event.target_name, event.level, event.source) == (
        "myapp/prod",
        Level.CRITICAL,
        "sentry",
    )
    assert event.message == "TimeoutError: no answer"
    assert event.fields["fingerprint"] == "sentry:1170820242"
    assert (event.fields["type"], event.fields["release"]) == ("TimeoutError", "1.4.2")


async def test_sentry_s_environment_may_be_a_tag(gate: Gate) -> None:
    event = {
        "event_id": "e2",
        "issue_id": 7,
        "title": "Boom",
        "project": "myapp",
        "tags": [["level", "error"], ["environment", "prod"]],
    }
    answer = await gate.send("sentry", {"action": "triggered", "data": {"event": event}})

    assert answer.body == {"accepted": 1}
    assert gate.inbox.events[0].target_name == "myapp/prod"


async def test_sentry_s_repeat_counts_once(gate: Gate) -> None:
    await gate.send("sentry", SENTRY)
    again = await gate.send("sentry", SENTRY)

    assert (again.status, again.body) == (202, {"accepted": 0})
    assert len(gate.inbox.events) == 1


async def test_a_delivery_that_was_not_stored_may_come_again(gate: Gate) -> None:
    gate.inbox.trouble = Overloaded("Too much is waiting.")
    refused = await gate.send("sentry", SENTRY)
    gate.inbox.trouble = None
    answer = await gate.send("sentry", SENTRY)

    assert (refused.status, answer.body) == (503, {"accepted": 1})


async def test_a_new_issue_of_sentry_is_an_event(gate: Gate) -> None:
    issue = {"id": "77", "title": "Boom", "level": "error", "project": {"id": "1", "slug": "shop"}}
    answer = await gate.send("sentry", {"action": "created", "data": {"issue": issue}})

    assert answer.body == {"accepted": 1}
    assert gate.inbox.events[0].target_name == "myapp/staging"


@pytest.mark.parametrize("action", ["resolved", "assigned", "ignored"])
async def test_what_people_do_in_sentry_is_no_error(gate: Gate, action: str) -> None:
    payload = {"action": action, "data": {"issue": {"id": "77", "project": {"slug": "shop"}}}}
    answer = await gate.send("sentry", payload)

    assert (answer.status, answer.body) == (202, {"accepted": 0})


async def test_the_installation_of_sentry_s_hook_is_no_error(gate: Gate) -> None:
    payload = {"action": "created", "data": {"installation": {"uuid": "a"}}}
    answer = await gate.send("sentry", payload)

    assert (answer.status, answer.body) == (202, {"accepted": 0})


async def test_a_project_that_nobody_configured_is_named(gate: Gate) -> None:
    issue = {"id": "77", "title": "Boom", "project": {"slug": "blog"}}
    answer = await gate.send("sentry", {"action": "created", "data": {"issue": issue}})

    assert answer.status == 422
    assert "blog is no project of ours" in str(answer.body["errors"])


async def test_a_failed_deployment_of_forge_is_an_error_of_its_site(gate: Gate) -> None:
    answer = await gate.send("forge", FORGE)

    assert answer.body == {"accepted": 1}
    (event,) = gate.inbox.events
    assert (event.target_name, event.level) == ("myapp/prod", Level.ERROR)
    assert event.message == "Forge's deployment of acme.example failed"
    assert event.fields["release"] == FORGE["commit_hash"]


async def test_forge_s_repeat_counts_once_and_the_next_failure_again(gate: Gate) -> None:
    clock = gate.counter.engine.clock
    clock.ahead -= timedelta(seconds=clock.now().timestamp() % 600)  # at a round time
    for _ in range(2):
        await gate.send("forge", FORGE)
    clock.ahead += timedelta(minutes=11)
    await gate.send("forge", FORGE)

    assert len(gate.inbox.events) == 2


async def test_a_deployment_of_forge_that_went_well_is_nothing(gate: Gate) -> None:
    answer = await gate.send("forge", {**FORGE, "status": "success"})

    assert (answer.status, answer.body) == (202, {"accepted": 0})
    assert gate.inbox.events == []


@pytest.mark.parametrize(
    "change", [{"site": {"id": 9}}, {"status": "odd"}, {"server": {"id": 9, "name": "x"}}]
)
async def test_forge_s_unknown_sites_and_words_are_422(
    gate: Gate, change: dict[str, object]
) -> None:
    answer = await gate.send("forge", {**FORGE, **change})

    assert answer.status == 422
    assert gate.inbox.events == []


SECRET = "made-up client secret"


def sign(body: bytes, secret: str = SECRET) -> str:
    """As Sentry's documentation has it: HMAC-SHA256 of the body in hexadecimal digits."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


async def test_what_sentry_signed_is_taken(tmp_path: Path) -> None:
    body = json.dumps(SENTRY).encode()
    async with open_gate(tmp_path, secret=SECRET) as gate:
        answer = await gate.send("sentry", body, signature=sign(body))

    assert (answer.status, len(gate.inbox.events)) == (202, 1)


@pytest.mark.parametrize(
    "signature",
    [None, "", "0" * 64, sign(json.dumps(SENTRY).encode(), "another"), sign(b"{}"), "\u00e9" * 64],
    ids=["none", "empty", "zeros", "another secret", "another body", "not ascii"],
)
async def test_what_is_not_signed_is_refused_and_audited(
    tmp_path: Path, signature: str | None
) -> None:
    async with open_gate(tmp_path, secret=SECRET) as gate:
        answer = await gate.send("sentry", json.dumps(SENTRY).encode(), signature=signature)

        assert (answer.status, answer.kind) == (401, "application/problem+json")
        assert gate.inbox.events == []
        (event,) = await gate.counter.audited("hook:sentry")
    assert event.detail["why"] == "The signature does not fit."


async def test_the_other_hooks_have_no_signature(tmp_path: Path) -> None:
    async with open_gate(tmp_path, secret=SECRET) as gate:
        assert (await gate.send("forge", FORGE)).status == 202
