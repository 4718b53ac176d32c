"""The API keeps to its own description: schemathesis plays it against the running server.

Examples are derived from a fixed seed and are few; what it finds is true of the server, not of luck.
"""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path

import schemathesis
from schemathesis import engine
from schemathesis.config import SchemathesisConfig
from schemathesis.engine.events import FatalError, NonFatalError, ScenarioFinished

from handlers.http import openapi
from handlers.http.access import Component
from tests.contract.test_storage_alerts import make_draft
from tests.scenario.counter import DEV, Counter, digest, open_counter

CONFIG = {
    "seed": 1,
    "continue-on-failure": True,
    "headers": {"Authorization": f"Bearer {DEV}"},
    "generation": {"max-examples": 40, "deterministic": True},
    # No schema can say which projects are configured, so what fits it may still name none of them.
    "checks": {"positive_data_acceptance": {"enabled": False}},
}
ROUTES = {
    "GET /api/v1/alerts",
    "GET /api/v1/alerts/{id}",
    "GET /api/v1/errors",
    "GET /api/v1/rollouts",
    "GET /api/v1/rollouts/{id}",
    "GET /api/v1/targets",
    "POST /api/v1/events",
    "POST /api/v1/rollouts",
}
ALL_RIGHTS = Component(
    name="hms-dev",
    token_sha256=digest(DEV),
    rights=frozenset({"read", "events", "deploy:staging", "deploy:prod"}),
    requests_a_minute=1_000_000,
)


class Server:
    """The counter on an event loop of its own, as schemathesis waits where it calls."""

    def __init__(self, tmp_path: Path) -> None:
        self._tmp_path = tmp_path
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._done: asyncio.Event | None = None
        self.url = ""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Server:
        """Listening."""
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *exc: object) -> None:
        """Gone."""
        assert self._loop is not None
        assert self._done is not None
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join(10)

    async def _run(self) -> None:
        self._loop, self._done = asyncio.get_running_loop(), asyncio.Event()
        async with open_counter(self._tmp_path, components=[ALL_RIGHTS]) as counter:
            await self._populate(counter)
            self.url = counter.url
            self._ready.set()
            await self._done.wait()

    @staticmethod
    async def _populate(counter: Counter) -> None:
        for version in ("1.0", "1.1"):
            await counter.engine.ask(version)
        async with counter.engine.database.store.transaction() as tx:
            await tx.alerts.add(make_draft())


@dataclass
class Findings:
    """What schemathesis saw. `done`: routes that did what was asked at least once."""

    failures: list[str] = field(default_factory=list)
    done: set[str] = field(default_factory=set)

    def add(self, scenario: ScenarioFinished) -> None:
        """Everything of one scenario."""
        for interaction in scenario.recorder.interactions.values():
            response = interaction.response
            if scenario.label and response is not None and response.status_code < 300:
                self.done.add(scenario.label)
        for checks in scenario.recorder.checks.values():
            for check in checks:
                if check.failure_info is not None:
                    told = f"{check.failure_info.failure}\n{check.failure_info.code_sample}"
                    self.failures.append(f"{scenario.label} {check.name}: {told}")


def test_the_api_does_as_it_says(tmp_path: Path) -> None:
    """With every check that schemathesis has but one: examples, corner cases, chance, chains of calls."""
    found = Findings()
    with Server(tmp_path) as server:
        schema = schemathesis.openapi.from_url(
            f"{server.url}{openapi.PATH}", config=SchemathesisConfig.from_dict(CONFIG)
        )
        for event in engine.from_schema(schema).execute():
            assert not isinstance(event, FatalError | NonFatalError)
            if isinstance(event, ScenarioFinished):
                found.add(event)

    assert found.failures == []
    assert found.done == ROUTES
