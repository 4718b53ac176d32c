"""A bot as programs meet it: the HTTP side on a real socket, over an embedded database."""

from __future__ import annotations

import hashlib
import io
import itertools
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from handlers.http.access import Access, Component
from handlers.http.api import ApiParts, build_api
from handlers.http.app import build_http_app
from handlers.http.boundary import BoundarySettings
from handlers.http.health import Health
from handlers.http.hooks.door import Door, Hook
from handlers.http.server import open_server
from operations.audit import AuditEvent
from operations.deployment.keyed_requests import KeyedRequests
from operations.deployment.target import Catalog
from operations.guard import Guard
from operations.monitoring.alert_inquiries import AlertInquiries
from operations.monitoring.alerting import Alerting
from operations.monitoring.errors.event import LogEvent
from operations.monitoring.errors.group import GroupQuery, GroupReport
from operations.monitoring.errors.repeats import BatchKey
from operations.refusals import Refusals
from tests.workshops import Engine, open_engine, run_plainly

DEV = "made-up-token-of-hms-dev"
READER = "made-up-token-of-a-reader"
Json = dict[str, object]


def digest(token: str) -> str:
    """What the configuration holds of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


COMPONENTS = (
    Component(
        name="hms-dev",
        token_sha256=digest(DEV),
        rights=frozenset({"read", "events", "deploy:staging"}),
    ),
    Component(
        name="reader",
        token_sha256=digest(READER),
        rights=frozenset({"read"}),
        requests_a_minute=5,
    ),
)


@dataclass
class Inbox:
    """Stands for the central log: `trouble` is raised instead of taking. A key counts once."""

    events: list[LogEvent] = field(default_factory=list)
    keys: list[BatchKey] = field(default_factory=list)
    trouble: Exception | None = None

    async def take(self, events: Sequence[LogEvent], *, key: BatchKey | None = None) -> bool:
        """Keep them."""
        if self.trouble is not None:
            raise self.trouble
        is_fresh = key is None or key not in self.keys
        if key is not None:
            self.keys.append(key)
        if is_fresh:
            self.events += events
        return is_fresh


@dataclass
class Groups:
    """Stands for the groups of errors: `queries` is what was asked."""

    reports: list[GroupReport] = field(default_factory=list)
    queries: list[GroupQuery] = field(default_factory=list)

    async def list(self, query: GroupQuery) -> Sequence[GroupReport]:
        """All of them, whatever is asked."""
        self.queries.append(query)
        return self.reports


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    kind: str
    body: Json


@dataclass
class Counter:
    """`call` is what programs do."""

    engine: Engine
    inbox: Inbox
    groups: Groups
    keyed: KeyedRequests
    url: str
    session: aiohttp.ClientSession

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = DEV,
        json: object = None,
        data: bytes | str | AsyncIterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request."""
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        sent |= headers or {}
        raw = data.encode() if isinstance(data, str) else data
        body = io.BytesIO(raw) if isinstance(raw, bytes) else raw
        async with self.session.request(
            method, f"{self.url}{path}", json=json, data=body, headers=sent
        ) as answer:
            return Answer(
                answer.status,
                answer.headers,
                answer.content_type,
                await answer.json(content_type=None),
            )

    async def audited(self, subject: str) -> Sequence[AuditEvent]:
        """What the trail holds of a component, or of strangers."""
        async with self.engine.database.store.snapshot() as tx:
            return await tx.audit.of(subject)


@asynccontextmanager
async def open_counter(
    tmp_path: Path,
    *,
    components: Sequence[Component] = COMPONENTS,
    hooks: Callable[[Engine], Mapping[str, Hook]] = lambda engine: {},
    catalog: Catalog | None = None,
    guard: Guard = run_plainly,
    deadline_seconds: float = 5.0,
) -> AsyncIterator[Counter]:
    """The server on a free port."""
    inbox, groups, ids = Inbox(), Groups(), itertools.count(1)
    async with open_engine(tmp_path, catalog=catalog) as engine:
        store, clock = engine.database.store, engine.clock
        access = Access(components, clock, Refusals(store.transaction, clock))
        api = build_api(
            ApiParts(
                deployments=engine.deployments,
                store=store,
                intake=inbox,
                groups=groups,
                past_alerts=AlertInquiries(store),
                alerts=Alerting(checks=(), store=store, clock=clock),
                access=access,
                clock=clock,
            )
        )
        around = BoundarySettings(
            guard=guard, new_id=lambda: f"r-{next(ids)}", deadline_seconds=deadline_seconds
        )
        door = Door(hooks(engine), access, clock)
        app = build_http_app(_health(engine), around=around, parts=[api.register, door.register])
        async with (
            open_server(
                app, "127.0.0.1", 0, new_id=around.new_id, silent_seconds=deadline_seconds
            ) as port,
            aiohttp.ClientSession() as session,
        ):
            url = f"http://127.0.0.1:{port}"
            yield Counter(engine, inbox, groups, api.keyed, url, session)


def _health(engine: Engine) -> Health:
    async def is_alive() -> bool:
        return True

    return Health(is_alive=is_alive, ping=engine.database.ping, is_accepted=lambda: True)
